import { expect } from 'chai';
import fc from 'fast-check';
import { isStorable, type NotStorableReason, storableHeaders } from '../../lib/policy/storable.js';
import type { PolicySettings, RequestView } from '../../lib/policy/types.js';
import { asking, at, fields, plain, received, request, rfc } from './views.js';

type Headers = Record<string, string | string[]>;

interface Case {
  headers?: Headers;
  status?: number;
  asked?: RequestView;
  /** Seconds after the response came; undefined: never. */
  expiresIn?: number | undefined;
  settings: PolicySettings;
}

function reason({ headers = {}, status = 200, asked = request(), expiresIn = 60, settings }: Case) {
  const storability = isStorable(asked, received(headers, status), at(expiresIn), settings);
  return storability.storable ? 'stored' : storability.reason;
}

const FRESH = { 'Cache-Control': 'max-age=60' };
const ETAG = { ETag: '"a"' };
const codes = (...list: number[]) => new Set(list);

describe('A response is stored', () => {
  for (const [mode, settings] of Object.entries({ 'by the user': plain(), 'by RFC 9111': rfc() })) {
    const rows: [string, Omit<Case, 'settings'>, NotStorableReason | 'stored'][] = [
      ['a fresh 200', { headers: FRESH }, 'stored'],
      [
        'not when the request says no-store',
        { headers: FRESH, asked: asking('no-store') },
        'request-no-store',
      ],
      [
        'not for a part of it',
        { headers: FRESH, asked: request({ headers: { range: 'bytes=0-1' } }) },
        'range',
      ],
      ['not a 206', { headers: FRESH, status: 206 }, 'status'],
      ['not a 304', { headers: FRESH, status: 304 }, 'status'],
      ['not a 101', { headers: FRESH, status: 101 }, 'status'],
      ['not with Vary: *', { headers: { ...FRESH, Vary: '*' } }, 'vary-star'],
      ['with Vary', { headers: { ...FRESH, Vary: 'Accept' } }, 'stored'],
      ['not when it expires at once and has no validator', { expiresIn: 0 }, 'never-reusable'],
      ['when it expires at once and has an ETag', { expiresIn: 0, headers: ETAG }, 'stored'],
      [
        'when it expires at once and has Last-Modified',
        { expiresIn: 0, headers: { 'Last-Modified': 'x' } },
        'stored',
      ],
      ['when it is meant to be expired already', { expiresIn: -5 }, 'stored'],
      ['when it expires a millisecond later', { expiresIn: 0.001 }, 'stored'],
    ];
    for (const [name, given, expected] of rows) {
      it(`${mode}: ${name}.`, () => expect(reason({ ...given, settings })).to.equal(expected));
    }
    it(`${mode}: not as 206 or 304 even when those codes are allowed.`, () => {
      const allowing = { ...settings, allowableCodes: codes(206, 304) };
      expect(reason({ status: 206, headers: FRESH, settings: allowing })).to.equal('status');
      expect(reason({ status: 304, headers: FRESH, settings: allowing })).to.equal('status');
    });
    it(`${mode}: with the codes that the user allows, and no others.`, () => {
      const allowing = { ...settings, allowableCodes: codes(404) };
      expect(reason({ status: 404, settings: allowing })).to.equal('stored');
      expect(reason({ status: 200, headers: FRESH, settings: allowing })).to.equal('status');
    });
  }

  it('by the user: only with 200 when no codes are given.', () => {
    expect(reason({ status: 404, headers: FRESH, settings: plain() })).to.equal('status');
    expect(reason({ status: 201, headers: FRESH, settings: plain() })).to.equal('status');
  });

  it('by the user: whatever the response says.', () => {
    for (const value of ['no-store', 'private', 'no-cache', 'max-age=0', 'must-understand']) {
      expect(reason({ headers: { 'Cache-Control': value }, settings: plain() })).to.equal('stored');
    }
  });

  const cc = (value: string): Headers => ({ 'Cache-Control': value });
  const authorized = request({ headers: { authorization: 'x' } });
  const shared = rfc({ shared: true });
  const byRfc: [string, Case, NotStorableReason | 'stored'][] = [
    ['not with no-store', { headers: cc('no-store, max-age=60'), settings: rfc() }, 'no-store'],
    [
      'not with no-store, also where the user allows the code',
      { headers: cc('no-store'), settings: rfc({ allowableCodes: codes(200) }) },
      'no-store',
    ],
    [
      'with must-understand in place of no-store',
      { headers: cc('no-store, must-understand, max-age=60'), settings: rfc() },
      'stored',
    ],
    [
      'not with must-understand and an unknown code',
      { headers: cc('max-age=60, must-understand'), status: 599, settings: rfc() },
      'must-understand',
    ],
    ['with private in a private cache', { headers: cc('private, max-age=60'), settings: rfc() }, 'stored'],
    [
      'not with private in a shared cache',
      { headers: cc('private, max-age=60'), settings: shared },
      'private',
    ],
    [
      'with qualified private in a shared cache',
      { headers: cc('private="a", max-age=60'), settings: shared },
      'stored',
    ],
    [
      'with Authorization in a private cache',
      { headers: FRESH, asked: authorized, settings: rfc() },
      'stored',
    ],
    [
      'not with Authorization in a shared cache',
      { headers: FRESH, asked: authorized, settings: shared },
      'authorization',
    ],
    [
      'with Authorization and public',
      { headers: cc('max-age=60, public'), asked: authorized, settings: shared },
      'stored',
    ],
    [
      'with Authorization and must-revalidate',
      { headers: cc('max-age=60, must-revalidate'), asked: authorized, settings: shared },
      'stored',
    ],
    [
      'with Authorization and s-maxage',
      { headers: cc('s-maxage=60'), asked: authorized, settings: shared },
      'stored',
    ],
    ['a 500 with max-age', { headers: FRESH, status: 500, settings: rfc() }, 'stored'],
    ['an unknown code with max-age', { headers: FRESH, status: 599, settings: rfc() }, 'stored'],
    ['a 302 with Expires', { headers: { Expires: '0', ...ETAG }, status: 302, settings: rfc() }, 'stored'],
    ['a 500 with public', { headers: cc('public'), status: 500, settings: rfc() }, 'stored'],
    ['a 500 with private', { headers: cc('private'), status: 500, settings: rfc() }, 'stored'],
    [
      'not a 500 with s-maxage in a private cache',
      { headers: cc('s-maxage=60'), status: 500, settings: rfc() },
      'no-freshness',
    ],
    [
      'a 500 with s-maxage in a shared cache',
      { headers: cc('s-maxage=60'), status: 500, settings: shared },
      'stored',
    ],
    ['not a 500 that says nothing', { headers: ETAG, status: 500, settings: rfc() }, 'no-freshness'],
    ['not a 201 that says nothing', { headers: ETAG, status: 201, settings: rfc() }, 'no-freshness'],
    ['a 404 that says nothing', { headers: ETAG, status: 404, settings: rfc() }, 'stored'],
    ['no-cache with a validator', { headers: { ...cc('no-cache'), ...ETAG }, settings: rfc() }, 'stored'],
    [
      'not no-cache without one: it could never be used',
      { headers: cc('no-cache, max-age=60'), settings: rfc() },
      'never-reusable',
    ],
    [
      'qualified no-cache without one',
      { headers: cc('no-cache="a", max-age=60'), settings: rfc() },
      'stored',
    ],
    [
      'not max-age=0 that was slow on its way',
      { headers: cc('max-age=0'), expiresIn: -1, settings: rfc() },
      'never-reusable',
    ],
    ['max-age=0 that the user keeps longer', { headers: cc('max-age=0'), settings: rfc() }, 'stored'],
    [
      'what Age made stale: a max-stale may take it',
      { headers: cc('max-age=60'), expiresIn: -1, settings: rfc() },
      'stored',
    ],
  ];
  for (const [name, given, expected] of byRfc) {
    it(`by RFC 9111: ${name}.`, () => expect(reason(given)).to.equal(expected));
  }

  it('or not, but never with an exception.', () => {
    const headers = fc.dictionary(
      fc.constantFrom('Cache-Control', 'Expires', 'Vary', 'ETag', 'Connection'),
      fc.string(),
    );
    fc.assert(
      fc.property(headers, fc.integer({ min: 100, max: 999 }), fc.boolean(), (given, status, isShared) => {
        const settings = rfc({ shared: isShared });
        reason({ headers: given, status, settings });
        storableHeaders(fields(given), settings);
      }),
    );
  });
});

