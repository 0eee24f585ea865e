/** What a request costs at the store: one read, at most one write, nothing for a hot hit. */
import { expect } from 'chai';
import {
  type CacheOptions,
  DO_NOT_CACHE,
  MemoryBackend,
  SQLiteBackend,
  type Store,
} from '../../lib/index.js';
import { type Rig, rig } from '../support/harness.js';
import type { Handler } from '../support/origin.js';

type Counted = 'get' | 'set' | 'delete';

/** The six methods that a store must have, over another store, counted; `late` answers with promises. */
class CountingStore implements Store {
  readonly calls: Record<Counted, number> = { get: 0, set: 0, delete: 0 };
  version?: () => number;
  readonly #store: Store;
  readonly #late: boolean;

  constructor(store: Store, { late = false } = {}) {
    this.#store = store;
    this.#late = late;
    if (!late && store.version !== undefined) this.version = () => store.version?.() ?? 0;
  }

  /** What was called since the last time this was asked. */
  take(): Record<Counted, number> {
    const calls = { ...this.calls };
    Object.assign(this.calls, { get: 0, set: 0, delete: 0 });
    return calls;
  }

  #answer<T>(name: Counted, value: T | Promise<T>): T | Promise<T> {
    this.calls[name] += 1;
    return this.#late ? Promise.resolve(value) : value;
  }

  get: Store['get'] = (key) => this.#answer('get', this.#store.get(key));
  set: Store['set'] = (key, value, meta) => this.#answer('set', this.#store.set(key, value, meta));
  delete: Store['delete'] = (keys) => this.#answer('delete', this.#store.delete(keys));
  clear: Store['clear'] = () => this.#store.clear();
  keys: Store['keys'] = () => this.#store.keys();
  close: Store['close'] = () => this.#store.close();
}

/** Nothing but the six methods: such a store can't tell that somebody else wrote, so nothing is kept in front of it. */
class Bare extends CountingStore {
  override version = undefined as never;
}

const STORES: Record<string, () => CountingStore> = {
  'a synchronous store of the user': () => new Bare(new MemoryBackend()),
  'a store that answers with promises': () => new CountingStore(new MemoryBackend(), { late: true }),
  memory: () => new CountingStore(new MemoryBackend()),
  sqlite: () => new CountingStore(new SQLiteBackend({ cacheName: ':memory:' })),
};

const NONE = { get: 0, set: 0, delete: 0 };
const READ = { ...NONE, get: 1 };
const READ_AND_WRITE = { ...READ, set: 1 };
const WRITE = { ...NONE, set: 1 };

const tagged: Handler = (request, res) => {
  res.setHeader('etag', '"1"');
  if (request.headers['if-none-match'] === '"1"') res.writeHead(304).end();
  else res.end('{"a":1}');
};

