import { expect } from 'chai';
import {
  type CacheEvent,
  type CacheEventName,
  CacheOptionError,
  MemoryBackend,
  type ResponseCache,
  type StoreMeta,
} from '../../lib/index.js';
import { collect, inMemory, onEachStore, PlainStore, rejection } from './support.js';

/** Writes wait until they are let go. */
class HeldStore extends PlainStore {
  readonly held: (() => void)[] = [];
  closes = 0;
  failing = false;

  override async set(key: string, value: Uint8Array, _meta?: StoreMeta): Promise<void> {
    await new Promise<void>((resolve) => this.held.push(resolve));
    if (this.failing) throw new Error('disk full');
    await super.set(key, value);
  }
  override async close(): Promise<void> {
    this.closes += 1;
  }
  letGo(): void {
    for (const resolve of this.held.splice(0)) resolve();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('flush', () => {
  const start = inMemory();

  it('waits until every pending write has settled', async () => {
    const store = new HeldStore();
    const { http, adapter } = await start({ backend: store });
    await http.get('/a');
    await http.get('/b');
    let flushed = false;
    const flushing = adapter.cache.flush().then(() => {
      flushed = true;
    });
    await turn();
    expect([flushed, store.map.size]).to.deep.equal([false, 0]);
    store.letGo();
    await flushing;
    expect(store.map.size).to.equal(2);
  });

  it('resolves when a write fails, which was an event', async () => {
    const store = new HeldStore();
    const { http, adapter, errors } = await start({ backend: store });
    store.failing = true;
    await http.get('/a');
    store.letGo();
    await adapter.cache.flush();
    expect(errors.map(({ error }) => error?.message).join()).to.include('disk full');
    expect(errors[0]).to.include({ store: 'HeldStore' });
    expect((await http.get('/a')).fromCache).to.equal(false);
    store.letGo();
  });

  it('is done by every maintenance call before it looks', async () => {
    const calls: Record<
      string,
      (cache: Awaited<ReturnType<typeof start>>['adapter']['cache']) => Promise<unknown>
    > = {
      get: (cache) => cache.get('x'),
      has: (cache) => cache.has('x'),
      delete: (cache) => cache.delete({ keys: ['x'] }),
      clear: (cache) => cache.clear(),
      keys: (cache) => collect(cache.keys()),
      values: (cache) => collect(cache.values()),
      entries: (cache) => collect(cache.entries()),
      filter: (cache) => collect(cache.filter()),
      urls: (cache) => cache.urls(),
      count: (cache) => cache.count(),
      size: (cache) => cache.size(),
      resetExpiration: (cache) => cache.resetExpiration(5),
      removeExpiredResponses: (cache) => cache.removeExpiredResponses(),
      recreateKeys: (cache) => cache.recreateKeys(),
      close: (cache) => cache.close(),
    };
    for (const [name, call] of Object.entries(calls)) {
      const store = new HeldStore();
      const { http, adapter } = await start({ backend: store });
      await http.get('/a');
      let done = false;
      const calling = call(adapter.cache).then(() => {
        done = true;
      });
      await turn();
      expect([name, done]).to.deep.equal([name, false]);
      // What is re-dated or re-keyed is written again.
      while (!done) {
        store.letGo();
        await turn();
      }
      await calling;
      expect(store.map.size, name).to.equal(name === 'clear' ? 0 : 1);
    }
  });
});

onEachStore('close', (start) => {
  it('can be called often, and leaves what was handed in open', async () => {
    const { http, adapter, store } = await start();
    const { cacheKey = '' } = await http.get('/a');
    await Promise.all([adapter.close(), adapter.cache.close(), adapter[Symbol.asyncDispose]()]);
    await adapter.close();
    expect(await store.get(cacheKey)).to.be.instanceOf(Uint8Array);
  });

  it('lets requests go to the network, and rejects maintenance with CacheStoreError', async () => {
    const { http, adapter, origin, another } = await start();
    const { cache } = adapter;
    await http.get('/a');
    await http.get('/a');
    await adapter.close();
    const after = await http.get('/a');
    expect(after.fromCache).to.equal(false);
    expect(after.cacheKey).to.equal(undefined);
    expect(origin.count).to.equal(2);
    const other = another();
    await other.http.get('/b');
    for (const refused of [
      cache.get('x'),
      cache.get({ url: origin.url }),
      cache.has('x'),
      cache.delete({ keys: ['x'] }),
      cache.delete({ expired: true }),
      cache.delete({ requests: [{ url: origin.url }] }),
      cache.clear(),
      adapter.clear(),
      collect(cache.keys()),
      collect(cache.values()),
      collect(cache.entries()),
      collect(cache.filter()),
      cache.urls(),
      cache.count(),
      cache.size(),
      cache.resetExpiration(5),
      cache.removeExpiredResponses(),
      adapter.removeExpiredResponses(),
      cache.recreateKeys(),
      cache.update(other.adapter.cache),
      cache.delete({}),
      cache.delete({ urls: [] }),
      cache.save({ url: origin.url }, after),
    ]) {
      const error = await rejection(refused);
      expect(error).to.include({ code: 'ERR_CACHE_STORE', name: 'CacheStoreError' });
      expect(error.message).to.include('closed');
    }
    await cache.flush();
    expect(cache.createKey({ url: `${origin.url}/a` })).to.have.length(64);
    expect(cache.stats().bypassed).to.equal(1);
  });

  it('is what `await using` ends with', async () => {
    const { http, adapter, another } = await start();
    const other = another();
    expect(other.adapter[Symbol.asyncDispose]).to.be.a('function');
    await other.adapter[Symbol.asyncDispose]();
    expect(await rejection(other.adapter.cache.count())).to.include({ code: 'ERR_CACHE_STORE' });
    await http.get('/a');
    expect(await adapter.cache.count()).to.equal(1);
  });
});

describe('close', () => {
  const start = inMemory();

  it('closes a store that the adapter made itself, once', async () => {
    let made: HeldStore | undefined;
    class Own extends HeldStore {
      constructor() {
        super();
        made = this;
      }
    }
    const { adapter } = await start({ backend: Own });
    await Promise.all([adapter.close(), adapter.close()]);
    await adapter.close();
    expect(made?.closes).to.equal(1);
  });

  it('leaves a shared instance to its other cache', async () => {
    const store = new MemoryBackend();
    const { adapter, http, another } = await start({ backend: store });
    const other = another({ backend: store });
    await http.get('/a');
    await adapter.close();
    expect((await other.http.get('/a')).fromCache).to.equal(true);
  });
});

describe('stats', () => {
  const start = inMemory();

  it('count what happened since the cache was made, and are a copy', async () => {
    const { http, adapter, clock, origin } = await start({ staleIfError: true });
    const zero = adapter.cache.stats();
    expect(Object.values(zero)).to.deep.equal(Object.values(zero).map(() => 0));
    origin.on('/etag', (req, res) => {
      res.setHeader('etag', '"1"');
      if (req.headers['if-none-match'] !== undefined) res.statusCode = 304;
      res.end('12345');
    });
    let broken = false;
    origin.on('/flaky', (_req, res) => {
      res.statusCode = broken ? 500 : 200;
      res.end('123');
    });
    await http.get('/etag', { expireAfter: 10 });
    await http.get('/etag');
    await Promise.all([http.get('/flaky', { expireAfter: 10 }), http.get('/flaky', { expireAfter: 10 })]);
    clock.tick(20);
    await http.get('/etag');
    broken = true;
    await http.get('/flaky');
    await http.post('/other');
    const stats = adapter.cache.stats();
    expect(stats).to.include({
      hits: 1,
      misses: 3,
      stale: 1,
      revalidated: 1,
      stored: 2,
      coalesced: 1,
      bypassed: 1,
      errors: 0,
    });
    expect(stats.bytesStored).to.equal(8);
    expect(stats.bytesServed).to.equal(13);
    stats.hits = 99;
    expect(adapter.cache.stats().hits).to.equal(1);
  });

  it('tell of the memory that decoded records and keys take, which hotBytes bounds', async () => {
    const hotBytes = 256 * 1024;
    const { http, adapter, origin } = await start({ hotBytes });
    origin.on('/a', (_req, res) => void res.end('x'.repeat(1000)));
    await http.get('/a');
    await http.get('/a');
    const one = adapter.cache.stats();
    expect(one.hotBytes).to.be.within(1000, 10_000);
    expect(one.memoBytes).to.be.within(200, 1000);
    for (let n = 0; n < 200; n++) await http.get('/a', { params: { n } });
    const many = adapter.cache.stats();
    expect(many.hotBytes).to.be.within(hotBytes / 2, hotBytes);
    expect(many.memoBytes).to.be.within(200, hotBytes / 8);
    await adapter.clear();
    expect(adapter.cache.stats().hotBytes).to.equal(0);
  });

  it('count what frozen hits share', async () => {
    const plain = await start({});
    const frozen = await start({ frozen: true });
    for (const { http, origin } of [plain, frozen]) {
      origin.on('/a', (_req, res) => void res.end(JSON.stringify(['x'.repeat(10_000)])));
      await http.get('/a');
      await http.get('/a');
    }
    const [least, most] = [plain, frozen].map(({ adapter }) => adapter.cache.stats().hotBytes);
    expect(most).to.be.greaterThan(2 * Number(least));
  });

  it('hotBytes: 0 keeps neither records nor keys in memory', async () => {
    const { http, adapter } = await start({ hotBytes: 0 });
    await http.get('/a');
    expect((await http.get('/a')).fromCache).to.equal(true);
    expect(adapter.cache.stats()).to.include({ hotBytes: 0, memoBytes: 0 });
  });
});

describe('on and off', () => {
  const start = inMemory();
  const NAMES: CacheEventName[] = [
    'hit',
    'miss',
    'stale',
    'revalidated',
    'stored',
    'bypass',
    'evicted',
    'invalidated',
    'error',
  ];

  for (const [backend, work] of [
    ['memory', (cache: ResponseCache) => cache.urls()],
    ['memory', (cache: ResponseCache) => cache.delete({ olderThan: 0 })],
    ['sqlite', (cache: ResponseCache) => cache.removeExpiredResponses()],
    ['sqlite', (cache: ResponseCache) => cache.clear()],
  ] as const) {
    it(`tell how far ${work.toString().match(/\w+(?=\([^)]*\)$)/)} has come (${backend})`, async () => {
      const { http, adapter, clock } = await start({ backend, cacheName: ':memory:', expireAfter: 10 });
      await Promise.all(Array.from({ length: 450 }, (_, n) => http.get('/a', { params: { n } })));
      clock.tick(11);
      const seen: CacheEvent[] = [];
      adapter.cache.on('progress', (event) => seen.push(event));
      await work(adapter.cache);
      const done = seen.map((event) => Number(event.done));
      expect(done).to.deep.equal([...done].sort((a, b) => a - b));
      expect(Math.max(...done)).to.be.within(400, 450);
    });
  }

  it('tell of each event, with the key and the redacted URL', async () => {
    const { http, adapter, clock, origin } = await start({ maxEntries: 2, staleWhileRevalidate: 100 });
    const seen: [CacheEventName, CacheEvent][] = [];
    for (const name of NAMES) adapter.cache.on(name, (event) => seen.push([name, event]));
    const url = `${origin.url}/a?token=REDACTED`;
    const names = () => seen.splice(0).map(([name]) => name);

    const { cacheKey } = await http.get('/a?token=secret', { expireAfter: 10 });
    expect(JSON.stringify(seen)).to.not.include('secret');
    for (const [, event] of seen) expect(event).to.include({ url });
    expect(seen.find(([name]) => name === 'stored')?.[1]).to.include({ key: cacheKey, url });
    expect(names()).to.have.members(['miss', 'stored']);

    await http.get('/a?token=secret');
    expect(seen[0]?.[1]).to.include({ key: cacheKey, url });
    expect(names()).to.deep.equal(['hit']);

    clock.tick(11);
    await http.get('/a?token=secret');
    expect(seen[0]?.[0]).to.equal('stale');
    expect(seen[0]?.[1]).to.include({ key: cacheKey, url });
    while (adapter.cache.stats().stored < 2) await turn();
    seen.splice(0);

    await http.get('/b', { cache: false });
    expect(seen[0]?.[1]).to.include({ url: `${origin.url}/b` });
    expect(seen[0]?.[1].reason).to.be.a('string');
    expect(names()).to.deep.equal(['bypass']);

    await http.get('/b');
    await http.get('/c');
    expect(seen.filter(([name]) => name === 'evicted').map(([, { key }]) => key)).to.deep.equal([cacheKey]);
    names();

    await http.post('/c');
    expect(names()).to.have.members(['bypass', 'invalidated']);
  });

  it('end a subscription, of this listener and this event only', async () => {
    const { http, adapter } = await start();
    const heard: string[] = [];
    const one = () => heard.push('one');
    const two = () => heard.push('two');
    const { cache } = adapter;
    expect(cache.on('miss', one).on('miss', two).on('hit', one)).to.equal(cache);
    await http.get('/a');
    expect(cache.off('miss', one)).to.equal(cache);
    cache.off('miss', () => {}).off('stale', two);
    await http.get('/b');
    await http.get('/b');
    expect(heard).to.deep.equal(['one', 'two', 'two', 'one']);
  });

  it('harm nobody with a listener that throws or rejects, or changes the event', async () => {
    const { http, adapter } = await start();
    const heard: (string | undefined)[] = [];
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      for (const name of NAMES) {
        adapter.cache.on(name, () => {
          throw new Error('mine');
        });
        adapter.cache.on(name, async () => {
          throw new Error('mine too');
        });
        adapter.cache.on(name, (event) => {
          delete event.url;
        });
        adapter.cache.on(name, (event) => heard.push(event.url));
      }
      await http.get('/a');
      expect((await http.get('/a')).fromCache).to.equal(true);
      await turn();
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(heard.every((url) => url !== undefined)).to.equal(true);
    expect(heard.length).to.be.greaterThan(2);
    expect(unhandled).to.deep.equal([]);
  });

  it('lets a listener end itself and start others meanwhile', async () => {
    const { http, adapter } = await start();
    let calls = 0;
    const once = () => {
      calls += 1;
      adapter.cache.off('miss', once).on('miss', () => {
        calls += 10;
      });
    };
    adapter.cache.on('miss', once);
    await http.get('/a');
    await http.get('/b');
    expect(calls).to.equal(11);
  });

  it('refuse an event that there is not, and a listener that is none', async () => {
    const { adapter } = await start();
    const { cache } = adapter;
    expect(() => cache.on('hits' as 'hit', () => {})).to.throw(CacheOptionError, 'hit');
    expect(() => cache.on('constructor' as 'hit', () => {})).to.throw(CacheOptionError);
    expect(() => cache.off('hits' as 'hit', () => {})).to.throw(CacheOptionError);
    expect(() => cache.on('hit', undefined as unknown as () => void)).to.throw(CacheOptionError);
  });
});
