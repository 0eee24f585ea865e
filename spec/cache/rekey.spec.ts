import type { AxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import type { CacheRequest } from '../../lib/index.js';
import { type Rig, rig } from '../support/harness.js';
import { Origin } from '../support/origin.js';
import { collect, keyOnPath, onEachStore, PlainStore, redirect, varying } from './support.js';

/** Has something happen before the next write to the store. */
function beforeFirstSet(store: PlainStore, work: () => Promise<unknown>): void {
  const set = store.set.bind(store);
  store.set = async (key, value) => {
    store.set = set;
    await work();
    await set(key, value);
  };
}

/** Whether the network is left alone. */
async function isHit({ http, origin }: Rig, config: AxiosRequestConfig): Promise<boolean> {
  const before = origin.count;
  const { fromCache } = await http.request(config);
  expect(fromCache).to.equal(origin.count === before);
  return fromCache;
}

onEachStore('recreateKeys', (start) => {
  it('changes nothing under the same settings', async () => {
    const on = await start();
    await on.http.get('/a', { params: { x: 1 } });
    await on.http.head('/a');
    const keys = (await collect(on.adapter.cache.keys())).sort();
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 2, left: 0 });
    expect((await collect(on.adapter.cache.keys())).sort()).to.deep.equal(keys);
    expect(await isHit(on, { url: '/a?x=1' })).to.equal(true);
  });

  it('does nothing to an empty cache', async () => {
    const { adapter } = await start();
    expect(await adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 0, left: 0 });
  });

  it('drops parameters that are ignored now, and the newest of those that become one stays', async () => {
    const on = await start();
    const { http, adapter, clock } = on;
    for (const page of [1, 3, 2]) {
      await http.get('/a', { params: { x: 1, page } });
      clock.tick(1);
    }
    adapter.settings.ignoredParameters = ['page'];
    expect(await isHit(on, { url: '/a?x=1' })).to.equal(false);
    await adapter.cache.delete({
      keys: [adapter.cache.createKey({ baseURL: on.origin.url, url: '/a?x=1' })],
    });
    expect(await adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 3, left: 0 });
    expect(await adapter.cache.count()).to.equal(1);
    const { data, fromCache } = await http.get('/a?x=1&page=9');
    expect(fromCache).to.equal(true);
    expect(data.url).to.equal('/a?x=1&page=2');
  });

  it('redacts anew what is kept of a request, also where the key stays', async () => {
    const on = await start({ allowableMethods: ['GET', 'POST'] });
    const { http, adapter } = on;
    await http.post('/a?t=HIDDEN', { t: 'HIDDEN', q: 1 }, { headers: { t: 'HIDDEN' } });
    await http.get('/a?t=HIDDEN', { headers: { Authorization: 'ann' } }); // its key can't be made anew
    adapter.settings.ignoredParameters = ['t'];
    expect(await adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 1, left: 1 });
    const kept = await collect(adapter.cache.values());
    expect(kept).to.have.length(2);
    expect(JSON.stringify([kept, await adapter.cache.urls()])).to.not.include('HIDDEN');
    expect((await http.post('/a?t=other', { q: 1 })).fromCache).to.equal(true);
  });

  it('adds headers that are matched now', async () => {
    const on = await start();
    await on.http.get('/a', { headers: { 'X-Version': '1' } });
    on.adapter.settings.matchHeaders = ['x-version'];
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 1, left: 0 });
    expect(await isHit(on, { url: '/a', headers: { 'X-Version': '1' } })).to.equal(true);
    expect(await isHit(on, { url: '/a', headers: { 'X-Version': '2' } })).to.equal(false);
  });

  it('uses a key function that there is now', async () => {
    const on = await start();
    await on.http.get('/a?x=1');
    on.adapter.settings.keyFn = keyOnPath;
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 1, left: 0 });
    expect(await isHit(on, { url: '/a?x=2' })).to.equal(true);
    on.adapter.settings.keyFn = undefined;
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 1, left: 0 });
    expect(await isHit(on, { url: '/a?x=1' })).to.equal(true);
    expect(await isHit(on, { url: '/a?x=2' })).to.equal(false);
  });

  it('leaves everything where it is when the key function throws', async () => {
    const on = await start();
    const { cacheKey = '' } = await on.http.get('/a');
    on.adapter.settings.keyFn = () => {
      throw new Error('no');
    };
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 0, left: 1 });
    expect(await on.adapter.cache.has(cacheKey)).to.equal(true);
  });

  it('keeps bodies in the key: JSON, form, text and multipart', async () => {
    const on = await start({ allowableMethods: ['POST'] });
    const form = () => {
      const data = new FormData();
      data.append('x', '1');
      data.append('page', '1');
      return data;
    };
    const bodies: AxiosRequestConfig[] = [
      { url: '/json', data: { x: 1, page: 1, deep: [{ b: 1, a: 'ü' }] } },
      { url: '/form', data: new URLSearchParams({ x: '1', page: '1' }) },
      { url: '/text', data: 'some text', headers: { 'Content-Type': 'text/plain' } },
      { url: '/multipart', data: form() },
    ];
    const configs = bodies.map((config) => ({ ...config, method: 'post' }));
    for (const config of configs) await on.http.request(config);
    on.adapter.settings.ignoredParameters = ['page'];
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 4, left: 0 });
    for (const config of configs) expect(await isHit(on, config), config.url).to.equal(true);
    expect(
      await isHit(on, { url: '/json', method: 'post', data: { deep: [{ a: 'ü', b: 1 }], x: 1 } }),
    ).to.equal(true);
    expect(await isHit(on, { url: '/json', method: 'post', data: { x: 2 } })).to.equal(false);
  });

  it('moves the variants of a URL together', async () => {
    const on = await start();
    on.origin.on('/v', varying('Accept'));
    for (const accept of ['a/a', 'b/b']) await on.http.get('/v?page=1', { headers: { Accept: accept } });
    on.adapter.settings.ignoredParameters = ['page'];
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 2, left: 0 });
    for (const accept of ['a/a', 'b/b']) {
      const { data, fromCache } = await on.http.get('/v', { headers: { Accept: accept } });
      expect(fromCache).to.equal(true);
      expect(data).to.equal(`Accept=${accept}`);
    }
    expect(await isHit(on, { url: '/v', headers: { Accept: 'c/c' } })).to.equal(false);
    expect(await on.adapter.cache.count()).to.equal(3);
    await on.adapter.cache.delete({ filter: () => true });
    expect(await on.adapter.cache.size()).to.equal(0);
  });

  it('moves redirects with their target', async () => {
    const on = await start();
    on.origin.on('/first', redirect('/second?page=1')).on('/second', redirect('/target?page=1'));
    await on.http.get('/first?page=1');
    on.adapter.settings.ignoredParameters = ['page'];
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 1, left: 0 });
    for (const url of ['/first', '/second?page=7', '/target']) {
      expect(await isHit(on, { url }), url).to.equal(true);
    }
    const { redirects } = await on.http.get('/first');
    expect(redirects?.map((url) => new URL(url).pathname)).to.deep.equal(['/first', '/second']);
    await on.adapter.cache.delete({ filter: () => true });
    expect(await on.adapter.cache.size()).to.equal(0);
  });

  it('keeps expiry and creation', async () => {
    const on = await start();
    await on.http.get('/a?page=1', { expireAfter: 100 });
    on.clock.tick(40);
    on.adapter.settings.ignoredParameters = ['page'];
    await on.adapter.cache.recreateKeys();
    const hit = await on.http.get('/a');
    expect(hit.createdAt?.getTime()).to.equal(on.clock.now() - 40_000);
    expect(hit.expires?.getTime()).to.equal(on.clock.now() + 60_000);
  });

  const secrets: [what: string, config: AxiosRequestConfig][] = [
    ['an Authorization header', { headers: { Authorization: 'Bearer ann' } }],
    ['auth', { auth: { username: 'ann', password: 'pw' } }],
    ['userinfo in the URL', { url: '//ann:pw@HOST/a' }],
    ['a cookie', { headers: { Cookie: 'session=ann' } }],
    ['a redacted parameter', { params: { token: 'ann' } }],
    ['a proxy user', { proxy: { host: '127.0.0.1', port: 1, auth: { username: 'ann', password: 'pw' } } }],
    ['a redacted form field', { method: 'post', data: new URLSearchParams({ password: 'ann' }) }],
    ['a redacted member of JSON', { method: 'post', data: { user: [{ token: 'ann' }] } }],
    ['a binary body', { method: 'post', data: Buffer.from([0xff, 0xfe, 0]) }],
    ['decompress: false', { decompress: false }],
    ['maxRedirects: 0', { maxRedirects: 0 }],
  ];
  for (const [what, config] of secrets) {
    it(`leaves an entry whose key needs ${what}, which nobody else then gets`, async () => {
      const on = await start({ allowableMethods: ['GET', 'POST'] });
      const { host, port, hostname } = new URL(on.origin.url);
      const whole = { url: '/a', ...config };
      if (config.url !== undefined) whole.url = `http:${config.url.replace('HOST', host)}`;
      // The origin is its own proxy: it is asked for an absolute URL.
      if (config.proxy) whole.proxy = { ...config.proxy, host: hostname, port: Number(port) };
      await on.http.request(whole);
      const keys = await collect(on.adapter.cache.keys());
      expect(keys).to.have.length(1);
      expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 0, left: 1 });
      expect(await collect(on.adapter.cache.keys())).to.deep.equal(keys);
      expect(await isHit(on, whole)).to.equal(true);
      expect(await isHit(on, { url: '/a' })).to.equal(false);
      expect(await isHit(on, { url: '/a', method: 'post' })).to.equal(false);
    });
  }

  it('moves an entry with credentials once these are ignored', async () => {
    const on = await start();
    await on.http.get('/a', { auth: { username: 'ann', password: 'pw' } });
    await on.http.get('/b', { headers: { Authorization: 'Bearer ann' } });
    on.adapter.settings.ignoredParameters = ['Authorization'];
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 2, left: 0 });
    expect(await isHit(on, { url: '/a' })).to.equal(true);
    expect(await isHit(on, { url: '/b' })).to.equal(true);
  });

  it('moves what it can and leaves the rest where it is found', async () => {
    const on = await start({ hotBytes: 0 });
    await on.http.get('/a?page=1');
    const secret = { url: '/a?page=1', headers: { Authorization: 'Bearer ann' } };
    const { cacheKey = '' } = await on.http.request(secret);
    await on.damage((await on.http.get('/bad')).cacheKey ?? '');
    on.adapter.settings.ignoredParameters = ['page'];
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 1, left: 1 });
    expect(await isHit(on, { url: '/a' })).to.equal(true);
    expect(await on.adapter.cache.has(cacheKey)).to.equal(true);
    on.adapter.settings.ignoredParameters = [];
    expect(await isHit(on, secret)).to.equal(true);
  });

  it('leaves a variant that varies on a redacted header, and moves its siblings', async () => {
    const on = await start();
    on.origin.on('/v', varying('X-Api-Key'));
    const secret = { url: '/v?page=1', headers: { 'X-Api-Key': 'ann' } };
    await on.http.request(secret);
    await on.http.get('/v?page=1');
    on.adapter.settings.ignoredParameters = ['page'];
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 1, left: 1 });
    expect((await on.http.get('/v')).data).to.equal('X-Api-Key=undefined');
    expect(await isHit(on, { ...secret, url: '/v' })).to.equal(false);
    on.adapter.settings.ignoredParameters = [];
    expect(await isHit(on, secret)).to.equal(true);
  });

  it('finds a variant that stays beside those that are moved to where they were', async () => {
    const on = await start();
    on.origin.on('/v', varying('X-Api-Key'));
    const secret = { url: '/v', headers: { 'X-Api-Key': 'ann' } };
    await on.http.request(secret);
    await on.http.get('/v');
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 1, left: 1 });
    expect(await isHit(on, secret)).to.equal(true);
    expect(await isHit(on, { url: '/v' })).to.equal(true);
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 1, left: 1 });
    expect(await on.adapter.cache.count()).to.equal(2);
  });

  it('gives the key function the stored request', async () => {
    const on = await start({ allowableMethods: ['POST'] });
    await on.http.post('/a?token=t', { x: 1 }, { headers: { 'X-A': 'b' } });
    const seen: CacheRequest[] = [];
    on.adapter.settings.keyFn = (request) => {
      seen.push(request);
      return 'one';
    };
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 1, left: 0 });
    expect(seen[0]).to.include({ method: 'POST', url: `${on.origin.url}/a?token=REDACTED`, data: '{"x":1}' });
    expect(seen[0]?.headers).to.include({ 'x-a': 'b', 'content-type': 'application/json' });
    expect(await isHit(on, { url: '/b', method: 'post' })).to.equal(true);
  });
});