describe('What is stored of the headers', () => {
  const names = (headers: Headers, settings: PolicySettings) =>
    storableHeaders(fields(headers), settings).map(([name]) => name);

  it('is everything, exactly, by the user.', () => {
    const headers = fields({ Connection: 'a', a: '1', 'Transfer-Encoding': 'chunked' });
    expect(storableHeaders(headers, plain())).to.equal(headers);
  });

  it('is the very list where there is nothing to leave out.', () => {
    const headers = fields({ 'Cache-Control': 'max-age=60', 'Set-Cookie': ['a=b', 'c=d'] });
    expect(storableHeaders(headers, rfc())).to.equal(headers);
  });

  it('is without the fields of the connection (RFC 9111 3.1).', () => {
    const headers = {
      Connection: 'a, B',
      A: '1',
      b: '2',
      c: '3',
      'Keep-Alive': 'x',
      'Proxy-Authenticate': 'x',
      'Proxy-Authentication-Info': 'x',
      'Proxy-Authorization': 'x',
      'Proxy-Connection': 'x',
      TE: 'x',
      'Transfer-Encoding': 'x',
      Upgrade: 'x',
    };
    expect(names(headers, rfc())).to.deep.equal(['c']);
  });

  it('is with what the cache goes by, even where Connection names it.', () => {
    const headers = {
      Connection: 'cache-control, vary, date',
      'Cache-Control': 'no-store',
      Vary: 'a',
      Date: 'x',
    };
    expect(names(headers, rfc())).to.deep.equal(['Cache-Control', 'Vary', 'Date']);
  });

  it('is without what no-cache names, and in a shared cache what private names.', () => {
    const headers = { 'Cache-Control': 'no-cache="A", private="b"', a: '1', b: '2', c: '3' };
    expect(names(headers, rfc())).to.deep.equal(['Cache-Control', 'b', 'c']);
    expect(names(headers, rfc({ shared: true }))).to.deep.equal(['Cache-Control', 'c']);
  });
});
