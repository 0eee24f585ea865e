import { expect } from 'chai';
import { CacheError, CacheOptionError } from '../../lib/index.js';
import { inMemory, onEachStore, redirect, rejection, varying } from './support.js';

onEachStore('get and has', (start) => {
  it('find a response by its key, by its URL and by the config that brought it', async () => {
    const { http, adapter, origin } = await start();
    const { cacheKey = '' } = await http.get('/a', { params: { x: 1 } });
    const lookups = [
      cacheKey,
      { url: `${origin.url}/a?x=1` },
      { url: '/a', baseURL: origin.url, params: { x: 1 } },
      { url: `${origin.url}/a?x=1#part`, method: 'GET' },
      { url: `${origin.url}/a?x=1`, responseType: 'stream', timeout: 5 },
    ] as const;
    for (const lookup of lookups) {
      const found = await adapter.cache.get(lookup);
      expect(found?.key).to.equal(cacheKey);
      expect(found?.json()).to.include({ url: '/a?x=1' });
      expect(await adapter.cache.has(lookup)).to.equal(true);
    }
  });

  it('find nothing for another method, query, credential or a key that is not there', async () => {
    const { http, adapter, origin } = await start();
    await http.get('/a');
    const url = `${origin.url}/a`;
    const lookups = [
      'no such key',
      '',
      { url: `${url}?x=1` },
      { url, method: 'head' },
      { url, headers: { Authorization: 'Bearer x' } },
      { url, auth: { username: 'me', password: 'x' } },
      { url: url.replace('//', '//me:x@') },
      { url, headers: { Cookie: 'a=b' } },
    ];
    for (const lookup of lookups) {
      expect(await adapter.cache.get(lookup), JSON.stringify(lookup)).to.equal(undefined);
      expect(await adapter.cache.has(lookup)).to.equal(false);
    }
  });

  it('find expired responses too', async () => {
    const { http, adapter, origin, clock } = await start();
    await http.get('/a', { expireAfter: 10 });
    clock.tick(11);
    const found = await adapter.cache.get({ url: `${origin.url}/a` });
    expect(found?.isExpired).to.equal(true);
    expect(await adapter.cache.has({ url: `${origin.url}/a` })).to.equal(true);
  });

  it('see what a request has just stored, and ask the network nothing', async () => {
    const { http, adapter, origin } = await start();
    await Promise.all([1, 2, 3].map((n) => http.get(`/${n}`)));
    const found = await Promise.all([1, 2, 3].map((n) => adapter.cache.has({ url: `${origin.url}/${n}` })));
    expect(found).to.deep.equal([true, true, true]);
    expect(origin.count).to.equal(3);
    expect(adapter.cache.stats()).to.include({ hits: 0, misses: 3 });
  });

  it('follow redirects from the first URL and from each hop', async () => {
    const { http, adapter, origin } = await start();
    origin.on('/first', redirect('/second')).on('/second', redirect('/target', 301));
    await http.get('/first');
    for (const [path, redirects] of [
      ['/first', ['/first', '/second']],
      ['/second', ['/second']],
      ['/target', []],
    ] as const) {
      const found = await adapter.cache.get({ url: origin.url + path });
      expect(found?.url, path).to.equal(`${origin.url}/target`);
      // The chain from the URL that was asked for, as on a response.
      expect(found?.redirects).to.deep.equal(redirects.map((one) => origin.url + one));
      expect(await adapter.cache.has({ url: origin.url + path })).to.equal(true);
    }
  });

  it('choose the variant that the config would get, and by the key of the URL the newest', async () => {
    const { http, adapter, origin, clock } = await start();
    origin.on('/v', varying('Accept-Language'));
    const url = `${origin.url}/v`;
    const keys: Record<string, string | undefined> = {};
    for (const language of ['de', 'fr', 'en']) {
      keys[language] = (await http.get('/v', { headers: { 'Accept-Language': language } })).cacheKey;
      clock.tick(1);
    }
    for (const language of ['de', 'fr', 'en']) {
      const found = await adapter.cache.get({ url, headers: { 'accept-language': language } });
      expect(found?.text()).to.equal(`Accept-Language=${language}`);
      expect(found?.key).to.equal(keys[language]);
      expect((await adapter.cache.get(keys[language] ?? ''))?.text()).to.equal(`Accept-Language=${language}`);
    }
    expect(await adapter.cache.has({ url })).to.equal(false);
    expect(await adapter.cache.has({ url, headers: { 'Accept-Language': 'it' } })).to.equal(false);
    const newest = await adapter.cache.get(adapter.cache.createKey({ url }));
    expect(newest?.text()).to.equal('Accept-Language=en');
  });

  it('tell the users of one URL apart', async () => {
    const { http, adapter, origin } = await start({}, {}, (req, res) => {
      res.end(req.headers.authorization);
    });
    const url = `${origin.url}/me`;
    await http.get('/me', { auth: { username: 'ann', password: 'a' } });
    await http.get('/me', { headers: { Authorization: 'Bearer bob' } });
    const basic = `Basic ${Buffer.from('ann:a').toString('base64')}`;
    for (const config of [
      { url, auth: { username: 'ann', password: 'a' } },
      { url, headers: { authorization: basic } },
      { url: url.replace('//', '//ann:a@') },
    ]) {
      expect((await adapter.cache.get(config))?.text()).to.equal(basic);
    }
    const bob = await adapter.cache.get({ url, headers: { authorization: 'Bearer bob' } });
    expect(bob?.text()).to.equal('Bearer bob');
    expect(await adapter.cache.has({ url })).to.equal(false);
  });
});

describe('get and has', () => {
  const start = inMemory();

  it('refuse what is neither a key nor a config', async () => {
    const { adapter } = await start();
    for (const lookup of [undefined, null, 5, true]) {
      const error = await rejection(adapter.cache.get(lookup as unknown as string));
      expect(error, String(lookup)).to.be.instanceOf(CacheOptionError);
      expect(await rejection(adapter.cache.has(lookup as unknown as string))).to.be.instanceOf(
        CacheOptionError,
      );
    }
  });

  it('find nothing for a request that can have no key', async () => {
    const { adapter, origin } = await start();
    for (const config of [
      { url: 'data:text/plain,a' },
      { url: 'ftp://example.org/a' },
      { url: '/relative' },
      {},
      { url: origin.url, headers: { 'X-HTTP-Method-Override': 'DELETE' } },
    ]) {
      expect(await adapter.cache.get(config), JSON.stringify(config)).to.equal(undefined);
      expect(await adapter.cache.has(config)).to.equal(false);
    }
  });

  it("reject with the key function's failure when it has none for the config", async () => {
    const { adapter, origin } = await start({
      keyFn: () => {
        throw new Error('no key today');
      },
    });
    const error = await rejection(adapter.cache.get({ url: origin.url }));
    expect(error).to.be.instanceOf(CacheError);
    expect(error.code).to.equal('ERR_CACHE_OPTION');
    expect(error.cause).to.include({ message: 'no key today' });
  });
});
