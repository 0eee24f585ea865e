/** What happens when two things happen to one entry at the same time. */
import { expect } from 'chai';
import { type CacheOptions, MemoryBackend, type Store } from '../../lib/index.js';
import { answer, Gate, RemoteStore, until, using } from '../adapter/support.js';
import { type Rig, rig } from '../support/harness.js';
import type { Handler } from '../support/origin.js';

/** Holds the first request until the gate opens, then answers it with what was current when it came. */
function slowFirst(gate: Gate): Handler {
  let n = 0;
  return async (_req, res) => {
    n += 1;
    const mine = n;
    if (mine === 1) await gate.opened;
    res.setHeader('etag', `"${mine}"`);
    res.end(`v${mine}`);
  };
}

describe('races of answers', () => {
  it(
    'an answer that was asked for earlier and comes later does not replace a newer one',
    using({}, async ({ origin, http }) => {
      const gate = new Gate();
      origin.on('/x', slowFirst(gate));
      const slow = http.get('/x');
      await until(() => origin.count === 1);
      expect((await http.get('/x', { forceRefresh: true })).data).to.equal('v2');
      gate.open();
      expect((await slow).data).to.equal('v1');
      const { data, fromCache } = await http.get('/x');
      expect({ data, fromCache }).to.deep.equal({ data: 'v2', fromCache: true });
    }),
  );

  it(
    'a streamed answer that ends after a newer one was stored does not replace it',
    using({}, async ({ origin, http }) => {
      const gate = new Gate();
      let n = 0;
      origin.on('/x', async (_req, res) => {
        n += 1;
        res.write(`v${n}`);
        if (n === 1) await gate.opened;
        res.end();
      });
      const { data: slow } = await http.get('/x', { responseType: 'stream' });
      expect((await http.get('/x', { forceRefresh: true })).data).to.equal('v2');
      gate.open();
      for await (const _ of slow);
      expect((await http.get('/x')).data).to.equal('v2');
    }),
  );

  it(
    'a 304 that comes after a newer response was stored does not bring the old one back',
    using({ expireAfter: 10 }, async ({ origin, http, clock }) => {
      const gate = new Gate();
      let isHeld = false;
      let body = 'v1';
      origin.on('/x', async (req, res) => {
        const mine = body;
        const isSame = req.headers['if-none-match'] === `"${mine}"`;
        if (isHeld && isSame) await gate.opened;
        res.writeHead(isSame ? 304 : 200, { etag: `"${mine}"` });
        res.end(isSame ? undefined : mine);
      });
      await http.get('/x');
      clock.tick(11);
      isHeld = true;
      const slow = http.get('/x');
      await until(() => origin.count === 2);
      body = 'v2';
      expect((await http.get('/x', { forceRefresh: true })).data).to.equal('v2');
      gate.open();
      await slow;
      const { data, fromCache } = await http.get('/x');
      expect({ data, fromCache }).to.deep.equal({ data: 'v2', fromCache: true });
    }),
  );

  it(
    'an answer under way for a URL whose parameters are in another order is not stored after an unsafe request',
    using({}, async ({ origin, http }) => {
      const gate = new Gate();
      let n = 0;
      origin.on('/x', async (req, res) => {
        if (req.method === 'PUT') return void res.end();
        n += 1;
        const mine = n;
        if (mine === 1) await gate.opened;
        res.end(`v${mine}`);
      });
      const slow = http.get('/x?b=2&a=1');
      await until(() => origin.count === 1);
      await http.put('/x?a=1&b=2', 'new');
      gate.open();
      await slow;
      expect((await http.get('/x?b=2&a=1')).data).to.equal('v2');
    }),
  );
});

