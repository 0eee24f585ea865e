import { expect } from 'chai';
import fc from 'fast-check';
import {
  MAX_DELTA,
  parseCacheControl,
  requestDirectives,
  responseDirectives,
} from '../../lib/policy/cache-control.js';
import { fields } from './views.js';

function response(cacheControl: string | string[]) {
  return responseDirectives(fields({ 'Cache-Control': cacheControl }));
}

describe('Cache-Control', () => {
  const rows: [string, [string, string | true][]][] = [
    ['', []],
    [' , ,', []],
    ['no-store', [['no-store', true]]],
    [
      'MaX-aGe=60, PUBLIC',
      [
        ['max-age', '60'],
        ['public', true],
      ],
    ],
    ['max-age="60"', [['max-age', '60']]],
    ["max-age='60'", [['max-age', "'60'"]]],
    [
      'foo="max-age=1, no-store", max-age=2',
      [
        ['foo', 'max-age=1, no-store'],
        ['max-age', '2'],
      ],
    ],
    [
      'foo="a\\"b, c\\\\", bar',
      [
        ['foo', 'a"b, c\\'],
        ['bar', true],
      ],
    ],
    ['max-age=1, max-age=2', [['max-age', '1']]],
    ['max-age =60', [['max-age', '60']]],
    ['max-age= 60', [['max-age', ' 60']]],
    ['max-age=', [['max-age', '']]],
    ['foo=""', [['foo', '']]],
    ['foo="', [['foo', '"']]],
    ['=5', []],
    ['no-cache="a", no-cache="b"', [['no-cache', 'a,b']]],
    ['no-cache="a", no-cache', [['no-cache', true]]],
    ['private, private="a"', [['private', true]]],
    ['foo="unterminated, max-age=60', [['foo', '"unterminated, max-age=60']]],
    ['__proto__=1', [['__proto__', '1']]],
  ];
  for (const [text, entries] of rows) {
    it(`is parsed: ${JSON.stringify(text)}.`, () =>
      expect([...parseCacheControl(text)]).to.deep.equal(entries));
  }

  it('that is absent has no directives.', () => expect(parseCacheControl(undefined).size).to.equal(0));

  it('of any shape is parsed without throwing.', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'max-age',
        'no-cache',
        'private',
        '=',
        '"',
        '\\',
        ',',
        ' ',
        '60',
        's-maxage=1',
        '\t',
        ';',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        requestDirectives({ 'cache-control': text, pragma: text });
        for (const shared of [false, true]) {
          const parsed = responseDirectives(
            fields({ 'cache-control': text, 'cdn-cache-control': text }),
            shared,
          );
          expect(parsed.maxAge ?? 0).to.be.within(0, MAX_DELTA);
        }
      }),
    );
  });
});

