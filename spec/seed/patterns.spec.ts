/** Rows A39-A41 and the table of URL patterns (B.1): real responses of many hosts, dated by what matches their URL. */
import { expect } from 'chai';
import { type CacheOptions, DO_NOT_CACHE, type ExpireAfter, type UrlPatterns } from '../../lib/index.js';
import { type Rig, rig } from '../support/harness.js';
import { answer, reaching, secondsLeft } from './support.js';

const DEFAULT = 10_000;

describe('The seed: URL patterns', () => {
  let bench: Rig;
  before(async () => {
    bench = await rig({}, {}, answer('body'));
  });
  after(() => bench.close());

  /** For how long a response of this URL is fresh, in a cache of its own. */
  async function left(url: string, urlsExpireAfter: UrlPatterns, options: CacheOptions = {}) {
    const { http } = bench.another(
      { expireAfter: DEFAULT, ...options, urlsExpireAfter } as CacheOptions,
      reaching(bench.origin),
    );
    return secondsLeft(await http.get(url), bench.clock.now());
  }

  const urlsExpireAfter = {
    '*.site_1.com': 30,
    'site_2.com/resource_1': 60 * 2,
    'site_2.com/resource_2': 60 * 60 * 24,
    'site_2.com/static': -1,
  };
  const seed: [url: string, left: number | 'never'][] = [
    ['https://img.site_1.com/a', 30],
    ['http://img.site_1.com/', 30],
    ['https://a.b.site_1.com/x?y=1', 30],
    ['https://site_1.com/a', DEFAULT],
    ['https://site_2.com/resource_1', 120],
    ['https://site_2.com/resource_1/x?y=1', 120],
    ['https://site_2.com/resource_1?y=1', 120],
    // 120 in the seed, where a pattern is a mere prefix
    ['https://site_2.com/resource_10', DEFAULT],
    ['https://site_2.com/resource_2', 86_400],
    ['https://site_2.com/resource_2/page/1', 86_400],
    ['https://site_2.com/static/logo.png', 'never'],
    ['https://site_2.com/', DEFAULT],
    ['https://site_2.com/statics', DEFAULT],
    ['https://site_3.com/static', DEFAULT],
  ];
  for (const [url, expected] of seed) {
    it(`A39 the seed's patterns: ${url} expires after ${expected}.`, async () => {
      expect(await left(url, urlsExpireAfter)).to.equal(expected);
    });
  }

  it('A39 a pattern takes every kind of expiry, and patterns may be pairs.', async () => {
    const moment = new Date(bench.clock.now() + 5000);
    const pairs: [string | RegExp, ExpireAfter][] = [
      ['a.com', { minutes: 1 }],
      ['b.com', moment],
      [/\/api\/\d+$/, 0.5],
    ];
    expect(await left('https://a.com/', pairs)).to.equal(60);
    expect(await left('https://b.com/', pairs)).to.equal(5);
    expect(await left('https://c.com/api/12', pairs)).to.equal(0.5);
  });

  // Upstream's own parametrised test, its URLs with a scheme since axios has no others.
  const upstream: UrlPatterns = [
    ['*.site_1.com', 60],
    ['site_2.com/resource_1', 120],
    ['site_2.com/resource_2', 3600],
    [/site_2\.com\/api\/resource\/\d+/, 86_400],
    ['site_2.com/static', -1],
  ];
  for (const [url, expected] of [
    ['http://img.site_1.com/base.img', 60],
    ['https://img.site_1.com/base/img', 60],
    ['http://site_2.com/resource_1', 120],
    ['http://site_2.com/resource_1/', 120],
    ['http://site_2.com/resource_2/page/1', 3600],
    ['https://site_2.com/api/resource/123', 86_400],
    ['https://site_2.com/api/resource/abc', DEFAULT],
    ['http://site_2.com/static/style.css', 'never'],
    ['http://unknown_site.com', DEFAULT],
  ] as const) {
    it(`A39 upstream's patterns: ${url} expires after ${expected}.`, async () => {
      expect(await left(url, upstream)).to.equal(expected);
    });
  }

  for (const pattern of [
    'site.com/resource/',
    'http*://site.com/resource/**',
    'http://site.com/resource/',
    'https://site.com/resource/**',
    'site.com/resource/**',
  ]) {
    it(`A40 base URLs: ${pattern} is site.com/resource/ and all below it, of either scheme.`, async () => {
      const found: Record<string, number | 'never'> = {};
      for (const path of [
        '/resource/',
        '/resource/a',
        '/resource/a/b?c=d',
        '/resource',
        '/resources/a',
        '/',
      ]) {
        found[path] = await left(`http://site.com${path}`, { [pattern]: 5 });
        expect(await left(`https://site.com${path}`, { [pattern]: 5 }), path).to.equal(found[path]);
      }
      expect(found).to.deep.equal({
        '/resource/': 5,
        '/resource/a': 5,
        '/resource/a/b?c=d': 5,
        '/resource': DEFAULT,
        '/resources/a': DEFAULT,
        '/': DEFAULT,
      });
    });
  }

  const orders: [patterns: UrlPatterns, url: string, expected: number][] = [
    [{ 'h.com': 5, 'h.com/a': 50 }, 'https://h.com/a', 5],
    [{ 'h.com/a': 50, 'h.com': 5 }, 'https://h.com/a', 50],
    [{ 'h.com/a': 50, 'h.com': 5 }, 'https://h.com/b', 5],
    [{ 'h.com/a': null, 'h.com': 5 }, 'https://h.com/a', DEFAULT],
    [{ '*.h.com/resource': 1, '*.h.com': 2, '*': 3 }, 'https://x.h.com/resource/1', 1],
    [{ '*.h.com/resource': 1, '*.h.com': 2, '*': 3 }, 'https://x.h.com/other', 2],
    [{ '*.h.com/resource': 1, '*.h.com': 2, '*': 3 }, 'https://other.com/', 3],
  ];
  for (const [patterns, url, expected] of orders) {
    it(`A41 the first match decides: ${JSON.stringify(patterns)} gives ${url} ${expected}.`, async () => {
      expect(await left(url, patterns)).to.equal(expected);
    });
  }

  it('A41 allow-list: with DO_NOT_CACHE for the rest, only what a pattern names is cached.', async () => {
    const { http } = bench.another(
      { urlsExpireAfter: { 'site.com/api': 60, '*': DO_NOT_CACHE } },
      reaching(bench.origin),
    );
    for (const [url, isCached] of [
      ['https://site.com/api/1', true],
      ['https://site.com/other', false],
    ] as const) {
      await http.get(url);
      expect((await http.get(url)).fromCache, url).to.equal(isCached);
    }
  });

  /** B.1 as the contract decides it (sections 3 and 10); the note says where the original does otherwise. */
  const table: [pattern: string | RegExp, url: string, matches: boolean, note?: 'unlike upstream'][] = [
    ['site.com', 'https://site.com/', true],
    ['site.com', 'https://site.com:8080/a', true],
    ['site.com', 'https://www.site.com/', false],
    ['site.com', 'https://site.com.evil.org/x', false, 'unlike upstream'],
    ['*.site.com', 'https://site.com/', false],
    ['*.site.com', 'https://a.b.site.com/x?y=1', true],
    ['*.site.com', 'https://evil.org/a.site.com', false, 'unlike upstream'],
    ['*.site.com', 'https://evil.org/?u=a.site.com', false, 'unlike upstream'],
    ['*site.com', 'https://notsite.com/', true],
    ['site.com/resource/', 'https://site.com/resource', false],
    ['site.com/resource/', 'https://site.com/resource/', true],
    ['site.com/resource/', 'https://site.com/resource/a/b?c=d', true],
    ['site.com/resource', 'https://site.com/resource', true],
    ['site.com/resource', 'https://site.com/resource/x', true],
    ['site.com/resource', 'https://site.com/resource?x=1', true],
    ['site.com/resource', 'https://site.com/resources/1', false, 'unlike upstream'],
    ['site.com/resource', 'https://site.com/resource_2', false, 'unlike upstream'],
    ['site.com/resource_1', 'https://site.com/resource_10', false, 'unlike upstream'],
    ['site.com/*/1', 'https://site.com/stream/1', true],
    ['site.com/*/1', 'https://site.com/stream/2', false],
    ['site.com/*/1', 'https://site.com/a/b/c/1', false, 'unlike upstream'],
    ['site.com/*/1', 'https://site.com/a/15', false, 'unlike upstream'],
    ['site.com/*/1', 'https://site.com/a?x=/1', false, 'unlike upstream'],
    ['site.com/**/1', 'https://site.com/a/b/c/1', true],
    ['site.com/**/x', 'https://site.com/x', true, 'unlike upstream'],
    ['https://site.com/a', 'http://site.com/a', true],
    ['http*://site.com/**', 'https://site.com/a', true],
    ['SITE.com', 'https://site.com/a', true, 'unlike upstream'],
    ['site.com', 'https://SITE.com/a', true],
    ['site.com/A', 'https://site.com/a', false],
    ['site.com/?', 'https://site.com/a', true],
    ['site.com/?', 'https://site.com/', false],
    ['site.com/a?x=1', 'https://site.com/a?x=1', true],
    ['site.com/a?x=1', 'https://site.com/aZx=1', false, 'unlike upstream'],
    ['site.com/[ab]', 'https://site.com/b/c', true],
    ['site.com/[!a]', 'https://site.com/b', true],
    ['site.com/[!a]', 'https://site.com/a', false],
    ['site.com/{a,b}', 'https://site.com/a', true, 'unlike upstream'],
    ['site.com/a.json', 'https://site.com/aXjson', false],
    ['*', 'https://anything.org/x?y', true],
    ['**', 'https://anything.org/x?y', true],
    ['site.com', 'https://user:pw@site.com/', true, 'unlike upstream'],
    ['a.com/x', 'https://b.com/?next=http://a.com/x', false, 'unlike upstream'],
    ['site.com/a', 'https://site.com/%61', true, 'unlike upstream'],
    ['site.com/.well-known', 'https://site.com/.well-known/x', true],
    ['site.com', 'https://site.com/.hidden', true],
    ['127.0.0.1:80*', 'http://127.0.0.1:8080/', true],
    [/\/users\/\d+$/, 'https://s.com/users/12', true],
    [/\/users\/\d+$/, 'https://s.com/users/12?x=1', false],
    [/^https:/, 'https://s.com/', true],
    [/^https:/, 'http://s.com/', false],
  ];
  for (const [pattern, url, matches, note] of table) {
    const verdict = `${matches ? 'matches' : 'does not match'}${note === undefined ? '' : `, ${note}`}`;
    it(`A40 ${pattern} against ${url}: ${verdict}.`, async () => {
      expect(await left(url, [[pattern, 20]])).to.equal(matches ? 20 : DEFAULT);
    });
  }

  it('A40 an empty pattern is refused: what it would mean, a star says.', () => {
    expect(() => bench.another({ urlsExpireAfter: { '': 20 } }))
      .to.throw(/urlsExpireAfter/)
      .with.property('code', 'ERR_CACHE_OPTION');
  });

  it('A39 baseURL and params are part of the URL that a pattern sees.', async () => {
    const { http } = bench.another(
      { urlsExpireAfter: { 'site.com/v1/users?page=2': 20 }, expireAfter: DEFAULT },
      { ...reaching(bench.origin), baseURL: 'https://site.com/v1' },
    );
    const now = bench.clock.now();
    expect(secondsLeft(await http.get('/users', { params: { page: 2 } }), now)).to.equal(20);
    expect(secondsLeft(await http.get('/users', { params: { page: 3 } }), now)).to.equal(DEFAULT);
  });
});
