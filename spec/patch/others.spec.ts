/** Patching beside other packages that put adapters of theirs into axios' defaults. */
import type { AxiosAdapter, InternalAxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import type { CacheAdapter } from '../../lib/index.js';
import { type Bench, describeOnBoth, twice } from './copies.js';

const MEMORY = { backend: 'memory' } as const;

describeOnBoth('another package that replaces axios.defaults.adapter', (bench: Bench) => {
  let original: unknown;
  beforeEach(() => {
    original = bench.axios.defaults.adapter;
  });

  /** Puts an adapter over whatever is there and counts what goes through it; `undo` puts back what it found. */
  function intrude() {
    const { axios } = bench;
    const below = axios.defaults.adapter;
    const getAdapter = axios.getAdapter as (adapters: unknown, config: unknown) => AxiosAdapter;
    const through = {
      count: 0,
      adapter: (config: InternalAxiosRequestConfig) => {
        through.count += 1;
        return getAdapter(below, config)(config);
      },
      undo: () => {
        axios.defaults.adapter = below as AxiosAdapter;
      },
    };
    axios.defaults.adapter = through.adapter;
    return through;
  }

  it('before installCache is asked on a miss, and is back afterwards', async () => {
    const { axios, stash, url } = bench;
    const other = intrude();
    stash.installCache(MEMORY);
    expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
    expect(other.count).to.equal(1);
    await stash.uninstallCache();
    expect(axios.defaults.adapter).to.equal(other.adapter);
    other.undo();
  });

  it('after installCache lies over the cache, and stays when that is uninstalled', async () => {
    const { axios, stash, url } = bench;
    stash.installCache(MEMORY);
    const other = intrude();
    expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
    expect(other.count).to.equal(2);
    await stash.uninstallCache();
    expect(axios.defaults.adapter, 'not ours to take away').to.equal(other.adapter);
    expect(await twice(() => axios.get(url))).to.deep.equal(['past', 'past']);
    expect(other.count).to.equal(4);
    axios.defaults.adapter = original as AxiosAdapter;
  });

  it('between two installations: the new cache is on top, each request meets one cache', async () => {
    const { axios, stash, url, origin } = bench;
    stash.installCache(MEMORY);
    const other = intrude();
    await stash.uninstallCache();
    const { cache } = stash.installCache(MEMORY);
    expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
    expect(other.count, 'on the miss only').to.equal(1);
    expect(cache.stats()).to.include({ hits: 1, misses: 1 });
    expect(origin.count).to.equal(1);
    await stash.uninstallCache();
    expect(axios.defaults.adapter).to.equal(other.adapter);
    axios.defaults.adapter = original as AxiosAdapter;
  });

  it('that lets nothing through to the first: the second installCache caches all the same', async () => {
    const { axios, stash, url } = bench;
    stash.installCache(MEMORY);
    axios.defaults.adapter = 'http';
    expect(await twice(() => axios.get(url))).to.deep.equal(['past', 'past']);
    stash.installCache(MEMORY);
    expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
    await stash.uninstallCache();
    expect(axios.defaults.adapter).to.equal('http');
    axios.defaults.adapter = original as AxiosAdapter;
  });

  it('that puts our adapter back after we are gone does no harm, and the next round sets it right', async () => {
    const { axios, stash, url } = bench;
    stash.installCache(MEMORY);
    const other = intrude();
    await stash.uninstallCache();
    other.undo();
    expect(await twice(() => axios.get(url))).to.deep.equal(['past', 'past']);
    stash.installCache(MEMORY);
    expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
    await stash.uninstallCache();
    expect(axios.defaults.adapter).to.equal(original);
  });

  it('within enabled: what is around it and what is inside of it are told apart', async () => {
    const { axios, stash, url, origin } = bench;
    await stash.enabled(MEMORY, async () => {
      expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
      const other = intrude();
      const outer = stash.installCache(MEMORY).cache;
      expect(await twice(() => axios.get(url)), 'still its own cache').to.deep.equal(['cache', 'cache']);
      expect(other.count).to.equal(2);
      expect(await outer.count()).to.equal(0);
    });
    expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
    expect(origin.count).to.equal(2);
    await stash.uninstallCache();
    axios.defaults.adapter = original as AxiosAdapter;
  });
});

describeOnBoth('a cacheAdapter set as axios.defaults.adapter by hand', (bench: Bench) => {
  /** Sets it while `fn` runs. */
  async function byHand(fn: (adapter: CacheAdapter) => Promise<void>): Promise<void> {
    const { axios, stash } = bench;
    const original = axios.defaults.adapter;
    const adapter = stash.cacheAdapter(MEMORY);
    axios.defaults.adapter = adapter;
    try {
      await fn(adapter);
    } finally {
      axios.defaults.adapter = original as AxiosAdapter;
      await adapter.close();
    }
  }

  it('goes to the network by itself, never to itself', async () => {
    const { axios, url, origin } = bench;
    await byHand(async () => {
      expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
      expect(await twice(() => axios.create().get(`${url}/b`))).to.deep.equal(['network', 'cache']);
    });
    expect(origin.count).to.equal(2);
  });

  it('may lie under installCache: misses of the one are asked of the other', async () => {
    const { axios, stash, url, origin } = bench;
    await byHand(async (adapter) => {
      stash.installCache(MEMORY);
      expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
      await stash.clear();
      await axios.get(url);
      expect(origin.count).to.equal(1);
      await stash.uninstallCache();
      expect(axios.defaults.adapter).to.equal(adapter);
      expect((await axios.get(url)).fromCache).to.equal(true);
    });
  });

  it('may have the installed cache as its inner adapter', async () => {
    const { axios, stash, url, origin } = bench;
    const installed = stash.installCache(MEMORY);
    const over = stash.cacheAdapter({ ...MEMORY, adapter: axios.defaults.adapter as AxiosAdapter });
    const http = axios.create({ adapter: over });
    expect(await twice(() => http.get(url))).to.deep.equal(['network', 'cache']);
    expect((await axios.get(url)).fromCache).to.equal(true);
    expect(await installed.cache.count()).to.equal(1);
    expect(origin.count).to.equal(1);
    await over.close();
  });
});
