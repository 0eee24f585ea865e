/** A remote store that fails again and again, takes writes too slowly, or tells what others changed. */
import { expect } from 'chai';
import { type CacheEvent, CacheOptionError, type CacheOptions, cacheAdapter } from '../../lib/index.js';
import type { Rig } from '../support/harness.js';
import { Gate, RemoteStore, until, using } from './support.js';

const HANG = () => new Promise<void>(() => {});
const BREAK = () => {
  throw new Error('connection refused');
};

/** A rig over a store that answers with promises. */
function over(
  options: object,
  body: (rig: Rig, store: RemoteStore) => Promise<void>,
  store = new RemoteStore(),
): () => Promise<void> {
  return using({ backend: store, ...options } as CacheOptions, (rig) => body(rig, store));
}

/** Requests until the store is no longer asked; how many it took. */
async function breakIt({ http }: Rig, store: RemoteStore): Promise<number> {
  for (let n = 1; n <= 20; n++) {
    const before = store.calls.length;
    await http.get(`/break/${n}`);
    if (store.calls.length === before) return n;
  }
  throw new Error('the store was asked all the time');
}

async function stored({ http, adapter }: Rig, path: string): Promise<boolean> {
  await http.get(path);
  await adapter.cache.flush();
  return (await http.get(path)).fromCache;
}

describe('a store that fails again and again', () => {
  it(
    'is not asked any more, and costs requests nothing',
    over({ storeTimeout: 0.05 }, async (rig, store) => {
      store.before = HANG;
      const began = performance.now();
      await rig.http.get('/first', { expireAfter: 10 });
      // Bounded from below alone: how fast the machine is must not count.
      expect(performance.now() - began).to.be.at.least(49);
      expect(store.calls, 'the look at it').to.deep.equal(['get', 'get']);
      expect(rig.errors.map(({ reason }) => reason)).to.deep.equal(['read', 'write']);
      const asked = store.calls.length;
      for (let n = 0; n < 20; n++) expect((await rig.http.get(`/more/${n}`)).status).to.equal(200);
      // But for looks at it, which no request waits for.
      expect(store.calls.slice(asked).filter((call) => call !== 'get')).to.deep.equal([]);
      expect(rig.origin.requests.filter(({ url }) => url.startsWith('/more')).length).to.equal(20);
    }),
  );

  it(
    'is named with the cause in an event for each operation that was not asked',
    over({}, async (rig, store) => {
      store.before = BREAK;
      await breakIt(rig, store);
      rig.errors.length = 0;
      await rig.http.get('/x');
      expect(rig.errors.map(({ reason }) => reason)).to.deep.equal(['read', 'write']);
      for (const { error, store: name } of rig.errors) {
        expect(name).to.equal('RemoteStore');
        expect(error?.message).to.match(/^RemoteStore: not asked until .*connection refused/);
        expect(error?.cause).to.have.property('message', 'connection refused');
      }
    }),
  );

  it(
    'is asked again by itself as soon as it answers',
    over({}, async (rig, store) => {
      store.before = BREAK;
      await breakIt(rig, store);
      store.before = () => {};
      const asked = store.calls.length;
      await until(() => store.calls.length > asked);
      expect(await stored(rig, '/after')).to.equal(true);
    }),
  );

  it(
    'stays left alone while looks at it fail too',
    over({}, async (rig, store) => {
      store.before = BREAK;
      await breakIt(rig, store);
      const asked = store.calls.length;
      await until(() => store.calls.length >= asked + 2);
      expect(new Set(store.calls.slice(asked))).to.deep.equal(new Set(['get']));
      store.before = () => {};
      await until(() => store.calls.length >= asked + 3);
      expect(await stored(rig, '/after')).to.equal(true);
    }),
  );

  it(
    'is one that fails in a row: what goes well in between counts',
    over({}, async (rig, store) => {
      store.before = (operation) => {
        if (operation === 'set') throw new Error('read only');
      };
      for (let n = 0; n < 40; n++) await rig.http.get(`/${n}`);
      expect(store.calls.filter((call) => call === 'get').length).to.equal(40);
    }),
  );

  it('is looked at no more once the cache is closed', async () => {
    const store = new RemoteStore();
    await over(
      { storeTimeout: 0.05 },
      async (rig) => {
        store.before = HANG;
        await breakIt(rig, store);
        await rig.adapter.close();
        const asked = store.calls.length;
        await new Promise((resolve) => setTimeout(resolve, 1200));
        expect(store.calls.length).to.equal(asked);
      },
      store,
    )();
  });
});

