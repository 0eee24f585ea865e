import { expect } from 'chai';
import fc from 'fast-check';
import {
  answersCallersCondition,
  callerConditionIsForOrigin,
  callerIsConditional,
  conditionalHeaders,
  freshenHeaders,
  isSameEtag,
  isSendableEtag,
  notModifiedHeaders,
} from '../../lib/policy/revalidation.js';
import { hasValidator } from '../../lib/policy/validators.js';
import { fields, httpDate, plain, rfc, stored } from './views.js';

const DATE = httpDate(-100);

describe('The conditional headers', () => {
  const rows: [string, Record<string, string>, object | undefined][] = [
    ['none without a validator', {}, undefined],
    ['the ETag', { ETag: '"a"' }, { 'If-None-Match': '"a"' }],
    ['a weak ETag as it is', { etag: 'W/"a"' }, { 'If-None-Match': 'W/"a"' }],
    ['an unquoted ETag as it is', { ETag: 'a' }, { 'If-None-Match': 'a' }],
    ['Last-Modified', { 'Last-Modified': DATE }, { 'If-Modified-Since': DATE }],
    ['both', { ETag: '"a"', 'Last-Modified': DATE }, { 'If-None-Match': '"a"', 'If-Modified-Since': DATE }],
    ['not an empty ETag', { ETag: ' ' }, undefined],
    ['not what no request can carry', { ETag: '"\u2603"', 'Last-Modified': 'a\nb' }, undefined],
    ['obs-text', { ETag: '"\u00fc"' }, { 'If-None-Match': '"\u00fc"' }],
  ];
  for (const [name, headers, expected] of rows) {
    it(`are ${name}.`, () => {
      expect(conditionalHeaders({ headers: fields(headers) })).to.deep.equal(expected);
      expect(hasValidator(fields(headers))).to.equal(expected !== undefined);
    });
  }
});

describe('What is of its message', () => {
  it('goes with it: Age, and Date, from which an age would be counted for ever.', () => {
    const stored = fields({ Date: DATE, Age: '5', ETag: '"a"', 'X-A': '1' });
    expect(freshenHeaders(stored, fields({ 'X-A': '2' }), rfc())).to.deep.equal(
      fields({ ETag: '"a"', 'X-A': '2' }),
    );
    const now = httpDate(0);
    expect(freshenHeaders(stored, fields({ Date: now }), rfc())).to.deep.equal(
      fields({ Date: now, ETag: '"a"', 'X-A': '1' }),
    );
  });
});

describe('The headers of a 304 of our own (RFC 9110 15.4.5)', () => {
  const names = (headers: Record<string, string>) =>
    notModifiedHeaders(fields(headers)).map(([name]) => name.toLowerCase());

  it('are those that guide a cache, and no others that describe the body.', () => {
    const guides = ['cache-control', 'content-location', 'date', 'etag', 'expires', 'vary', 'x-other'];
    const describes = [
      ...['content-disposition', 'content-encoding', 'content-language', 'content-length'],
      ...['content-md5', 'content-range', 'content-type'],
    ];
    const all = Object.fromEntries([...guides, ...describes].map((name) => [name.toUpperCase(), 'x']));
    expect(names(all)).to.deep.equal(guides);
  });

  it('have Last-Modified where there is no ETag to say more.', () => {
    expect(names({ 'Last-Modified': DATE, 'X-A': '1' })).to.deep.equal(['last-modified', 'x-a']);
    expect(names({ 'Last-Modified': DATE, ETag: '"1"' })).to.deep.equal(['etag']);
  });
});

describe('Entity tags', () => {
  for (const [tag, isSendable] of [
    ['"a"', true],
    ['W/"a"', true],
    ['""', true],
    ['"\u00fc, !"', false],
    ['"\u00fc,!"', true],
    ['a', false],
    ['"a', false],
    ['"a"b"', false],
    ['w/"a"', false],
    ['"a", "b"', false],
    ['"\u2603"', false],
    ['', false],
  ] as const) {
    it(`${isSendable ? 'go' : 'do not go'} into a list (RFC 9110 8.8.3): ${JSON.stringify(tag)}.`, () => {
      expect(isSendableEtag(tag)).to.equal(isSendable);
    });
  }

  // the RFC's own (8.8.3.2)
  for (const [a, b, isSame] of [
    ['W/"1"', 'W/"1"', true],
    ['W/"1"', 'W/"2"', false],
    ['W/"1"', '"1"', true],
    ['"1"', '"1"', true],
    ['"1"', '"2"', false],
  ] as const) {
    it(`are ${isSame ? '' : 'not '}the same, weakly: ${a} and ${b}.`, () =>
      expect(isSameEtag(a, b)).to.equal(isSame));
  }
});