describe('calls of the store', () => {
  for (const [name, make] of Object.entries(STORES)) {
    describe(name, () => {
      let bench: Rig;
      let store: CountingStore;
      async function start(options: object = {}): Promise<Rig> {
        store = make();
        bench = await rig({ backend: store, hotBytes: 0, ...options } as CacheOptions, {}, tagged);
        return bench;
      }
      /** What one request costs, its write included. */
      async function cost(request: () => Promise<unknown>): Promise<Record<Counted, number>> {
        await bench.adapter.cache.flush();
        store.take();
        await request();
        await bench.adapter.cache.flush();
        return store.take();
      }
      afterEach(async () => {
        expect(bench.errors).to.deep.equal([]);
        await bench.close();
        await store.close();
      });

      it('a miss reads once and writes once, a hit reads once', async () => {
        const { http } = await start();
        expect(await cost(() => http.get('/x'))).to.deep.equal(READ_AND_WRITE);
        expect(await cost(() => http.get('/x'))).to.deep.equal(READ);
        expect(await cost(() => http.get('/x', { responseType: 'arraybuffer' }))).to.deep.equal(READ);
        expect(await cost(() => http.head('/x'))).to.deep.equal(READ_AND_WRITE);
      });

      it('a streamed miss and hit cost the same', async () => {
        const { http } = await start();
        const stream = async () => {
          const { data } = await http.get('/x', { responseType: 'stream' });
          for await (const _ of data);
        };
        expect(await cost(stream)).to.deep.equal(READ_AND_WRITE);
        expect(await cost(stream)).to.deep.equal(READ);
      });

      it('a stale answer reads once; the refresh behind it writes once', async () => {
        const { http, clock, adapter } = await start({ expireAfter: 10, staleWhileRevalidate: true });
        await http.get('/x');
        clock.tick(11);
        const refreshed = new Promise<void>((resolve) => adapter.cache.on('revalidated', () => resolve()));
        expect(
          await cost(async () => {
            expect((await http.get('/x')).isExpired).to.equal(true);
            await refreshed;
          }),
        ).to.deep.equal(READ_AND_WRITE);
      });

      it('an expired entry that a 304 confirms: one read, one write', async () => {
        const { http, clock } = await start({ expireAfter: 10 });
        await http.get('/x');
        clock.tick(11);
        expect(
          await cost(async () => expect((await http.get('/x')).revalidated).to.equal(true)),
        ).to.deep.equal(READ_AND_WRITE);
      });

      it('an expired entry that is replaced: one read, one write', async () => {
        const { http, clock, origin } = await start({ expireAfter: 10 });
        origin.on('/plain', (_, res) => void res.end('{}'));
        await http.get('/plain');
        clock.tick(11);
        expect(await cost(() => http.get('/plain'))).to.deep.equal(READ_AND_WRITE);
      });

      it('forceRefresh does not read', async () => {
        const { http } = await start();
        await http.get('/x');
        expect(await cost(() => http.get('/x', { forceRefresh: true }))).to.deep.equal(WRITE);
      });

      it('what is not stored is not written', async () => {
        const { http, origin, another } = await start();
        origin.on('/500', (_, res) => void res.writeHead(500).end());
        expect(await cost(() => http.get('/500').catch(() => {}))).to.deep.equal(READ);
        expect(await cost(() => http.get('/x', { onlyIfCached: true }).catch(() => {}))).to.deep.equal(READ);
        expect(await cost(() => http.get('/x', { headers: { 'cache-control': 'no-store' } }))).to.deep.equal(
          READ,
        );
        const reader = another({ backend: store, hotBytes: 0, readOnly: true } as CacheOptions);
        expect(await cost(() => reader.http.get('/x'))).to.deep.equal(READ);
      });

      it('a bypass neither reads nor writes', async () => {
        const { http, adapter } = await start();
        await http.get('/x');
        const bypasses: Record<string, () => Promise<unknown>> = {
          'cache: false': () => http.get('/x', { cache: false }),
          DO_NOT_CACHE: () => http.get('/x', { expireAfter: DO_NOT_CACHE }),
          cacheDisabled: () => adapter.cacheDisabled(() => http.get('/x')),
          Range: () => http.get('/x', { headers: { range: 'bytes=0-1' } }),
          OPTIONS: () => http.options('/x'),
        };
        for (const [why, request] of Object.entries(bypasses)) {
          expect(await cost(request), why).to.deep.equal(NONE);
        }
      });

      it('coalesced callers read once each and write once together', async () => {
        const { http, origin } = await start();
        const together = () => Promise.all([http.get('/x'), http.get('/x'), http.get('/x')]);
        expect(await cost(together)).to.deep.equal({ get: 3, set: 1, delete: 0 });
        expect(origin.count).to.equal(1);
      });

      it('a variant costs a second read, and its first storing a second write, for the index', async () => {
        const { http, origin } = await start();
        origin.on('/vary', (_, res) => {
          res.setHeader('vary', 'accept-language');
          res.end('{}');
        });
        const german = { headers: { 'accept-language': 'de' } };
        expect(await cost(() => http.get('/vary', german))).to.deep.equal({ get: 1, set: 2, delete: 0 });
        expect(await cost(() => http.get('/vary', german))).to.deep.equal({ get: 2, set: 0, delete: 0 });
      });

      it('a redirect costs a second read', async () => {
        const { http, origin } = await start();
        origin.on('/from', (_, res) => void res.writeHead(302, { location: '/x' }).end());
        await http.get('/from');
        expect(await cost(() => http.get('/from'))).to.deep.equal({ get: 2, set: 0, delete: 0 });
        expect(await cost(() => http.get('/x'))).to.deep.equal(READ);
      });

      it('an expired entry is not deleted on the way', async () => {
        const { http, clock, origin } = await start({ expireAfter: 10 });
        await http.get('/x');
        clock.tick(11);
        origin.on('/x', (_, res) => void res.writeHead(503).end());
        expect(await cost(() => http.get('/x').catch(() => {}))).to.deep.equal(READ);
      });
    });
  }

  for (const name of ['memory', 'sqlite'] as const) {
    it(`a hot hit does not touch the store: ${name}`, async () => {
      const store = STORES[name]?.() as CountingStore;
      const bench = await rig({ backend: store } as CacheOptions, {}, tagged);
      await bench.http.get('/x');
      store.take();
      for (let round = 0; round < 3; round++) expect((await bench.http.get('/x')).fromCache).to.equal(true);
      expect(store.take()).to.deep.equal(NONE);
      // What was not written by this cache is read once, and hot from then on.
      const other = bench.another({ backend: store } as CacheOptions);
      await other.http.get('/x');
      await other.http.get('/x');
      expect(store.take()).to.deep.equal(READ);
      await bench.close();
      await store.close();
    });
  }

  it('a read that follows a write still on its way is answered by what is being written', async () => {
    let land = () => {};
    const landing = new Promise<void>((resolve) => {
      land = resolve;
    });
    const store = new CountingStore(new MemoryBackend(), { late: true });
    const { set } = store;
    store.set = async (...args) => {
      await landing;
      return set(...args);
    };
    const bench = await rig({ backend: store } as CacheOptions, {}, tagged);
    await bench.http.get('/x');
    store.take();
    expect((await bench.http.get('/x')).fromCache).to.equal(true);
    expect(store.take()).to.deep.equal(NONE);
    land();
    await bench.adapter.cache.flush();
    expect((await bench.http.get('/x')).fromCache).to.equal(true);
    expect(store.take()).to.deep.equal({ get: 1, set: 1, delete: 0 });
    await bench.close();
  });
});
