import axios, { AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import {
  CacheOptionError,
  type CacheOptions,
  CacheStoreError,
  DO_NOT_CACHE,
  type ResponseCache,
} from '../../lib/index.js';
import { collect, inMemory, onEachStore, redirect, rejection, varying } from './support.js';

const FORMATS: Record<string, CacheOptions> = {
  'the same format': {},
  JSON: { serializer: 'json' },
  'compressed, signed and encrypted records': {
    compression: { algorithm: 'gzip', threshold: 0 },
    secretKey: 'secret',
    encryptionKey: Buffer.alloc(32, 7),
  },
  'an own serializer': {
    serializer: {
      encode: (record) =>
        Buffer.from(
          JSON.stringify({ ...record, body: record.kind === 'response' ? [...record.body] : undefined }),
        ),
      decode: (bytes) => {
        const record = JSON.parse(Buffer.from(bytes).toString());
        return record.kind === 'response' ? { ...record, body: Uint8Array.from(record.body) } : record;
      },
    },
  },
};

onEachStore('update', (start, makeStore) => {
  it('makes keys anew where the two caches make them otherwise, and redacts by the settings here', async () => {
    const on = await start();
    await on.http.get('/a', { params: { t: 'SECRET' } });
    const there = on.another({ backend: makeStore(), ignoredParameters: ['t'] } as CacheOptions);
    expect(await there.adapter.cache.update(on.adapter.cache)).to.equal(1);
    expect((await there.http.get('/a?t=other')).fromCache).to.equal(true);
    expect(JSON.stringify(await there.adapter.cache.urls())).to.not.include('SECRET');
  });

  for (const [what, format] of Object.entries(FORMATS)) {
    it(`makes every entry of another cache a hit here, from and to ${what}`, async () => {
      const on = await start();
      const { http, adapter, origin, another, clock } = on;
      const other = another({ backend: makeStore(), ...format } as CacheOptions);
      origin
        .on('/v', varying('Accept'))
        .on('/hop', redirect('/target'))
        .on('/bytes', (_req, res) => void res.end(Buffer.from([0, 255, 128, 13, 10])));
      const fill = [
        { url: '/json', params: { x: 'ü' } },
        { url: '/bytes', responseType: 'arraybuffer' },
        { url: '/v', headers: { Accept: 'a/a' } },
        { url: '/v', headers: { Accept: 'b/b' } },
        { url: '/hop' },
        { url: '/json', method: 'head' },
        { url: '/json', auth: { username: 'ann', password: 'pw' } },
        { url: '/soon', expireAfter: 60 },
      ] as const;
      const before: AxiosResponse[] = [];
      for (const config of fill) before.push(await http.request(config));
      clock.tick(10);
      const asked = origin.count;
      expect(await other.adapter.cache.update(adapter.cache)).to.equal(8);
      expect(await other.adapter.cache.count()).to.equal(8);
      for (const [at, config] of fill.entries()) {
        const hit = await other.http.request(config);
        expect(hit.fromCache, config.url).to.equal(true);
        expect(hit.data).to.deep.equal(before[at]?.data);
        expect(hit.cacheKey).to.equal(before[at]?.cacheKey);
        expect(hit.createdAt).to.deep.equal(before[at]?.createdAt);
        expect(hit.expires).to.deep.equal(before[at]?.expires);
      }
      // And back again, into an empty cache.
      await adapter.clear();
      expect(await adapter.cache.update(other.adapter.cache)).to.equal(8);
      for (const config of fill) expect((await http.request(config)).fromCache).to.equal(true);
      expect(origin.count).to.equal(asked);
      expect(on.errors).to.deep.equal([]);
    });
  }

  it('keeps what is here already, replaces what is the same, and leaves the other as it is', async () => {
    const { http, adapter, another } = await start();
    const other = another({ backend: makeStore() });
    await http.get('/mine');
    await http.get('/both');
    const { data } = await other.http.get('/both');
    await other.http.get('/theirs');
    expect(await adapter.cache.update(other.adapter.cache)).to.equal(2);
    expect((await http.get('/both')).data).to.deep.equal(data);
    for (const path of ['/mine', '/theirs']) expect((await http.get(path)).fromCache, path).to.equal(true);
    expect(await adapter.cache.count()).to.equal(3);
    expect(await other.adapter.cache.count()).to.equal(2);
  });

  it('brings the variants of a URL together', async () => {
    const { http, adapter, another, origin } = await start();
    const other = another({ backend: makeStore() });
    origin.on('/v', varying('Accept'));
    const accept = (Accept: string) => ({ headers: { Accept } });
    for (const one of ['a/a', 'b/b']) await http.get('/v', accept(one));
    for (const one of ['b/b', 'c/c']) await other.http.get('/v', accept(one));
    expect(await adapter.cache.update(other.adapter.cache)).to.equal(2);
    for (const one of ['a/a', 'b/b', 'c/c']) {
      const { fromCache, data } = await http.get('/v', accept(one));
      expect(fromCache, one).to.equal(true);
      expect(data).to.equal(`Accept=${one}`);
    }
    expect(await adapter.cache.count()).to.equal(3);
    await adapter.cache.delete({ requests: [], keys: [adapter.cache.createKey({ url: `${origin.url}/v` })] });
    expect(
      await adapter.cache.delete({ keys: [adapter.cache.createKey({ url: `${origin.url}/v` })] }),
    ).to.equal(3);
    expect(await adapter.cache.size()).to.equal(0);
  });

  it('passes over what can not be read there', async () => {
    const { http, adapter, another, damage } = await start({ hotBytes: 0 });
    await http.get('/a');
    await damage((await http.get('/bad')).cacheKey ?? '');
    const other = another({ backend: makeStore() });
    expect(await other.adapter.cache.update(adapter.cache)).to.equal(1);
    expect(await other.adapter.cache.count()).to.equal(1);
  });

  it('does no harm with itself', async () => {
    const { http, adapter } = await start();
    await http.get('/a');
    expect(await adapter.cache.update(adapter.cache)).to.equal(1);
    expect((await http.get('/a')).fromCache).to.equal(true);
    expect(await adapter.cache.count()).to.equal(1);
  });
});

function responseOf(data: unknown, more: Partial<AxiosResponse> = {}): AxiosResponse {
  return {
    status: 200,
    statusText: 'OK',
    headers: { 'content-type': 'text/plain' },
    config: { headers: new AxiosHeaders() } as InternalAxiosRequestConfig,
    data,
    ...more,
  } as AxiosResponse;
}

onEachStore('save', (start) => {
  const json = { 'Content-Type': 'application/json' };
  const bodies: [what: string, data: unknown, headers: object, hit: unknown][] = [
    ['parsed JSON', { a: [1, 'ü', null] }, json, { a: [1, 'ü', null] }],
    ['a parsed array', [1, 2], json, [1, 2]],
    ['a parsed number', 5, json, 5],
    ['parsed false', false, json, false],
    ['text', 'grüße', {}, 'grüße'],
    ['no text', '', {}, ''],
    ['a Buffer', Buffer.from('{"b":1}'), json, { b: 1 }],
    ['an ArrayBuffer', new TextEncoder().encode('bytes').buffer, {}, 'bytes'],
    ['a typed array', new Uint8Array([104, 105]), {}, 'hi'],
  ];
  for (const [what, data, headers, expected] of bodies) {
    it(`stores ${what} as the network would have brought it`, async () => {
      const { http, adapter, origin, clock } = await start();
      const saved = await adapter.cache.save({ url: `${origin.url}/a` }, responseOf(data, { headers }));
      expect(saved.createdAt.getTime()).to.equal(clock.now());
      const hit = await http.get('/a');
      expect(hit.fromCache).to.equal(true);
      expect(hit.data).to.deep.equal(expected);
      expect(hit.cacheKey).to.equal(saved.key);
      expect([hit.status, hit.statusText]).to.deep.equal([200, 'OK']);
      expect(origin.count).to.equal(0);
    });
  }

  it('keeps bytes exact', async () => {
    const { http, adapter, origin } = await start();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    await adapter.cache.save({ url: `${origin.url}/a` }, responseOf(bytes));
    const { data } = await http.get('/a', { responseType: 'arraybuffer' });
    expect(Buffer.compare(Buffer.from(data), bytes)).to.equal(0);
    bytes.fill(0);
    const again = await http.get('/a', { responseType: 'arraybuffer' });
    expect(Buffer.from(again.data)[200]).to.equal(200);
  });

  it('expires as it is told, else as the settings say', async () => {
    const { http, adapter, origin, clock } = await start({
      expireAfter: 100,
      urlsExpireAfter: { '127.0.0.1/p': 50 },
    });
    const save = (path: string, options?: { expireAfter?: number | Date | null }) =>
      adapter.cache.save({ url: origin.url + path }, responseOf('x'), options as object);
    expect((await save('/a', { expireAfter: 10 })).expiresIn).to.equal(10);
    expect((await save('/b', { expireAfter: -1 })).expires).to.equal(undefined);
    expect((await save('/c', { expireAfter: new Date(clock.now() + 7000) })).expiresIn).to.equal(7);
    expect((await save('/d', { expireAfter: null })).expiresIn).to.equal(100);
    expect((await save('/e')).expiresIn).to.equal(100);
    expect((await save('/p/x')).expiresIn).to.equal(50);
    expect((await save('/p/x', { expireAfter: 5 })).expiresIn).to.equal(5);
    clock.tick(11);
    expect((await http.get('/a')).fromCache).to.equal(false);
    expect((await http.get('/b')).fromCache).to.equal(true);
  });

  it('takes what axios itself returned, from a client without a cache', async () => {
    const { http, adapter, origin } = await start();
    origin.on('/a', (_req, res) => {
      res.writeHead(201, 'Made', {
        'content-type': 'application/json',
        'set-cookie': ['a=1', 'b=2'],
        'X-Y': 'z',
      });
      res.end('{"n": 1.0}');
    });
    const plain = await axios.get(`${origin.url}/a`);
    await adapter.cache.save(plain.config, plain);
    const hit = await http.get('/a');
    expect(hit.fromCache).to.equal(true);
    expect(hit.status).to.equal(201);
    expect(hit.statusText).to.equal('Made');
    expect(hit.data).to.deep.equal(plain.data);
    expect(hit.headers['set-cookie']).to.deep.equal(['a=1', 'b=2']);
    expect(hit.headers['x-y']).to.equal('z');
    expect(origin.count).to.equal(1);
  });

  it('takes back what axios parsed, whatever it is', async () => {
    const { http, adapter, origin } = await start();
    for (const body of ['null', '"123"', '"null"', '"a"', '123', '"{}"', 'a', '']) {
      origin.on('/a', (_req, res) => {
        res.setHeader('content-type', 'application/json');
        res.end(body);
      });
      const plain = await axios.get(`${origin.url}/a`);
      await adapter.cache.save(plain.config, plain);
      const hit = await http.get('/a');
      expect(hit.fromCache).to.equal(true);
      expect(hit.data, body).to.equal(plain.data);
      if (body === '"a"') continue; // that there were quotes nobody can tell
      const text = await http.get('/a', { transformResponse: [] });
      expect(text.data, body).to.equal(body);
    }
  });

  it('is kept under the request: method, body, credentials and variant', async () => {
    const { http, adapter, origin } = await start({ allowableMethods: ['GET', 'POST'] });
    const url = `${origin.url}/a`;
    const { cache } = adapter;
    await cache.save({ url, method: 'post', data: { x: 1 } }, responseOf('posted'));
    await cache.save({ url, auth: { username: 'ann', password: 'pw' } }, responseOf('ann'));
    const vary = responseOf('german', { headers: { vary: 'Accept-Language' } });
    await cache.save({ url, headers: { 'Accept-Language': 'de' } }, vary);
    expect((await http.post('/a', { x: 1 })).data).to.equal('posted');
    expect((await http.get('/a', { auth: { username: 'ann', password: 'pw' } })).data).to.equal('ann');
    expect((await http.get('/a', { headers: { 'Accept-Language': 'de' } })).data).to.equal('german');
    expect(origin.count).to.equal(0);
    expect((await http.get('/a')).fromCache).to.equal(false);
  });

  it('replaces what was there', async () => {
    const { http, adapter, origin } = await start();
    await http.get('/a');
    await http.get('/a');
    await adapter.cache.save({ url: `${origin.url}/a` }, responseOf('by hand'));
    expect((await http.get('/a')).data).to.equal('by hand');
    expect(await adapter.cache.count()).to.equal(1);
  });

  it('stores what no policy would: any status, cacheControl and no-store, a filter', async () => {
    const { adapter, origin } = await start({ cacheControl: true, filterFn: () => false });
    const response = responseOf('x', { status: 503, headers: { 'cache-control': 'no-store' } });
    const saved = await adapter.cache.save({ url: `${origin.url}/a` }, response, { expireAfter: 60 });
    expect(saved.status).to.equal(503);
    expect((await adapter.cache.get(saved.key))?.text()).to.equal('x');
  });
});

describe('update and save', () => {
  const start = inMemory();

  it('refuse what can not be copied or kept', async () => {
    const { adapter, origin } = await start();
    const { cache } = adapter;
    const config = { url: `${origin.url}/a` };
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    for (const refused of [
      cache.update({} as ResponseCache),
      cache.update(undefined as unknown as ResponseCache),
      cache.save(undefined as unknown as object, responseOf('x')),
      cache.save({ url: '/relative' }, responseOf('x')),
      cache.save({ url: 'data:,x' }, responseOf('x')),
      cache.save(config, undefined as unknown as AxiosResponse),
      cache.save(config, {} as AxiosResponse),
      cache.save(config, responseOf('x', { status: 'OK' as unknown as number })),
      cache.save(config, responseOf('x', { status: 206 })),
      cache.save(config, responseOf(new ReadableStream())),
      cache.save(
        config,
        responseOf(() => 'x'),
      ),
      cache.save(config, responseOf(circular)),
      cache.save(config, responseOf(5n)),
      cache.save(config, responseOf('x'), { expireAfter: 'soon' as unknown as number }),
      cache.save(config, responseOf('x'), { expireAfter: DO_NOT_CACHE }),
      cache.save(config, responseOf('x'), { expires: 5 } as object),
    ]) {
      expect(await rejection(refused)).to.be.instanceOf(CacheOptionError);
    }
    expect(await collect(cache.keys())).to.deep.equal([]);
  });

  it('keep within the bounds of the cache', async () => {
    const { adapter, another, http, origin } = await start({ maxEntries: 2, maxEntryBytes: 10 });
    const error = await rejection(adapter.cache.save({ url: origin.url }, responseOf('more than ten bytes')));
    expect(error).to.be.instanceOf(CacheStoreError);
    expect(error.message).to.include('maxEntryBytes');
    await http.get('/none', { params: { too: 'large' } });
    const other = another();
    for (const path of ['/1', '/2', '/3']) {
      await other.adapter.cache.save({ url: origin.url + path }, responseOf(path));
    }
    await adapter.cache.update(other.adapter.cache);
    expect(await adapter.cache.count()).to.equal(2);
  });
});
