import { expect } from 'chai';
import fc from 'fast-check';
import { parseHttpDate } from '../../lib/policy/http-date.js';
import { T0 } from './views.js';

const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37);
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

describe('An HTTP-date', () => {
  const valid: [string, number][] = [
    // RFC 9110 5.6.7
    ['Sun, 06 Nov 1994 08:49:37 GMT', EXAMPLE],
    ['Sunday, 06-Nov-94 08:49:37 GMT', EXAMPLE],
    ['Sun Nov  6 08:49:37 1994', EXAMPLE],
    ['Sun Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
    // RFC 9111 4.2: in any case
    ['SUN, 06 NOV 1994 08:49:37 gmt', EXAMPLE],
    ['sunday, 06-nov-94 08:49:37 GMT', EXAMPLE],
    // a leap second, a leap day, the wrong day name
    ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2017, 0, 1)],
    ['Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
    ['Mon, 06 Nov 1994 08:49:37 GMT', EXAMPLE],
    ['Fri, 31 Dec 9999 23:59:59 GMT', Date.UTC(9999, 11, 31, 23, 59, 59)],
    ['Sun, 01 Jan 0050 00:00:00 GMT', new Date(0).setUTCFullYear(50, 0, 1)],
  ];
  for (const [text, moment] of valid) {
    it(`is read: ${text}.`, () => expect(parseHttpDate(text, T0)).to.equal(moment));
  }

  const invalid = [
    undefined,
    '',
    '0',
    '-1',
    '1767225600',
    '2026-01-01T00:00:00Z',
    'Thu, 18 Aug 2050 02:01:18 UTC',
    'Thu, 18 Aug 2050 02:01:18 AEST',
    'Thu, 18 Aug 2050 02:01:18 +0000',
    'Thu, 18 Aug 2050 02:01:18',
    'Thu, 18 Aug 50 02:01:18 GMT',
    'Thu 18 Aug 2050 02:01:18 GMT',
    'Thu, 18  Aug  2050 02:01:18 GMT',
    'Thu, 18-Aug-2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 02.01.18 GMT',
    'Thu, 18 Aug 2050 2:01:18 GMT',
    'Thu, 8 Aug 2050 02:01:18 GMT',
    'Thu, 00 Aug 2050 02:01:18 GMT',
    'Thu, 32 Aug 2050 02:01:18 GMT',
    'Thu, 31 Jun 2050 02:01:18 GMT',
    'Wed, 29 Feb 2023 00:00:00 GMT',
    'Thu, 18 Aug 2050 24:00:00 GMT',
    'Thu, 18 Aug 2050 02:60:18 GMT',
    'Thu, 18 Aug 2050 02:01:61 GMT',
    'Thu, 18 Foo 2050 02:01:18 GMT',
    ' Thu, 18 Aug 2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT',
    'Thu, 18-Aug-50 02:01:18 GMT',
    'Thu Aug 8 02:01:18 2050',
    'Sun, 06 Nov 1994 08:49:37 GMT\n',
  ];
  for (const text of invalid) {
    it(`is not read: ${JSON.stringify(text)}.`, () => expect(parseHttpDate(text, T0)).to.equal(undefined));
  }

  it('of two digits is at most 50 years in the future.', () => {
    const limit = Date.UTC(2076, 0, 1);
    expect(parseHttpDate('Wednesday, 01-Jan-76 00:00:00 GMT', T0)).to.equal(limit);
    expect(parseHttpDate('Wednesday, 01-Jan-76 00:00:01 GMT', T0)).to.equal(Date.UTC(1976, 0, 1, 0, 0, 1));
    expect(parseHttpDate('Friday, 31-Dec-99 00:00:00 GMT', T0)).to.equal(Date.UTC(1999, 11, 31));
    expect(parseHttpDate('Tuesday, 29-Feb-00 00:00:00 GMT', T0)).to.equal(Date.UTC(2000, 1, 29));
  });

  it('reads back whatever moment is written in any of the three formats.', () => {
    const seconds = fc.integer({ min: Date.UTC(1977, 0, 1) / 1000, max: Date.UTC(2075, 0, 1) / 1000 });
    fc.assert(
      fc.property(seconds, (second) => {
        const date = new Date(second * 1000);
        const [name = '', day = '', month = '', year = '', time = ''] = date.toUTCString().split(' ');
        const short = name.slice(0, 3);
        const forms = [
          date.toUTCString(),
          `${DAYS[date.getUTCDay()]}, ${day}-${month}-${year.slice(2)} ${time} GMT`,
          `${short} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`,
        ];
        expect(forms.map((form) => parseHttpDate(form, T0))).to.deep.equal(Array(3).fill(date.getTime()));
      }),
    );
  });

  it('never throws.', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof parseHttpDate(text, T0) !== 'string'));
  });
});
