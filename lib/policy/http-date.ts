const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH = `(${MONTHS.join('|')})`;
const DAY_NAME = '(?:mon|tue|wed|thu|fri|sat|sun)';
const LONG_DAY_NAME = '(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)';
const TIME = '(\\d{2}):(\\d{2}):(\\d{2})';

// RFC 9110 5.6.7. Case does not count for a cache (RFC 9111 4.2), and no zone but GMT is valid.
const IMF_FIXDATE = new RegExp(`^${DAY_NAME}, (\\d{2}) ${MONTH} (\\d{4}) ${TIME} GMT$`, 'i');
const RFC850_DATE = new RegExp(`^${LONG_DAY_NAME}, (\\d{2})-${MONTH}-(\\d{2}) ${TIME} GMT$`, 'i');
const ASCTIME_DATE = new RegExp(`^${DAY_NAME} ${MONTH} (\\d{2}| \\d) ${TIME} (\\d{4})$`, 'i');

/**
 * An HTTP-date (RFC 9110 5.6.7), one of its three formats and nothing else; ms since the epoch, undefined when invalid.
 * `now` settles the century of two-digit years.
 */
export function parseHttpDate(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const imf = IMF_FIXDATE.exec(text);
  if (imf !== null) return moment(Number(imf[3]), imf[2], imf[1], imf[4], imf[5], imf[6]);
  const asctime = ASCTIME_DATE.exec(text);
  if (asctime !== null)
    return moment(Number(asctime[6]), asctime[1], asctime[2], asctime[3], asctime[4], asctime[5]);
  const rfc850 = RFC850_DATE.exec(text);
  if (rfc850 !== null) return momentOfShortYear(rfc850, now);
  return undefined;
}

type Text = string | undefined;

/** The latest year with these last two digits that is not more than 50 years in the future. */
function momentOfShortYear([, day, month, shortYear, hour, minute, second]: RegExpExecArray, now: number) {
  const limit = new Date(now);
  limit.setUTCFullYear(limit.getUTCFullYear() + 50);
  const century = limit.getUTCFullYear() - (limit.getUTCFullYear() % 100);
  const year = century + Number(shortYear);
  const latest = moment(year, month, day, hour, minute, second);
  // 29 February may be missing in one century and not in the other.
  if (latest !== undefined && latest <= limit.getTime()) return latest;
  return moment(year - 100, month, day, hour, minute, second);
}

function moment(
  year: number,
  month: Text,
  day: Text,
  hour: Text,
  minute: Text,
  second: Text,
): number | undefined {
  const monthIndex = MONTHS.indexOf(String(month).toLowerCase());
  const [h, m, s] = [Number(hour), Number(minute), Number(second)];
  if (h > 23 || m > 59 || s > 60) return undefined; // 60 is a leap second
  // Not Date.UTC: it takes the years 0-99 for 1900-1999.
  const date = new Date(0);
  date.setUTCFullYear(year, monthIndex, Number(day));
  if (date.getUTCMonth() !== monthIndex) return undefined; // a day that the month does not have
  return date.setUTCHours(h, m, s);
}
