import { expect } from 'chai';
import {
  CacheOptionError,
  CacheRecordError,
  CacheStoreError,
  type FilterOptions,
  type Store,
} from '../../lib/index.js';
import {
  collect,
  inMemory,
  onEachStore,
  PlainStore,
  redirect,
  rejection,
  type StoredRig,
  varying,
} from './support.js';

/** /old expired ten seconds ago, /fresh has time, /never for ever; stored in this order, ten seconds apart. */
async function three({ http, clock }: StoredRig): Promise<Record<string, string>> {
  const keys: Record<string, string> = {};
  for (const [path, expireAfter] of [
    ['/old', 10],
    ['/fresh', 1000],
    ['/never', -1],
  ] as const) {
    keys[path] = (await http.get(path, { expireAfter })).cacheKey ?? '';
    clock.tick(10);
  }
  return keys;
}

onEachStore('iteration', (start) => {
  it('goes over keys, responses and both, each once', async () => {
    const on = await start();
    const { cache } = on.adapter;
    const keys = Object.values(await three(on)).sort();
    expect((await collect(cache.keys())).sort()).to.deep.equal(keys);
    expect((await collect(cache.values())).map(({ key }) => key).sort()).to.deep.equal(keys);
    const entries = await collect(cache.entries());
    expect(entries.map(([key]) => key).sort()).to.deep.equal(keys);
    for (const [key, response] of entries) {
      expect(response.key).to.equal(key);
      expect(response.json()).to.include({ method: 'GET', url: new URL(response.url).pathname });
    }
    expect(on.origin.count).to.equal(3);
  });

  it('is over at once when nothing is stored', async () => {
    const { adapter } = await start();
    const { cache } = adapter;
    for (const items of [cache.keys(), cache.values(), cache.entries(), cache.filter({ invalid: true })]) {
      expect(await collect<unknown>(items)).to.deep.equal([]);
    }
    expect(await cache.urls()).to.deep.equal([]);
    expect([await cache.count(), await cache.size()]).to.deep.equal([0, 0]);
  });

  it('is safe while entries are deleted, replaced and added', async () => {
    const { adapter, http } = await start();
    const { cache } = adapter;
    const all: string[] = [];
    for (let n = 0; n < 20; n++) all.push((await http.get(`/${n}`)).cacheKey ?? '');
    const seen: string[] = [];
    let added = 0;
    for await (const key of cache.keys()) {
      seen.push(key);
      if (seen.length > 60) throw new Error('an iteration that feeds itself does not end');
      const victim = all.find((one) => !seen.includes(one));
      if (seen.length % 2 === 0 && victim !== undefined) {
        await cache.delete({ keys: [victim] });
        all.splice(all.indexOf(victim), 1);
      }
      await http.get(`/${seen.length}`, { forceRefresh: true });
      if (seen.length % 5 === 0 && added < 10) await http.get(`/new-${added++}`);
    }
    // What was there all the time is seen, and nothing twice.
    expect(new Set(seen).size).to.equal(seen.length);
    expect(seen).to.include.members(all.filter((key) => seen.includes(key)));
    for (const key of all) expect(seen, key).to.include(key);
  });

  it('can be left early, and the cache goes on', async () => {
    const on = await start();
    await three(on);
    for await (const _ of on.adapter.cache.values()) break;
    const values = on.adapter.cache.values();
    await values.next();
    await values.return(undefined);
    expect((await on.http.get('/never')).fromCache).to.equal(true);
    expect(await on.adapter.cache.count()).to.equal(3);
    await on.adapter.clear();
    expect(await on.adapter.cache.count()).to.equal(0);
  });

  it('passes over what can not be read, and over what leads to variants and redirects', async () => {
    const { adapter, http, origin, damage } = await start({ hotBytes: 0 });
    const { cache } = adapter;
    origin.on('/v', varying('Accept')).on('/hop', redirect('/target'));
    await http.get('/v', { headers: { Accept: 'a/a' } });
    await http.get('/v', { headers: { Accept: 'b/b' } });
    await http.get('/hop');
    await damage((await http.get('/bad')).cacheKey ?? '');
    expect(await collect(cache.keys())).to.have.length(3);
    expect(await cache.urls()).to.deep.equal([`${origin.url}/target`, `${origin.url}/v`]);
    expect(await collect(cache.filter())).to.have.length(3);
  });
});

