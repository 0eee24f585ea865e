import { expect } from 'chai';
import fc from 'fast-check';
import {
  answersCallersCondition,
  callerConditionIsForOrigin,
  callerIsConditional,
  conditionalHeaders,
  freshenHeaders,
} from '../../lib/policy/revalidation.js';
import { hasValidator } from '../../lib/policy/validators.js';
import { fields, httpDate, plain, rfc, stored } from './views.js';

const DATE = httpDate(-100);

describe('The conditional headers', () => {
  const rows: [string, Record<string, string>, string[] | undefined, object | undefined][] = [
    ['none without a validator', {}, undefined, undefined],
    ['the ETag', { ETag: '"a"' }, undefined, { 'If-None-Match': '"a"' }],
    ['a weak ETag as it is', { etag: 'W/"a"' }, undefined, { 'If-None-Match': 'W/"a"' }],
    ['an unquoted ETag as it is', { ETag: 'a' }, undefined, { 'If-None-Match': 'a' }],
    ['Last-Modified', { 'Last-Modified': DATE }, undefined, { 'If-Modified-Since': DATE }],
    [
      'both',
      { ETag: '"a"', 'Last-Modified': DATE },
      [],
      { 'If-None-Match': '"a"', 'If-Modified-Since': DATE },
    ],
    [
      'those of other variants, each once',
      { ETag: '"a"' },
      ['"b"', '"a"', '"c"'],
      { 'If-None-Match': '"a", "b", "c"' },
    ],
    ['those of other variants alone', {}, ['"b"'], { 'If-None-Match': '"b"' }],
    ['not an empty ETag', { ETag: ' ' }, undefined, undefined],
    ['not what no request can carry', { ETag: '"\u2603"', 'Last-Modified': 'a\nb' }, undefined, undefined],
    ['obs-text', { ETag: '"\u00fc"' }, undefined, { 'If-None-Match': '"\u00fc"' }],
  ];
  for (const [name, headers, others, expected] of rows) {
    it(`are ${name}.`, () => {
      expect(conditionalHeaders({ headers: fields(headers) }, others)).to.deep.equal(expected);
      if (others === undefined) expect(hasValidator(fields(headers))).to.equal(expected !== undefined);
    });
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