describe('Response directives', () => {
  const ages: [string, number | undefined][] = [
    ['max-age=60', 60],
    ['max-age="60"', 60],
    ['max-age=0060', 60],
    ['max-age=0', 0],
    ['max-age=2147483648', MAX_DELTA],
    ['max-age=2147483647', 2147483647],
    ['max-age=99999999999999999999999', MAX_DELTA],
    // RFC 9111 4.2.1: invalid is stale, and of duplicates the first counts
    ['max-age', 0],
    ['max-age=', 0],
    ['max-age=-60', 0],
    ['max-age=60.0', 0],
    ['max-age=a60', 0],
    ['max-age=60a', 0],
    ['max-age= 60', 0],
    ["max-age='60'", 0],
    ['max-age=1800, max-age=1', 1800],
    ['max-age=1, max-age=1800', 1],
    ['foo="max-age=3600", max-age=1', 1],
    ['public', undefined],
  ];
  for (const [text, maxAge] of ages) {
    it(`read max-age ${maxAge} from ${text}.`, () => expect(response(text).maxAge).to.equal(maxAge));
  }

  it('are found over several lines.', () => {
    expect(response(['s-maxage=1', 'max-age=2'])).to.include({ sMaxage: 1, maxAge: 2 });
  });

  it('know each flag.', () => {
    const none = response('foo');
    expect(none).to.deep.equal({
      noStore: false,
      noCache: false,
      private: false,
      public: false,
      mustRevalidate: false,
      proxyRevalidate: false,
      mustUnderstand: false,
      immutable: false,
      maxAge: undefined,
      sMaxage: undefined,
      staleWhileRevalidate: undefined,
      staleIfError: undefined,
      targeted: false,
    });
    const all = response(
      'no-store, no-cache, private, public, must-revalidate, proxy-revalidate, must-understand, immutable, ' +
        'max-age=1, s-maxage=2, stale-while-revalidate=3, stale-if-error=4',
    );
    expect(all).to.deep.equal({
      noStore: true,
      noCache: true,
      private: true,
      public: true,
      mustRevalidate: true,
      proxyRevalidate: true,
      mustUnderstand: true,
      immutable: true,
      maxAge: 1,
      sMaxage: 2,
      staleWhileRevalidate: 3,
      staleIfError: 4,
      targeted: false,
    });
  });

  const named: [string, boolean | string[]][] = [
    ['no-cache="Set-Cookie"', ['set-cookie']],
    ['no-cache="a , B"', ['a', 'b']],
    ['no-cache=a', ['a']],
    ['no-cache="a", no-cache="b"', ['a', 'b']],
    ['no-cache=""', true],
    ['no-cache="a,"', true],
    ['no-cache="a b"', true],
    ['no-cache="a", no-cache', true],
  ];
  for (const [text, noCache] of named) {
    it(`read ${JSON.stringify(noCache)} from ${text}.`, () =>
      expect(response(text).noCache).to.deep.equal(noCache));
  }

  it('ignore malformed extensions of staleness.', () => {
    expect(response('stale-if-error=x, stale-while-revalidate').staleIfError).to.equal(undefined);
    expect(response('stale-if-error=x, stale-while-revalidate').staleWhileRevalidate).to.equal(undefined);
  });

  it('are parsed once for a header list.', () => {
    const headers = fields({ 'cache-control': 'max-age=1' });
    expect(responseDirectives(headers)).to.equal(responseDirectives(headers));
    expect(responseDirectives(headers, true)).to.equal(responseDirectives(headers, true));
  });

  describe('of CDN-Cache-Control (RFC 9213)', () => {
    const targeted = (value: string, shared = true) =>
      responseDirectives(fields({ 'Cache-Control': 'max-age=1', 'CDN-Cache-Control': value }), shared);

    it('stand in for Cache-Control in a shared cache.', () => {
      expect(targeted('max-age=60, no-cache')).to.include({ maxAge: 60, noCache: true, targeted: true });
    });
    it('do not count in a private cache.', () => {
      expect(targeted('max-age=60', false)).to.include({ maxAge: 1, targeted: false });
    });
    it('do not count where nobody says which kind of cache.', () => {
      expect(responseDirectives(fields({ 'CDN-Cache-Control': 'no-store' })).noStore).to.equal(false);
    });
    it('do not inherit what Cache-Control says.', () => {
      expect(targeted('must-revalidate')).to.include({ maxAge: undefined, mustRevalidate: true });
    });
    for (const value of [
      '',
      'max-age=60,',
      'max-age = 60',
      'Max-Age=60',
      'max-age=60 60',
      '"x"',
      'max-age="60',
      // a length is an Integer (RFC 9213 2.1)
      'max-age="60"',
      'max-age',
      'max-age=60.0',
      's-maxage=a, max-age=60',
      'max-age=60, &&&&&',
    ]) {
      it(`are ignored when they are no dictionary: ${JSON.stringify(value)}.`, () => {
        expect(targeted(value)).to.include({ maxAge: 1, targeted: false });
      });
    }
    it('take what is no directive’s type in the stricter way.', () => {
      expect(targeted('no-cache=("a" "b")').noCache).to.equal(true);
      expect(targeted('no-cache=1.5').noCache).to.equal(true);
      expect(targeted('no-cache="a, b"').noCache).to.deep.equal(['a', 'b']);
      expect(targeted('no-cache=a').noCache).to.deep.equal(['a']);
      expect(targeted('max-age=-1').maxAge).to.equal(0);
    });
    it('take the last of duplicates, false for absent, and pass parameters over.', () => {
      expect(targeted('max-age=1, max-age=60').maxAge).to.equal(60);
      expect(targeted('no-store, no-store=?0, max-age=60').noStore).to.equal(false);
      expect(targeted('max-age=60;foo=bar, no-store=?1')).to.include({ maxAge: 60, noStore: true });
    });
  });
});

describe('Request directives', () => {
  const none = requestDirectives({});

  it('are one shared object when there are none.', () => {
    expect(requestDirectives({ accept: 'x' })).to.equal(none);
    expect(requestDirectives({ 'cache-control': '' })).to.equal(none);
    expect(Object.values(none)).to.deep.equal([
      false,
      false,
      false,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('are each found.', () => {
    const text = 'no-store, NO-CACHE, only-if-cached, max-age=1, min-fresh=2, max-stale=3, stale-if-error=4';
    expect(requestDirectives({ 'cache-control': text })).to.deep.equal({
      noStore: true,
      noCache: true,
      onlyIfCached: true,
      maxAge: 1,
      minFresh: 2,
      maxStale: 3,
      staleIfError: 4,
    });
  });

  it('take max-stale without a value for any staleness, and a malformed one for none.', () => {
    expect(requestDirectives({ 'cache-control': 'max-stale' }).maxStale).to.equal(true);
    expect(requestDirectives({ 'cache-control': 'max-stale=x' }).maxStale).to.equal(undefined);
  });

  it('take a malformed max-age for 0 and a malformed min-fresh for none.', () => {
    const parsed = requestDirectives({ 'cache-control': 'max-age=x, min-fresh=x' });
    expect(parsed).to.include({ maxAge: 0, minFresh: undefined });
  });

  it('take Pragma: no-cache into account only without Cache-Control (RFC 9111 5.4).', () => {
    expect(requestDirectives({ pragma: 'No-Cache' }).noCache).to.equal(true);
    expect(requestDirectives({ pragma: 'foo' })).to.equal(none);
    expect(requestDirectives({ pragma: 'no-cache', 'cache-control': 'max-age=60' }).noCache).to.equal(false);
  });
});
