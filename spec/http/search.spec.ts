import { expect } from 'chai';
import { RemoteStore, Resource, using } from '../adapter/support.js';
import type { Handler } from '../support/origin.js';

const options = { cacheControl: true };

/** Says what was asked for, and that some of it does not count. */
const saying =
  (noVarySearch: string, headers: Record<string, string> = {}): Handler =>
  (req, res) => {
    res.writeHead(200, { 'cache-control': 'max-age=10', 'no-vary-search': noVarySearch, ...headers });
    res.end(req.url);
  };

describe('No-Vary-Search with cacheControl', () => {
  it(
    'lets one response answer all URLs of a path that differ in what does not count',
    using(options, async ({ http, origin, adapter }) => {
      origin.on('/r', saying('params=("utm" "ref")'));
      const first = await http.get('/r?id=1&utm=a');
      for (const path of ['/r?id=1&utm=b', '/r?utm=c&id=1&ref', '/r?id=1']) {
        const hit = await http.get(path);
        expect(hit, path).to.include({ fromCache: true, data: '/r?id=1&utm=a', cacheKey: first.cacheKey });
        expect(hit.redirects).to.deep.equal([]);
      }
      for (const path of ['/r?id=2&utm=a', '/r', '/r?id=1&id=2', '/r?id=1&UTM=a'])
        expect((await http.get(path)).fromCache, path).to.equal(false);
      expect(origin.count).to.equal(5);
      expect(await adapter.cache.count()).to.equal(5);
    }),
  );

  it(
    'with params and except counts nothing but what is named',
    using(options, async ({ http, origin }) => {
      origin.on('/r', saying('params, except=("id")'));
      await http.get('/r?id=1&x=1');
      expect((await http.get('/r?y=2&id=1')).fromCache).to.equal(true);
      expect((await http.get('/r?y=2')).fromCache).to.equal(false);
    }),
  );

  it(
    'keeps credentials, methods and variants apart as ever',
    using(options, async ({ http, origin }) => {
      origin.on('/r', saying('params=("utm")', { vary: 'accept' }));
      await http.get('/r?utm=1', { headers: { accept: 'a' } });
      const ask = async (headers: Record<string, string>) =>
        (await http.get('/r?utm=2', { headers })).fromCache;
      expect(await ask({ accept: 'b' })).to.equal(false);
      expect(await ask({ accept: 'a', authorization: 'x' })).to.equal(false);
      expect(await ask({ accept: 'a', cookie: 'x' })).to.equal(false);
      expect((await http.get('/r?utm=3', { headers: { accept: 'a' } })).fromCache).to.equal(true);
      expect((await http.get('/r?utm=3', { headers: { accept: 'b' } })).fromCache).to.equal(true);
    }),
  );

  it(
    'keeps what has a secret name apart, whatever the origin says',
    using({ ...options, redact: ['token'] }, async ({ http, origin }) => {
      origin.on('/r', saying('params'));
      await http.get('/r?token=a&x=1');
      expect((await http.get('/r?token=b&x=1')).fromCache).to.equal(false);
      expect((await http.get('/r?x=2')).fromCache).to.equal(false);
      expect(await http.get('/r?x=3&token=a')).to.include({ fromCache: true, data: '/r?token=a&x=1' });
    }),
  );

  it(
    'revalidates the one response, whichever URL is asked for',
    using(options, async ({ http, origin, clock }) => {
      const headers = { 'cache-control': 'max-age=10', 'no-vary-search': 'params=("utm")' };
      origin.on('/r', Object.assign(new Resource(), { headers }).handler);
      await http.get('/r?utm=1');
      clock.tick(11);
      expect(await http.get('/r?utm=2')).to.include({ revalidated: true, data: 'v1' });
      expect(await http.get('/r?utm=3')).to.include({ fromCache: true, revalidated: false });
      expect(await http.get('/r?utm=1')).to.include({ fromCache: true, revalidated: false });
      expect(origin.count).to.equal(2);
    }),
  );

  it(
    'goes by the newest rule of the path, and by none where the newest response can’t be read so',
    using(options, async ({ http, origin }) => {
      origin.on('/r', saying('params=("a")'));
      await http.get('/r?a=1&b=1');
      origin.on('/r', saying('params=("b")'));
      expect((await http.get('/r?a=1&b=2')).fromCache).to.equal(false);
      expect((await http.get('/r?a=1&b=3')).fromCache).to.equal(true);
      expect((await http.get('/r?a=2&b=1')).fromCache).to.equal(false);
      origin.on('/other', saying('params=(a)'));
      await http.get('/other?a=1');
      expect((await http.get('/other?a=2')).fromCache).to.equal(false);
    }),
  );

  it(
    'deletes what stands for a URL when an unsafe request changes that',
    using(options, async ({ http, origin }) => {
      origin.on('/r', saying('params=("utm")'));
      await http.get('/r?id=1&utm=1');
      await http.post('/r?id=1&utm=2');
      expect((await http.get('/r?id=1&utm=1')).fromCache).to.equal(false);
    }),
  );

  it(
    'survives maintenance: what was re-keyed is found again, under its own URL',
    using(options, async ({ http, origin, adapter }) => {
      origin.on('/r', saying('params=("utm")'));
      await http.get('/r?utm=1');
      adapter.settings.ignoredParameters = ['other'];
      expect(await adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 1, left: 0 });
      expect((await http.get('/r?utm=1')).fromCache).to.equal(true);
      expect(await adapter.cache.count()).to.equal(1);
      expect(await adapter.cache.delete({ urls: [`${origin.url}/r?utm=1`] })).to.equal(1);
      expect((await http.get('/r?utm=1')).fromCache).to.equal(false);
    }),
  );

  it(
    'is nothing without cacheControl, nor beside a keyFn',
    using({ expireAfter: 10 }, async ({ another, http, origin }) => {
      origin.on('/r', saying('params=("utm")'));
      await http.get('/r?utm=1');
      expect((await http.get('/r?utm=2')).fromCache).to.equal(false);
      const { http: own } = another({ ...options, keyFn: ({ url }) => url });
      await own.get('/r?utm=1');
      expect((await own.get('/r?utm=2')).fromCache).to.equal(false);
    }),
  );

  it('costs other paths no read', async () => {
    const backend = new RemoteStore();
    await using({ ...options, backend, hotBytes: 0 }, async ({ http, origin, adapter }) => {
      origin.on('/r', saying('params=("utm")'));
      await http.get('/r?utm=1');
      await adapter.cache.flush();
      backend.calls.length = 0;
      await http.get('/other?utm=1');
      await http.get('/r?utm=1');
      expect(backend.calls.filter((call) => call === 'get')).to.have.length(2);
    })();
  });
});
