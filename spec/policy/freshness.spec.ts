import { expect } from 'chai';
import fc from 'fast-check';
import {
  type ExpiryLevels,
  expirationOf,
  explicitLifetime,
  isDoNotCache,
} from '../../lib/policy/freshness.js';
import { DO_NOT_CACHE } from '../../lib/policy/types.js';
import { at, httpDate, plain, received, rfc } from './views.js';

const NOTHING: ExpiryLevels = { request: undefined, url: undefined, adapter: undefined };
type Headers = Record<string, string | string[]>;

describe('The explicit lifetime (RFC 9111 4.2.1)', () => {
  const rows: [string, Headers, number | undefined, number | undefined][] = [
    ['nothing', {}, undefined, undefined],
    ['max-age', { 'Cache-Control': 'max-age=60' }, 60, 60],
    ['s-maxage alone', { 'Cache-Control': 's-maxage=60' }, undefined, 60],
    ['s-maxage over max-age', { 'Cache-Control': 'max-age=1, s-maxage=60' }, 1, 60],
    ['s-maxage over max-age, the other way round', { 'Cache-Control': 's-maxage=0, max-age=60' }, 60, 0],
    ['Expires less Date', { Expires: httpDate(100), Date: httpDate(40) }, 60, 60],
    ['Expires without Date', { Expires: httpDate(100) }, 100, 100],
    ['Expires with an invalid Date', { Expires: httpDate(10), Date: 'foo' }, 10, 10],
    ['Expires before Date', { Expires: httpDate(300), Date: httpDate(400) }, 0, 0],
    ['an invalid Expires', { Expires: '0' }, 0, 0],
    ['an Expires that came twice', { Expires: [httpDate(60), httpDate(61)] }, 0, 0],
    ['max-age over Expires', { 'Cache-Control': 'max-age=60', Expires: httpDate(-60) }, 60, 60],
    ['max-age=0 over Expires', { 'Cache-Control': 'max-age=0', Expires: httpDate(60) }, 0, 0],
    ['an invalid max-age over Expires', { 'Cache-Control': 'max-age=-1', Expires: httpDate(60) }, 0, 0],
    ['a far Expires', { Expires: 'Fri, 31 Dec 9999 23:59:59 GMT' }, 2 ** 31, 2 ** 31],
    ['CDN-Cache-Control', { 'Cache-Control': 'max-age=60', 'CDN-Cache-Control': 'max-age=5' }, 60, 5],
    [
      'CDN-Cache-Control over Expires',
      { Expires: httpDate(60), 'CDN-Cache-Control': 'public' },
      60,
      undefined,
    ],
  ];
  for (const [name, headers, privately, shared] of rows) {
    it(`of ${name} is ${privately}, shared ${shared}.`, () => {
      expect(explicitLifetime(received(headers), false)).to.equal(privately);
      expect(explicitLifetime(received(headers), true)).to.equal(shared);
    });
  }
});