describe('races of hot records', () => {
  it('a record that is still being decompressed when it is deleted does not come back', async () => {
    const bench = await rig({ compression: 'gzip', hotBytes: 32 * 1024 * 1024 });
    const { origin, http, adapter } = bench;
    let n = 0;
    origin.on('/x', (req, res) => {
      if (req.method !== 'GET') return void res.end();
      n += 1;
      res.end(`v${n}`.padEnd(4_000_000, ' '));
    });
    await http.get('/x');
    await adapter.cache.flush();
    await adapter.cache.resetExpiration(1000); // nothing hot is left of it
    const reading = http.get('/x');
    const put = http.put('/x', 'new');
    await reading;
    await put;
    expect((await http.get('/x')).data.trim()).to.equal('v2');
    await bench.close();
  });

  it('a record read from a slow store while it was replaced does not stay hot', async () => {
    const gate = new Gate();
    let isHeld = false;
    class Versioned extends RemoteStore {
      version(): number {
        return 0;
      }
    }
    const store = new Versioned();
    const get = store.get.bind(store);
    store.get = async (key) => {
      const value = await get(key);
      if (isHeld) {
        isHeld = false;
        await gate.opened;
      }
      return value;
    };
    const bench = await rig({ backend: store } as CacheOptions);
    const { http, adapter } = bench;
    expect((await http.get('/x')).data.n).to.equal(1);
    await adapter.cache.flush();
    isHeld = true;
    const reading = http.get('/x');
    await until(() => !isHeld);
    expect((await http.get('/x', { forceRefresh: true })).data.n).to.equal(2);
    await adapter.cache.flush();
    gate.open();
    expect((await reading).data.n).to.equal(1);
    expect((await http.get('/x')).data.n).to.equal(2);
    await bench.close();
  });
});

