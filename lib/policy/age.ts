import { type HeaderList, headerValue } from '../record/record.js';
import { MAX_DELTA } from './cache-control.js';
import { parseHttpDate } from './http-date.js';
import type { ReceivedView, StoredView } from './types.js';

interface Origin {
  /** Age as received, seconds. */
  readonly age: number;
  /** Date as received, ms since the epoch. */
  readonly date: number | undefined;
}

const memo = new WeakMap<HeaderList, Origin>();
const DIGITS = /^\d+$/;

/** Date and Age of a header list, parsed once; `now` settles the century of two-digit years. */
export function originOf(headers: HeaderList, now: number): Origin {
  const known = memo.get(headers);
  if (known !== undefined) return known;
  const origin = { age: ageValue(headers), date: parseHttpDate(headerValue(headers, 'date'), now) };
  memo.set(headers, origin);
  return origin;
}

/** How old the response was when it came, seconds (RFC 9111 4.2.3 corrected_initial_age). */
export function initialAge({ headers, requestTime, responseTime }: ReceivedView): number {
  const { age, date } = originOf(headers, responseTime);
  // Whole seconds: Date has no finer grain, and what is younger than its grain is not old.
  const apparentAge = date === undefined ? 0 : Math.floor(responseTime / 1000) - Math.floor(date / 1000);
  const responseDelay = Math.max(0, responseTime - requestTime) / 1000;
  return Math.max(0, apparentAge, age + responseDelay);
}

/** How old a stored response is now, seconds, not rounded (RFC 9111 4.2.3 current_age). */
export function currentAge(stored: StoredView, now: number): number {
  return initialAge(stored) + Math.max(0, now - stored.responseTime) / 1000;
}

/** Value of the Age header of a response from the cache (RFC 9111 5.1). */
export function ageHeader(stored: StoredView, now: number): string {
  return String(Math.min(MAX_DELTA, Math.floor(currentAge(stored, now))));
}

/** RFC 9111 5.1: of a list the first member counts, an invalid value is ignored. */
function ageValue(headers: HeaderList): number {
  const first = headerValue(headers, 'age')?.split(',', 1)[0]?.trim();
  return first !== undefined && DIGITS.test(first) ? Math.min(MAX_DELTA, Number(first)) : 0;
}