onEachStore('filter', (start) => {
  const cases: [FilterOptions | undefined, string[]][] = [
    [undefined, ['/fresh', '/never', '/old']],
    [{}, ['/fresh', '/never', '/old']],
    [{ valid: true, expired: false }, ['/fresh', '/never']],
    [{ expired: false }, ['/fresh', '/never']],
    [{ valid: false }, ['/old']],
    [{ valid: false, expired: false }, []],
    [{ olderThan: 20 }, ['/old']],
    [{ olderThan: 0 }, ['/fresh', '/never', '/old']],
    [{ olderThan: { seconds: 19 } }, ['/fresh', '/old']],
    [{ olderThan: 5, expired: false }, ['/fresh', '/never']],
    [{ olderThan: 100 }, []],
  ];
  for (const [options, wanted] of cases) {
    it(`yields ${wanted.join(' ') || 'nothing'} for ${JSON.stringify(options)}`, async () => {
      const on = await start();
      await three(on);
      const found = await collect(on.adapter.cache.filter(options));
      expect(found.map(({ url }) => new URL(url).pathname).sort()).to.deep.equal(wanted);
    });
  }

  it('takes a Date for olderThan', async () => {
    const on = await start();
    await three(on);
    const olderThan = new Date(on.clock.now() - 20_000);
    const found = await collect(on.adapter.cache.filter({ olderThan }));
    expect(found.map(({ url }) => new URL(url).pathname)).to.deep.equal(['/old']);
  });

  it('adds unreadable entries with invalid: true, and yields them alone when nothing else is wanted', async () => {
    const on = await start({ hotBytes: 0 });
    const keys = await three(on);
    await on.damage(keys['/fresh'] ?? '');
    await on.store.set('foreign', new Uint8Array(0), { createdAt: 0, url: '' });
    const all = await collect(on.adapter.cache.filter({ invalid: true }));
    expect(all).to.have.length(4);
    const found = await collect(on.adapter.cache.filter({ valid: false, expired: false, invalid: true }));
    expect(found.map(({ key }) => key).sort()).to.deep.equal([keys['/fresh'], 'foreign'].sort());
    for (const entry of found) {
      expect(entry).to.have.keys('key', 'invalid', 'error');
      expect(entry).to.include({ invalid: true });
      expect('error' in entry && entry.error).to.be.instanceOf(CacheRecordError);
    }
    expect(await collect(on.adapter.cache.filter({ invalid: false }))).to.have.length(2);
    // Looking is no failure of the cache: nothing is reported.
    expect(on.errors).to.deep.equal([]);
  });

  it('yields as unreadable what another key has sealed', async () => {
    const { adapter, http, store, another } = await start({ secretKey: 'one' });
    await http.get('/a');
    const other = another({ backend: store, secretKey: 'two' });
    expect(await collect(other.adapter.cache.filter())).to.deep.equal([]);
    expect(await collect(other.adapter.cache.filter({ invalid: true }))).to.have.length(1);
    expect(await collect(adapter.cache.filter())).to.have.length(1);
  });
});

onEachStore('urls, count and size', (start) => {
  it('list final URLs, redacted, sorted, each once', async () => {
    const { adapter, http, origin } = await start();
    origin.on('/hop', redirect('/z?api_key=abc'));
    await http.get('/b');
    await http.head('/b');
    await http.get('/hop');
    await http.get('/a?token=secret&x=1');
    await http.get('/a', { auth: { username: 'ann', password: 'pw' } });
    await http.get(`${origin.url.replace('//', '//bob:pw@')}/a#part`);
    expect(await adapter.cache.urls()).to.deep.equal(
      ['/a', '/a?token=REDACTED&x=1', '/b', '/z?api_key=REDACTED'].map((path) => origin.url + path),
    );
  });

  it('count responses by expiry: each variant one, no aliases', async () => {
    const on = await start();
    const { http, adapter, origin, clock } = on;
    origin.on('/v', varying('Accept')).on('/hop', redirect('/target'));
    await three(on);
    await http.get('/v', { headers: { Accept: 'a/a' }, expireAfter: 5 });
    await http.get('/v', { headers: { Accept: 'b/b' } });
    await http.get('/hop', { expireAfter: 6 });
    await http.head('/never');
    const { cache } = adapter;
    expect(await cache.count()).to.equal(7);
    expect(await cache.count({})).to.equal(7);
    expect(await cache.count({ expired: true })).to.equal(1);
    clock.tick(5);
    expect(await cache.count({ expired: true })).to.equal(2);
    expect(await cache.count({ expired: false })).to.equal(5);
    clock.tick(1);
    expect(await cache.count({ expired: true })).to.equal(3);
    expect(await cache.count({ expired: undefined })).to.equal(7);
  });

  it('sum the bytes of the stored records', async () => {
    const { adapter, http, store, origin } = await start();
    origin.on('/v', varying('Accept'));
    await http.get('/a');
    await http.get('/v', { headers: { Accept: 'a/a' } });
    await adapter.cache.flush();
    let bytes = 0;
    for (const key of await collect(store.keys())) bytes += (await store.get(key))?.byteLength ?? 0;
    expect(await adapter.cache.size()).to.equal(bytes);
    expect(bytes).to.be.greaterThan(0);
    await adapter.clear();
    expect(await adapter.cache.size()).to.equal(0);
  });
});