describe('When a response expires', () => {
  const FRESH = { 'Cache-Control': 'max-age=60' };
  const MODIFIED = { 'Last-Modified': httpDate(-1000), Date: httpDate(0) };
  const at60 = at(60);
  type Row = [string, Headers, Partial<ExpiryLevels>, number | undefined, string];

  const byUser: Row[] = [
    ['nothing is said: never', FRESH, {}, undefined, 'none'],
    ['the adapter says so', FRESH, { adapter: 5 }, at(5), 'adapter'],
    ['the URL beats the adapter', FRESH, { url: 4, adapter: 5 }, at(4), 'url'],
    ['the request beats the URL', FRESH, { request: 3, url: 4, adapter: 5 }, at(3), 'request'],
    ['null hands on', FRESH, { request: null, url: null, adapter: 5 }, at(5), 'adapter'],
    ['0 is a value, not nothing', FRESH, { request: 0, adapter: 5 }, at(0), 'request'],
    ['-1 is never', FRESH, { request: -1, adapter: 5 }, undefined, 'request'],
    ['Age does not count', { Age: '100' }, { adapter: 5 }, at(5), 'adapter'],
  ];
  for (const [name, headers, levels, expiresAt, source] of byUser) {
    it(`by the user's word: ${name}.`, () => {
      expect(expirationOf(received(headers), { ...NOTHING, ...levels }, plain())).to.deep.equal({
        doNotCache: false,
        expiresAt,
        source,
      });
    });
  }

  const byRfc: Row[] = [
    ['the response says so', FRESH, {}, at60, 'response'],
    ['the response beats URL and adapter', FRESH, { url: 4, adapter: 5 }, at60, 'response'],
    ['the request beats the response', FRESH, { request: 3 }, at(3), 'request'],
    ['the URL comes next', MODIFIED, { url: 4, adapter: 5 }, at(4), 'url'],
    ['then the adapter', MODIFIED, { adapter: 5 }, at(5), 'adapter'],
    ['-1 at the adapter is never', MODIFIED, { adapter: -1 }, undefined, 'adapter'],
    ['then the heuristic, a tenth of the time since the last change', MODIFIED, {}, at(100), 'heuristic'],
    ['without any of them: stale at once', {}, {}, at(0), 'none'],
    ['Age counts against it', { ...FRESH, Age: '50' }, {}, at(10), 'response'],
    ['so does an old Date', { ...FRESH, Date: httpDate(-50) }, {}, at(10), 'response'],
    ['and may be more than it', { ...FRESH, Age: '70' }, {}, at(-10), 'response'],
    [
      'Expires with a slow Date and Age',
      { Date: httpDate(-10), Expires: httpDate(10), Age: '25' },
      {},
      at(-5),
      'response',
    ],
    [
      'Expires with a fast Date and Age',
      { Date: httpDate(10), Expires: httpDate(20), Age: '15' },
      {},
      at(-5),
      'response',
    ],
    [
      'a change in the future tells nothing',
      { 'Last-Modified': httpDate(10), Date: httpDate(0) },
      {},
      at(0),
      'none',
    ],
    [
      'a change at Date tells nothing',
      { 'Last-Modified': httpDate(0), Date: httpDate(0) },
      {},
      at(0),
      'none',
    ],
    ['an invalid change tells nothing', { 'Last-Modified': 'foo' }, {}, at(0), 'none'],
    [
      'without Date the heuristic goes by the time of arrival',
      { 'Last-Modified': httpDate(-1000) },
      {},
      at(100),
      'heuristic',
    ],
  ];
  for (const [name, headers, levels, expiresAt, source] of byRfc) {
    it(`by RFC 9111: ${name}.`, () => {
      expect(expirationOf(received(headers), { ...NOTHING, ...levels }, rfc())).to.deep.equal({
        doNotCache: false,
        expiresAt,
        source,
      });
    });
  }

  const heuristic: [number, boolean][] = [
    [200, true],
    [201, false],
    [202, false],
    [203, true],
    [204, true],
    [300, true],
    [301, true],
    [302, false],
    [308, true],
    [403, false],
    [404, true],
    [405, true],
    [410, true],
    [414, true],
    [451, true],
    [500, false],
    [501, true],
    [503, false],
    [599, false],
  ];
  for (const [status, isGuessed] of heuristic) {
    it(`the heuristic ${isGuessed ? 'takes' : 'leaves'} a ${status}, and takes it when it is public.`, () => {
      const source = (headers: Headers) => {
        const expiration = expirationOf(received(headers, status), NOTHING, rfc());
        return expiration.doNotCache ? 'none' : expiration.source;
      };
      expect(source(MODIFIED)).to.equal(isGuessed ? 'heuristic' : 'none');
      expect(source({ ...MODIFIED, 'Cache-Control': 'public' })).to.equal('heuristic');
    });
  }

  it('counts from when the response came, less what it took.', () => {
    const slow = { ...received(FRESH), requestTime: at(-2) };
    expect(expirationOf(slow, NOTHING, rfc())).to.include({ expiresAt: at(58) });
    expect(expirationOf(slow, { ...NOTHING, request: 60 }, rfc())).to.include({ expiresAt: at60 });
  });

  it('DO_NOT_CACHE decides as the first word of the user, whatever the response says.', () => {
    for (const settings of [plain(), rfc()]) {
      const decide = (levels: Partial<ExpiryLevels>) =>
        expirationOf(received(FRESH), { ...NOTHING, ...levels }, settings).doNotCache;
      expect(decide({ request: DO_NOT_CACHE })).to.equal(true);
      expect(decide({ url: DO_NOT_CACHE, adapter: 5 })).to.equal(true);
      expect(decide({ adapter: DO_NOT_CACHE })).to.equal(true);
      expect(decide({ request: 5, url: DO_NOT_CACHE })).to.equal(false);
      expect(decide({ url: 5, adapter: DO_NOT_CACHE })).to.equal(false);
    }
    expect(isDoNotCache(NOTHING)).to.equal(false);
  });

  it('is a moment or never, whatever the origin sends.', () => {
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom('max-age=99999999999', httpDate(5), '-1', '0', 'public, max-age'),
    );
    const headers = fc.dictionary(
      fc.constantFrom('Cache-Control', 'Expires', 'Date', 'Age', 'Last-Modified'),
      value,
    );
    fc.assert(
      fc.property(headers, fc.boolean(), (given, shared) => {
        const expiration = expirationOf(received(given), NOTHING, rfc({ shared }));
        expect(expiration.doNotCache ? Number.NaN : expiration.expiresAt).to.satisfy(Number.isFinite);
      }),
    );
  });
});