describe('races of maintenance', () => {
  it('flush waits for the writes there are, not for those that come while it waits', async () => {
    const store = new RemoteStore();
    const bench = await rig({ backend: store, storeTimeout: 100 } as CacheOptions);
    const { http, adapter } = bench;
    const gates: Gate[] = [];
    store.before = (operation) => {
      if (operation !== 'set') return;
      const gate = new Gate();
      gates.push(gate);
      return gate.opened;
    };
    await http.get('/1');
    let isFlushed = false;
    const flushed = adapter.cache.flush().then(() => {
      isFlushed = true;
    });
    await http.get('/2');
    gates[0]?.open();
    await until(() => isFlushed);
    for (const gate of gates) gate.open();
    await flushed;
    await bench.close();
  });

  it('flush waits for the variant of a stream that has just ended', async () => {
    const store = new RemoteStore();
    const bench = await rig({ backend: store } as CacheOptions);
    const { origin, http, adapter } = bench;
    origin.on('/x', answer('hello', { vary: 'accept-language' }));
    const { data } = await http.get('/x', { responseType: 'stream' });
    for await (const _ of data);
    await adapter.close();
    const again = bench.another({ backend: store } as CacheOptions);
    expect((await again.http.get('/x')).fromCache).to.equal(true);
    await bench.close();
  });

  /** Begins to set the expiry of `/x` anew, and goes on only after `meanwhile`. */
  async function whileRedating(meanwhile: (on: Rig) => Promise<unknown>): Promise<Rig> {
    const store = new RemoteStore();
    const bench = await rig({ backend: store } as CacheOptions);
    await bench.http.get('/x');
    await bench.adapter.cache.flush();
    const gate = new Gate();
    let isReading = false;
    const get = store.get.bind(store);
    store.get = async (key) => {
      const value = await get(key);
      if (isReading) return value;
      isReading = true;
      await gate.opened;
      return value;
    };
    const redated = bench.adapter.cache.resetExpiration(1000);
    await until(() => isReading);
    await meanwhile(bench);
    gate.open();
    await redated;
    await bench.adapter.cache.flush();
    return bench;
  }

  it('a response stored while expiry is set anew is not overwritten with the old one', async () => {
    const { http, close } = await whileRedating((on) => on.http.get('/x', { forceRefresh: true }));
    const { data, fromCache } = await http.get('/x');
    expect([data.n, fromCache]).to.deep.equal([2, true]);
    await close();
  });

  for (const [what, remove] of [
    ['an unsafe request', (on: Rig) => on.http.put('/x', 'new')],
    ['delete', (on: Rig) => on.adapter.cache.delete({ urls: [`${on.origin.url}/x`] })],
    ['clear', (on: Rig) => on.adapter.cache.clear()],
  ] as const) {
    it(`what ${what} removed while expiry is set anew stays removed`, async () => {
      const { http, close } = await whileRedating(remove);
      expect((await http.get('/x')).fromCache).to.equal(false);
      await close();
    });
  }

  for (const [what, remove] of [
    ['an unsafe request', (on: Rig) => on.http.put('/x', 'new')],
    ['delete', (on: Rig) => on.adapter.cache.delete({ urls: [`${on.origin.url}/x`] })],
    ['clear', (on: Rig) => on.adapter.cache.clear()],
  ] as const) {
    it(`what ${what} removes while a new expiry is on its way to the store stays removed`, async () => {
      const store = new RemoteStore();
      const bench = await rig({ backend: store } as CacheOptions);
      await bench.http.get('/x');
      await bench.adapter.cache.flush();
      const gate = new Gate();
      store.before = (operation) => (operation === 'set' ? gate.opened : undefined);
      const redated = bench.adapter.cache.resetExpiration(1000);
      await until(() => store.calls.at(-1) === 'set');
      const removed = remove(bench);
      for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setTimeout(resolve, 1));
      gate.open();
      await Promise.all([redated, removed]);
      await bench.adapter.cache.flush();
      expect((await bench.http.get('/x')).fromCache).to.equal(false);
      await bench.close();
    });
  }

  it('what is still on its way out when its expiry would be set anew stays removed', async () => {
    const store = new RemoteStore();
    const bench = await rig({ backend: store } as CacheOptions);
    const { http, adapter } = bench;
    const { cacheKey: first } = await http.get('/first');
    await http.get('/x');
    await adapter.cache.flush();
    const [read, deleted] = [new Gate(), new Gate()];
    let isReading = false;
    const get = store.get.bind(store);
    store.get = async (key) => {
      const value = await get(key);
      if (key !== first || isReading) return value;
      isReading = true;
      await read.opened;
      return value;
    };
    const redated = adapter.cache.resetExpiration(1000);
    await until(() => isReading);
    store.before = (operation) => (operation === 'delete' ? deleted.opened : undefined);
    await http.put('/x', 'new');
    read.open();
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setTimeout(resolve, 1));
    deleted.open();
    await redated;
    await adapter.cache.flush();
    expect((await http.get('/x')).fromCache).to.equal(false);
    await bench.close();
  });

  it('update() adds the variants of the other cache to those that are here', async () => {
    const bench = await rig({ backend: new MemoryBackend() } as CacheOptions);
    const { origin, http, adapter } = bench;
    origin.on('/x', (req, res) => {
      res.setHeader('vary', 'accept-language');
      res.end(String(req.headers['accept-language']));
    });
    const en = { headers: { 'Accept-Language': 'en' } };
    const de = { headers: { 'Accept-Language': 'de' } };
    const other = bench.another();
    await http.get('/x', en);
    await other.http.get('/x', de);
    await adapter.cache.update(other.adapter.cache);
    const [first, second] = [await http.get('/x', en), await http.get('/x', de)];
    expect([first.data, first.fromCache]).to.deep.equal(['en', true]);
    expect([second.data, second.fromCache]).to.deep.equal(['de', true]);
    await bench.close();
  });
});