describe('storeTimeout', () => {
  const LONGEST = 2_147_483;

  it('is refused where a timer could not wait so long, by name of the longest', () => {
    for (const storeTimeout of [LONGEST + 1, 1e7]) {
      expect(() => cacheAdapter({ backend: new RemoteStore(), storeTimeout } as CacheOptions))
        .to.throw(CacheOptionError, /storeTimeout.*at most 2147483/)
        .with.property('value', storeTimeout);
    }
    const adapter = cacheAdapter({ backend: 'memory' });
    expect(() => {
      adapter.settings.storeTimeout = 1e7;
    }).to.throw(CacheOptionError, /at most 2147483/);
  });

  it('as long as it may be fails nothing, also where it counts many times', async () => {
    class TrimmedStore extends RemoteStore {
      async trim(): Promise<string[]> {
        this.calls.push('trim');
        await new Promise((resolve) => setTimeout(resolve, 20)); // longer than a timer that overflowed
        return [];
      }
    }
    const store = new TrimmedStore();
    store.before = () => new Promise((resolve) => setTimeout(resolve, 20));
    await over(
      { storeTimeout: LONGEST, maxEntries: 5 },
      async (rig) => {
        expect(await stored(rig, '/x')).to.equal(true);
        expect(await rig.adapter.cache.delete({ urls: [`${rig.origin.url}/x`] })).to.equal(1);
        await rig.adapter.cache.flush();
        expect(store.calls).to.include('trim');
        expect(rig.errors).to.deep.equal([]);
      },
      store,
    )();
  });
});

describe('an entry that was invalidated while the store could not delete it', () => {
  /** Two requests for /x, of which the second is a hit; then a POST to it while deleting fails. */
  async function invalidate(rig: Rig, store: RemoteStore): Promise<void> {
    expect(await stored(rig, '/x')).to.equal(true);
    store.before = (operation) => {
      if (operation === 'delete') throw new Error('down');
    };
    await rig.http.post('/x');
    await until(() => rig.errors.length > 0);
    expect(rig.errors.map(({ reason }) => reason)).to.deep.equal(['delete']);
    expect(store.map.size).to.equal(1);
  }

  it(
    'is not served when the store is back',
    over({}, async (rig, store) => {
      await invalidate(rig, store);
      store.before = (operation) => {
        if (operation !== 'get') throw new Error('still down');
      };
      expect((await rig.http.get('/x')).fromCache).to.equal(false);
      store.before = () => {};
      expect((await rig.http.get('/x')).fromCache).to.equal(false);
      await rig.adapter.cache.flush();
      expect((await rig.http.get('/x')).fromCache).to.equal(true);
    }),
  );

  it(
    'is deleted after all by the next flush or maintenance call',
    over({}, async (rig, store) => {
      await invalidate(rig, store);
      store.before = () => {};
      expect(await rig.adapter.cache.count()).to.equal(0);
      expect(store.map.size).to.equal(0);
    }),
  );

  it(
    'is deleted after all when a store that was left alone answers again',
    over({}, async (rig, store) => {
      await invalidate(rig, store);
      store.before = BREAK;
      await breakIt(rig, store);
      store.before = () => {};
      await until(() => store.map.size === 0);
    }),
  );

  it(
    'is replaced by what is stored under its key later',
    over({}, async (rig, store) => {
      await invalidate(rig, store);
      await rig.http.get('/x');
      store.before = () => {};
      await rig.http.get('/x', { forceRefresh: true });
      await rig.adapter.cache.flush();
      expect((await rig.http.get('/x')).fromCache).to.equal(true);
    }),
  );
});

describe('a store that takes writes more slowly than responses come', () => {
  it(
    'gets a bounded queue: what is too much passes through unstored, with an event',
    over({ storeTimeout: 60 }, async (rig, store) => {
      const gate = new Gate();
      store.before = (operation) => (operation === 'set' ? gate.opened : undefined);
      const extra = 20;
      for (let n = 0; n < 1000 + extra; n++) await rig.http.get(`/${n}`);
      expect(store.calls.filter((call) => call === 'set').length).to.equal(1000);
      expect(rig.errors.length).to.equal(extra);
      expect(rig.errors[0]).to.include({ reason: 'write', store: 'RemoteStore' });
      expect(rig.errors[0]?.error?.message).to.match(/too many writes are waiting/);
      gate.open();
      await rig.adapter.cache.flush();
      expect(store.map.size).to.equal(1000);
      expect(await stored(rig, '/later')).to.equal(true);
    }),
  ).timeout(60_000);

  it(
    'has its queue bounded by bytes too, but always takes one',
    over({ storeTimeout: 60, maxEntryBytes: 200 * 1024 * 1024 }, async (rig, store) => {
      const gate = new Gate();
      store.before = (operation) => (operation === 'set' ? gate.opened : undefined);
      rig.origin.on('/large', (_, res) => void res.end(Buffer.alloc(65 * 1024 * 1024)));
      await rig.http.get('/large', { responseType: 'arraybuffer' });
      await rig.http.get('/small');
      expect(store.calls.filter((call) => call === 'set').length).to.equal(1);
      expect(rig.errors.length).to.equal(1);
      gate.open();
    }),
  );
});