onEachStore('clear', (start, makeStore) => {
  it('empties this cache at once, and requests go to the network again', async () => {
    const on = await start();
    await three(on);
    await on.adapter.cache.clear();
    expect(await on.adapter.cache.count()).to.equal(0);
    expect((await on.http.get('/never')).fromCache).to.equal(false);
    expect(await on.adapter.cache.count()).to.equal(1);
    await on.adapter.clear();
    expect(await collect(on.store.keys())).to.deep.equal([]);
  });

  it('leaves another cache alone', async () => {
    const { http, adapter, another } = await start();
    const other = another({ backend: makeStore() });
    await http.get('/a');
    await other.http.get('/a');
    await adapter.clear();
    expect(await adapter.cache.count()).to.equal(0);
    expect(await other.adapter.cache.count()).to.equal(1);
    expect((await other.http.get('/a')).fromCache).to.equal(true);
  });
});

onEachStore('iteration that is not left alone', (start) => {
  it('rejects when the cache is closed meanwhile, and does not end as if that were all', async () => {
    const on = await start();
    await three(on);
    const values = on.adapter.cache.values();
    expect((await values.next()).done).to.equal(false);
    await on.adapter.close();
    expect(await rejection(values.next())).to.be.instanceOf(CacheStoreError);
  });
});

describe('a store in plain JavaScript', () => {
  const start = inMemory();

  it('may list its keys at once, and answer null for what is not there', async () => {
    const map = new Map<string, Uint8Array>();
    const store = {
      get: (key: string) => map.get(key) ?? null,
      set: (key: string, value: Uint8Array) => void map.set(key, value),
      delete: (keys: string[]) => keys.filter((key) => map.delete(key)).length,
      clear: () => map.clear(),
      keys: () => [...map.keys()],
      close() {},
    };
    const { adapter, http, errors } = await start({ backend: store as unknown as Store });
    for (let n = 0; n < 2; n++) expect((await http.get('/a')).fromCache).to.equal(n === 1);
    expect(await adapter.cache.count()).to.equal(1);
    expect(await adapter.cache.size()).to.be.above(0);
    expect(await collect(adapter.cache.keys())).to.have.length(1);
    expect(errors).to.deep.equal([]);
  });

  it('is looked at by a class that goes by its name', async () => {
    const { adapter } = await start();
    expect(adapter.cache.constructor.name).to.equal('ResponseCache');
  });
});

describe('delete({ expired: true })', () => {
  const start = inMemory();

  it('leaves what a request fetches anew meanwhile', async () => {
    const store = new PlainStore();
    const read = store.get.bind(store);
    const { adapter, http, clock } = await start({ backend: store, expireAfter: 10 });
    for (const path of ['/a', '/b']) await http.get(path);
    clock.tick(11);
    await adapter.cache.flush();
    const keyOfA = [...store.map.keys()][0];
    let isFirst = true;
    store.get = async (key) => {
      const bytes = await read(key);
      if (isFirst && key !== keyOfA) {
        isFirst = false;
        await http.get('/a', { forceRefresh: true });
      }
      return bytes;
    };
    expect(await adapter.cache.delete({ expired: true })).to.equal(1);
    expect((await http.get('/a')).fromCache).to.equal(true);
  });
});

describe('options of maintenance calls', () => {
  const start = inMemory();

  it('are refused when they are unknown or of the wrong kind', async () => {
    const { adapter, http } = await start();
    await http.get('/a');
    const { cache } = adapter;
    const as = <T>(value: unknown) => value as T;
    for (const refused of [
      collect(cache.filter(as({ fresh: true }))),
      collect(cache.filter({ olderThan: as('1 day') })),
      collect(cache.filter({ olderThan: -1 })),
      collect(cache.filter({ expired: as('no') })),
      cache.count(as({ stale: true })),
      cache.count(as({ expired: 1 })),
      cache.removeExpiredResponses(as({ expireafter: 5 })),
      cache.removeExpiredResponses({ expireAfter: as('1 day') }),
      cache.removeExpiredResponses(as(5)),
    ]) {
      expect(await rejection(refused)).to.be.instanceOf(CacheOptionError);
    }
    expect(await cache.count()).to.equal(1);
  });

  it('say nothing of a store that can be iterated, and reject for one that can not', async () => {
    class Blind extends PlainStore {
      override keys(): AsyncGenerator<string> {
        throw new Error('no iteration here');
      }
    }
    const { adapter, http } = await start({ backend: new Blind() });
    await http.get('/a');
    for (const refused of [
      collect(adapter.cache.keys()),
      adapter.cache.count(),
      adapter.cache.size(),
      adapter.cache.urls(),
      adapter.cache.delete({ expired: true }),
      adapter.cache.removeExpiredResponses(),
    ]) {
      const error = await rejection(refused);
      expect(error).to.include({ code: 'ERR_CACHE_STORE' });
      expect(error.message).to.include('no iteration here');
    }
    expect((await http.get('/a')).fromCache).to.equal(true);
  });
});