describe('storeTimeout', () => {
  it('runs from when an operation is sent, not while it waits for the one before', async () => {
    const store = new RemoteStore();
    const bench = await rig({ backend: store, storeTimeout: 0.3 } as CacheOptions);
    const { http, adapter } = bench;
    let sets = 0;
    store.before = (operation) => {
      if (operation !== 'set') return;
      sets += 1;
      return sets === 1 ? new Promise<void>(() => {}) : undefined;
    };
    for (let i = 0; i < 3; i++) await http.get('/x', { forceRefresh: true });
    await adapter.cache.flush();
    expect(bench.errors.map(({ error }) => error?.message)).to.have.length(1);
    await bench.close();
  });
});

describe('an unsafe request', () => {
  it("removes another user's response although it is still on its way to the store", async () => {
    const inner = new MemoryBackend();
    const gate = new Gate();
    const store: Store = Object.assign(new RemoteStore(), {
      get: async (key: string) => inner.get(key),
      set: async (...args: Parameters<Store['set']>) => {
        await gate.opened;
        return inner.set(...args);
      },
      delete: async (keys: string[]) => inner.delete(keys),
      keysByUrl: async (url: string) => inner.keysByUrl(url),
    });
    const bench = await rig({ backend: store } as CacheOptions);
    const { http, adapter } = bench;
    const bob = { headers: { Authorization: 'bob' } };
    await http.get('/x', bob);
    await http.put('/x', 'new', { headers: { Authorization: 'ann' } });
    gate.open();
    await adapter.cache.flush();
    expect((await http.get('/x', bob)).fromCache).to.equal(false);
    await bench.close();
  });

  it("outdates another user's response that could not be found, though its expiry is set anew meanwhile", async () => {
    const inner = new MemoryBackend();
    let isInTrouble = false;
    const store: Store = Object.assign(new RemoteStore(), {
      get: async (key: string) => inner.get(key),
      set: async (...args: Parameters<Store['set']>) => inner.set(...args),
      delete: async (keys: string[]) => inner.delete(keys),
      keys: () => inner.keys(),
      keysByUrl: async (url: string) => {
        if (isInTrouble) throw new Error('trouble');
        return inner.keysByUrl(url);
      },
    });
    const bench = await rig({ backend: store } as CacheOptions);
    const { http, adapter } = bench;
    const [ann, bob] = ['ann', 'bob'].map((name) => ({ headers: { Authorization: name } }));
    await http.get('/x', bob);
    await adapter.cache.flush();
    isInTrouble = true;
    await http.put('/x', 'new', ann);
    await adapter.cache.resetExpiration(1000);
    expect((await http.get('/x', bob)).fromCache).to.equal(false);
    await bench.close();
  });

  for (const [when, isOver] of [
    ['at the next flush', true],
    ['whenever it is read', false],
  ] as const) {
    it(`removes another user's response that a store in trouble could not find, ${when}`, async () => {
      const inner = new MemoryBackend();
      let isInTrouble = false;
      const store: Store = Object.assign(new RemoteStore(), {
        get: async (key: string) => inner.get(key),
        set: async (...args: Parameters<Store['set']>) => inner.set(...args),
        delete: async (keys: string[]) => inner.delete(keys),
        keysByUrl: async (url: string) => {
          if (isInTrouble) throw new Error('trouble');
          return inner.keysByUrl(url);
        },
      });
      const bench = await rig({ backend: store } as CacheOptions);
      const { http, adapter } = bench;
      const [ann, bob] = ['ann', 'bob'].map((name) => ({ headers: { Authorization: name } }));
      await http.get('/x', bob);
      await adapter.cache.flush();
      isInTrouble = true;
      await http.put('/x', 'new', ann);
      if (isOver) {
        isInTrouble = false;
        await adapter.cache.flush();
        expect(inner.count({ now: 0 })).to.equal(0);
      }
      expect((await http.get('/x', bob)).fromCache).to.equal(false);
      // What came afterwards is not what could not be found.
      expect((await http.get('/x', bob)).fromCache).to.equal(true);
      isInTrouble = false;
      await adapter.cache.flush();
      expect((await http.get('/x', bob)).fromCache).to.equal(true);
      await bench.close();
    });
  }
});