describe('a store that tells what others changed', () => {
  class TellingStore extends RemoteStore {
    present = 0;
    listeners: ((key: string | undefined) => void)[] = [];
    version(): number {
      return this.present;
    }
    onChange(listener: (key: string | undefined) => void): () => void {
      this.listeners.push(listener);
      return () => {
        this.listeners = this.listeners.filter((other) => other !== listener);
      };
    }
    tell(key: string | undefined): void {
      for (const listener of this.listeners) listener(key);
    }
  }

  async function reads(store: RemoteStore, request: () => Promise<{ fromCache: boolean }>): Promise<number> {
    const before = store.calls.filter((call) => call === 'get').length;
    expect((await request()).fromCache).to.equal(true);
    return store.calls.filter((call) => call === 'get').length - before;
  }

  it('is not read for what is hot, until that key, any key or the connection changed', async () => {
    const store = new TellingStore();
    await over(
      {},
      async (rig) => {
        const x = () => rig.http.get('/x');
        const y = () => rig.http.get('/y');
        const { cacheKey } = await x();
        await y();
        await rig.adapter.cache.flush();
        expect([await reads(store, x), await reads(store, x), await reads(store, y)]).to.deep.equal([
          1, 0, 1,
        ]);
        store.tell(cacheKey);
        expect([await reads(store, x), await reads(store, x), await reads(store, y)]).to.deep.equal([
          1, 0, 0,
        ]);
        store.tell(undefined);
        expect([await reads(store, x), await reads(store, y), await reads(store, y)]).to.deep.equal([
          1, 1, 0,
        ]);
        store.present = Number.NaN;
        expect([await reads(store, x), await reads(store, x)]).to.deep.equal([1, 1]);
        store.present = 2;
        expect([await reads(store, x), await reads(store, x)]).to.deep.equal([1, 0]);
        await rig.adapter.close();
        expect(store.listeners.length).to.equal(0);
      },
      store,
    )();
  });

  it('makes nothing hot that was changed while it was read', async () => {
    const store = new TellingStore();
    await over(
      {},
      async (rig) => {
        const { cacheKey } = await rig.http.get('/x');
        await rig.adapter.cache.flush();
        const gate = new Gate();
        store.before = () => gate.opened;
        const reading = rig.http.get('/x');
        await until(() => store.calls.at(-1) === 'get');
        store.tell(cacheKey);
        gate.open();
        await reading;
        expect(await reads(store, () => rig.http.get('/x'))).to.equal(1);
      },
      store,
    )();
  });
});

describe('what a store is told of a key', () => {
  class MetaStore extends RemoteStore {
    readonly plain: Record<string, boolean> = {};
    override async set(...[key, value, meta]: Parameters<RemoteStore['set']>): Promise<void> {
      this.plain[`${meta.index ? 'index ' : ''}${new URL(meta.url).pathname}`] = meta.plain === true;
      await super.set(key, value, meta);
    }
  }

  it('whether it can be told from the URL alone', async () => {
    const store = new MetaStore();
    await over(
      {},
      async (rig) => {
        rig.origin.on('/varying', (_, res) => void res.setHeader('vary', 'accept').end('{}'));
        rig.origin.on('/moved', (_, res) => void res.writeHead(302, { location: '/there' }).end());
        await rig.http.get('/plain');
        await rig.http.head('/head');
        await rig.http.get('/varying');
        await rig.http.get('/moved');
        await rig.http.get('/authorized', { headers: { authorization: 'Bearer x' } });
        await rig.http.get('/cookie', { headers: { cookie: 'a=b' } });
        await rig.http.get('/body', { data: { a: 1 } });
        await rig.http.get('/secret', { params: { token: 'x' } });
        await rig.adapter.cache.flush();
        expect(store.plain).to.deep.equal({
          '/plain': true,
          '/head': true,
          '/varying': true,
          'index /varying': true,
          '/there': true,
          'index /moved': true,
          '/authorized': false,
          '/cookie': false,
          '/body': false,
          '/secret': false,
        });
      },
      store,
    )();
  });

  it('never where a key function or matched headers decide', async () => {
    for (const options of [{ keyFn: () => 'same' }, { matchHeaders: true }] as CacheOptions[]) {
      const store = new MetaStore();
      await over(
        options,
        async (rig) => {
          await rig.http.get('/plain');
          await rig.adapter.cache.flush();
          expect(store.plain).to.deep.equal({ '/plain': false });
        },
        store,
      )();
    }
  });

  it('and what it need not look up goes all the same after an unsafe request by somebody else', async () => {
    class Blind extends RemoteStore {
      keysByUrl(): string[] {
        return [];
      }
    }
    const events: CacheEvent[] = [];
    await over(
      {},
      async (rig) => {
        await rig.http.get('/x');
        await rig.adapter.cache.flush();
        rig.adapter.cache.on('invalidated', (event) => events.push(event));
        await rig.http.put('/x', 'y', { decompress: false, headers: { authorization: 'Bearer x' } });
        expect((await rig.http.get('/x')).fromCache).to.equal(false);
        expect(events.length).to.equal(1);
      },
      new Blind(),
    )();
  });
});