onEachStore('recreateKeys, and whose an answer is', (start, makeStore) => {
  const alice = { headers: { Authorization: 'Bearer alice' } };

  it('leaves a redirect to whom it was for, though the credentials were dropped on the way', async () => {
    const on = await start({ allowableMethods: ['GET', 'POST'] });
    const elsewhere = await Origin.start((_req, res) => void res.end('of alice'));
    try {
      on.origin.on('/me', redirect(`${elsewhere.url}/file-of-alice`));
      on.origin.on('/login', redirect('/home', 303));
      on.origin.on('/start', redirect('/target'));
      const asked: AxiosRequestConfig[] = [
        { url: '/me', ...alice },
        { url: '/login', method: 'post', data: { a: 1 } },
        { url: '/start?token=abc' },
        { url: '/start?page=1' },
      ];
      for (const config of asked) await on.http.request(config);
      await on.adapter.cache.recreateKeys();
      for (const config of asked) expect(await isHit(on, config), config.url ?? '').to.equal(true);
      for (const url of ['/me', '/login', '/start?token=REDACTED', '/start'])
        expect(await isHit(on, { url }), url).to.equal(false);
    } finally {
      await elsewhere.close();
    }
  });

  it('moves redirects with their own requests when settings change', async () => {
    const on = await start();
    on.origin.on('/1', redirect('/2?page=2'));
    on.origin.on('/2', redirect('/3?page=3'));
    await on.http.get('/1?page=1');
    on.adapter.settings.ignoredParameters = ['page'];
    await on.adapter.cache.recreateKeys();
    for (const url of ['/1?page=7', '/2', '/3?page=5']) {
      const hit = await on.http.get(url);
      expect(hit.fromCache, url).to.equal(true);
      expect(hit.redirects?.join()).to.not.include('page=1');
    }
    expect(on.origin.count).to.equal(3);
  });

  it('redacts anew where redirects and variants are led from', async () => {
    const on = await start();
    on.origin.on('/from', redirect('/to'));
    on.origin.on('/v', varying('Accept-Language'));
    await on.http.get('/from?pin=S3CR3T');
    await on.http.get('/v?pin=S3CR3T', { headers: { 'Accept-Language': 'de' } });
    on.adapter.settings.redact = ['pin'];
    await on.adapter.cache.recreateKeys();
    for await (const key of on.store.keys())
      expect(String(await on.store.get(key)), key).to.not.include('S3CR3T');
    expect((await on.http.get('/from?pin=S3CR3T')).redirects?.join() ?? '').to.not.include('S3CR3T');
  });

  it("does not give everybody what was stored while somebody's credentials were ignored", async () => {
    const on = await start({ ignoredParameters: ['Authorization', 'id'] });
    await on.http.get('/who', alice);
    await on.http.get('/p?id=1&x=1');
    await on.http.post('/not-kept');
    const other = on.another({ backend: makeStore(), ignoredParameters: [] });
    expect(await other.adapter.cache.update(on.adapter.cache)).to.equal(2);
    on.adapter.settings.ignoredParameters = [];
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 0, left: 2 });
    for (const { http, adapter } of [on, other]) {
      expect(await adapter.cache.count()).to.equal(2);
      for (const url of ['/who', '/p?x=1', '/p?id=2&x=1'])
        expect((await http.get(url)).fromCache, url).to.equal(false);
    }
    // They have a place again when the settings come back.
    await on.adapter.cache.delete({ filter: ({ request }) => !JSON.stringify(request).includes('REDACTED') });
    on.adapter.settings.ignoredParameters = ['Authorization', 'id'];
    expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 2, left: 0 });
    expect((await on.http.get('/who', alice)).fromCache).to.equal(true);
  });
});