describe('The headers after a 304', () => {
  it('are those of the 304 where it has any, and the stored ones elsewhere, in their places.', () => {
    const before = fields({
      Date: 'old',
      'X-A': '1',
      'Set-Cookie': ['a=1', 'b=1'],
      'Content-Type': 'text/plain',
    });
    const update = fields({ 'set-cookie': ['a=2'], date: 'new', 'X-B': '2', 'Content-Type': 'text/html' });
    expect(freshenHeaders(before, update, rfc())).to.deep.equal([
      ['date', 'new'],
      ['X-A', '1'],
      ['set-cookie', ['a=2']],
      ['Content-Type', 'text/html'],
      ['X-B', '2'],
    ]);
    expect(before[0]).to.deep.equal(['Date', 'old']);
  });

  it('have each field of a name replaced by all of that name.', () => {
    const before = fields({ Link: '1', link: '2', a: 'x' });
    expect(freshenHeaders(before, fields({ LINK: '3' }), rfc())).to.deep.equal([
      ['LINK', '3'],
      ['a', 'x'],
    ]);
    const update = fields({ Link: '3', LINK: '4' });
    expect(freshenHeaders(before, update, rfc())).to.deep.equal([
      ['Link', '3'],
      ['LINK', '4'],
      ['a', 'x'],
    ]);
  });

  for (const settings of [plain(), rfc()]) {
    for (const name of ['Content-Encoding', 'Content-Length', 'Content-MD5', 'Content-Range', 'ETag']) {
      it(`keep ${name}, which belongs to the stored bytes (cacheControl: ${settings.cacheControl}).`, () => {
        const before = fields({ [name]: 'stored' });
        expect(freshenHeaders(before, fields({ [name]: 'new' }), settings)).to.deep.equal(before);
        expect(freshenHeaders([], fields({ [name]: 'new' }), settings)).to.deep.equal([]);
      });
    }
    it(`take none of the connection's (cacheControl: ${settings.cacheControl}).`, () => {
      const update = fields({
        Connection: 'x-hop',
        'X-Hop': '1',
        'Transfer-Encoding': 'chunked',
        'Keep-Alive': '1',
      });
      expect(freshenHeaders(fields({ a: '1' }), update, settings)).to.deep.equal([['a', '1']]);
    });
  }

  it('lose what the 304 says must not be kept.', () => {
    const update = fields({ 'Cache-Control': 'no-cache="a"' });
    expect(freshenHeaders(fields({ a: '1', b: '2' }), update, rfc())).to.deep.equal([
      ['b', '2'],
      ['Cache-Control', 'no-cache="a"'],
    ]);
  });

  it('are none twice: freshening again with the same 304 changes nothing.', () => {
    const name = fc.constantFrom('Date', 'date', 'ETag', 'X-A', 'x-a', 'Cache-Control', 'Connection');
    const list = fc.array(fc.tuple(name, fc.string()), { maxLength: 8 });
    fc.assert(
      fc.property(list, list, (before, update) => {
        const once = freshenHeaders(before, update, rfc());
        expect(freshenHeaders(once, update, rfc())).to.deep.equal(once);
      }),
    );
  });
});

describe("The caller's own condition", () => {
  it('is one that a cache may answer, or one for the origin.', () => {
    expect(callerIsConditional({ 'if-none-match': '"a"' })).to.equal(true);
    expect(callerIsConditional({ 'if-modified-since': DATE })).to.equal(true);
    expect(callerIsConditional({ 'if-match': '"a"' })).to.equal(false);
    for (const name of ['if-match', 'if-unmodified-since', 'if-range']) {
      expect(callerConditionIsForOrigin({ [name]: 'x' })).to.equal(true);
    }
    expect(callerConditionIsForOrigin({ 'if-none-match': '"a"' })).to.equal(false);
  });

  const inm = (value: string) => ({ 'if-none-match': value });
  const ims = (value: string) => ({ 'if-modified-since': value });
  const rows: [string, Record<string, string>, Record<string, string>, boolean][] = [
    ['the same ETag', inm('"a"'), { ETag: '"a"' }, true],
    ['another ETag', inm('"b"'), { ETag: '"a"' }, false],
    ['one of several', inm('"1", "a", "2"'), { ETag: '"a"' }, true],
    ['none of several', inm('"1", "ab", "2"'), { ETag: '"a"' }, false],
    ['a weak one for a strong one', inm('W/"a"'), { ETag: '"a"' }, true],
    ['a strong one for a weak one', inm('"a"'), { ETag: 'W/"a"' }, true],
    ['a comma in the ETag', inm('"x", "a,b"'), { ETag: '"a,b"' }, true],
    ['an unquoted one as it is', inm('a'), { ETag: 'a' }, true],
    ['a star', inm('*'), {}, true],
    ['no ETag', inm('"a"'), {}, false],
    [
      'If-None-Match wins',
      { ...inm('"a"'), ...ims(httpDate(-999)) },
      { ETag: '"a"', 'Last-Modified': DATE },
      true,
    ],
    [
      'also where it does not match',
      { ...inm('"b"'), ...ims(DATE) },
      { ETag: '"a"', 'Last-Modified': DATE },
      false,
    ],
    ['not modified since', ims(DATE), { 'Last-Modified': DATE }, true],
    ['not modified since, later', ims(httpDate(-50)), { 'Last-Modified': DATE }, true],
    ['modified since', ims(httpDate(-101)), { 'Last-Modified': DATE }, false],
    ['an RFC 850 date', ims('Wednesday, 31-Dec-25 23:58:20 GMT'), { 'Last-Modified': DATE }, true],
    ['an invalid date', ims('foo'), { 'Last-Modified': DATE }, false],
    ['Date in place of Last-Modified', ims(httpDate(-20)), { Date: httpDate(-20) }, true],
    ['Date, later', ims(httpDate(-21)), { Date: httpDate(-20) }, false],
    ['the time of arrival in place of Date', ims(httpDate(0)), {}, true],
    ['the time of arrival, later', ims(httpDate(-1)), {}, false],
    ['no condition', {}, { ETag: '"a"' }, false],
  ];
  for (const [name, asked, headers, expected] of rows) {
    it(`is answered: ${name} -> ${expected ? 304 : 200}.`, () => {
      expect(answersCallersCondition(asked, stored(60, headers))).to.equal(expected);
    });
  }

  for (const [status, expected] of [
    [199, false],
    [200, true],
    [299, true],
    [300, false],
    [404, false],
  ] as const) {
    it(`${expected ? 'counts' : 'does not count'} for a ${status}.`, () => {
      const entry = { ...stored(60, { ETag: '"a"' }), status };
      expect(answersCallersCondition(inm('"a"'), entry)).to.equal(expected);
    });
  }
});