describe('recreateKeys, while requests go on', () => {
  // Without the credentials, which are not stored, the key of the one can't be made anew.
  for (const headers of [{ Authorization: 'ann' }, {}]) {
    it(`does not bring back an entry that is deleted meanwhile, asked for with ${JSON.stringify(headers)}`, async () => {
      const store = new PlainStore();
      const read = store.get.bind(store);
      const on = await rig({ backend: store });
      try {
        const { cacheKey = '' } = await on.http.get('/a?t=HIDDEN', { headers });
        await on.adapter.cache.flush();
        let isFirst = true;
        store.get = async (key) => {
          const bytes = await read(key);
          if (isFirst) {
            isFirst = false;
            await on.adapter.cache.delete({ keys: [cacheKey] });
          }
          return bytes;
        };
        on.adapter.settings.ignoredParameters = ['t'];
        await on.adapter.cache.recreateKeys();
        expect(store.map.size).to.equal(0);
      } finally {
        await on.close();
      }
    });
  }

  /** Re-keys two entries, and lets requests do something while the first is written to its new place. */
  async function whileWriting(
    work: (on: Rig) => Promise<unknown>,
    check: (on: Rig, store: PlainStore) => Promise<unknown>,
  ): Promise<void> {
    const store = new PlainStore();
    const on = await rig({ backend: store });
    try {
      for (const url of ['/a?t=1', '/b?t=1']) {
        await on.http.get(url);
        on.clock.tick(1);
      }
      await on.adapter.cache.flush();
      on.adapter.settings.ignoredParameters = ['t'];
      beforeFirstSet(store, () => work(on));
      await on.adapter.cache.recreateKeys();
      expect(await isHit(on, { url: '/a' })).to.equal(true);
      await check(on, store);
    } finally {
      await on.close();
    }
  }

  it('does not put what was stored before in the place of what a request stores meanwhile', () =>
    whileWriting(
      async ({ http }) => expect((await http.get('/b?t=2')).data.n).to.equal(3),
      async ({ http }, store) => {
        expect((await http.get('/b?t=3')).data.n).to.equal(3);
        expect(store.map.size).to.equal(2);
      },
    ));

  it('does not bring back what a request deletes meanwhile', () =>
    whileWriting(
      ({ http }) => http.put('/b?t=2'),
      async (on, store) => {
        expect(store.map.size).to.equal(1);
        expect(await isHit(on, { url: '/b' })).to.equal(false);
      },
    ));

  it('leaves the variants that a request stores meanwhile', async () => {
    const store = new PlainStore();
    const on = await rig({ backend: store });
    try {
      on.origin.on('/v', varying('Accept-Language'));
      const of = (language: string, t: number) => ({
        url: `/v?t=${t}`,
        headers: { 'Accept-Language': language },
      });
      await on.http.request(of('de', 1));
      await on.adapter.cache.flush();
      on.adapter.settings.ignoredParameters = ['t'];
      beforeFirstSet(store, () => on.http.request(of('fr', 2)));
      expect(await on.adapter.cache.recreateKeys()).to.deep.equal({ rekeyed: 1, left: 0 });
      expect(await isHit(on, of('fr', 3))).to.equal(true);
      expect(await isHit(on, of('de', 3))).to.equal(true);
    } finally {
      await on.close();
    }
  });
});
