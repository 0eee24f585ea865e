import type { AxiosAdapter, AxiosInstance, AxiosStatic } from 'axios';
import { expect } from 'chai';
import type { InstallOptions } from '../../lib/index.js';
import { type Bench, describeOnBoth, twice } from './copies.js';

const MEMORY = { backend: 'memory' } as const;

describeOnBoth('installCache', (bench: Bench) => {
  it('makes axios itself cached, by whichever of its methods', async () => {
    const { axios, stash, origin } = bench;
    stash.installCache(MEMORY);
    const ways: Record<string, (url: string) => Promise<import('axios').AxiosResponse>> = {
      get: (url) => axios.get(url),
      request: (url) => axios.request({ url }),
      call: (url) => axios(url),
      'call with a config': (url) => axios({ url }),
      head: (url) => axios.head(url),
    };
    for (const [name, way] of Object.entries(ways)) {
      const url = `${bench.url}/${encodeURIComponent(name)}`;
      expect(await twice(() => way(url)), name).to.deep.equal(['network', 'cache']);
    }
    expect(origin.count).to.equal(5);
  });

  it('makes instances cached that are created afterwards, not those made before', async () => {
    const { axios, stash, url } = bench;
    const before = axios.create();
    stash.installCache(MEMORY);
    const after = axios.create({ baseURL: url });
    const child = axios.create().create({ baseURL: url });
    expect(await twice(() => before.get(url))).to.deep.equal(['past', 'past']);
    expect(await twice(() => after.get('/a'))).to.deep.equal(['network', 'cache']);
    expect(await twice(() => child.get('/b'))).to.deep.equal(['network', 'cache']);
  });

  it('shares one cache among axios and all these instances', async () => {
    const { axios, stash, url, origin } = bench;
    stash.installCache(MEMORY);
    await axios.get(url);
    expect((await axios.create().get(url)).fromCache).to.equal(true);
    expect(origin.count).to.equal(1);
  });

  it('takes every option of cacheAdapter, and hands the adapter out', async () => {
    const { axios, stash, url, origin } = bench;
    const adapter = stash.installCache({ ...MEMORY, expireAfter: 360, allowableMethods: ['GET', 'POST'] });
    expect(await twice(() => axios.post(url, { a: 1 }))).to.deep.equal(['network', 'cache']);
    expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
    expect(origin.count).to.equal(2);
    expect(adapter.settings.expireAfter).to.equal(360);
    expect(adapter.cache).to.equal(stash.getCache());
    expect(await adapter.cache.count()).to.equal(2);
  });

  it('leaves a request that names its own adapter alone', async () => {
    const { axios, stash, url } = bench;
    stash.installCache(MEMORY);
    expect(await twice(() => axios.get(url, { adapter: 'http' }))).to.deep.equal(['past', 'past']);
    expect(await twice(() => axios.create({ adapter: 'http' }).get(url))).to.deep.equal(['past', 'past']);
  });

  it('keeps interceptors and defaults of axios in force', async () => {
    const { axios, stash, url } = bench;
    stash.installCache(MEMORY);
    let seen = 0;
    const id = axios.interceptors.response.use((response) => {
      seen += 1;
      return response;
    });
    try {
      expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
    } finally {
      axios.interceptors.response.eject(id);
    }
    expect(seen).to.equal(2);
  });

  it('refuses bad options, names them, and leaves everything as it was', async () => {
    const { axios, stash, url } = bench;
    const bad: [string, unknown][] = [
      ['backend', { backend: 'sqlight' }],
      ['expireafter', { ...MEMORY, expireafter: 1 }],
      ['axios', { ...MEMORY, axios: {} }],
      ['axios', { ...MEMORY, axios: [] }],
      ['axios', { ...MEMORY, axios: [axios, null] }],
      ['axios', { ...MEMORY, axios: null }],
      ['options', null],
      ['options', 'sqlite'],
    ];
    const original = axios.defaults.adapter;
    for (const [option, options] of bad) {
      expect(() => stash.installCache(options as InstallOptions), option)
        .to.throw(stash.CacheOptionError)
        .with.property('option', option);
      expect(axios.defaults.adapter).to.equal(original);
      expect(stash.isInstalled()).to.equal(false);
    }
    stash.installCache(MEMORY);
    await axios.get(url);
    expect(() => stash.installCache({ backend: 'sqlight' } as never)).to.throw();
    expect((await axios.get(url)).fromCache, 'the cache that was there goes on').to.equal(true);
  });
});

describeOnBoth('a second installCache', (bench: Bench) => {
  it('replaces the first, and one uninstallCache restores the original', async () => {
    const { axios, stash, url } = bench;
    const original = axios.defaults.adapter;
    const first = stash.installCache(MEMORY);
    await axios.get(url);
    const second = stash.installCache({ ...MEMORY, expireAfter: 60 });
    expect(stash.getCache()).to.equal(second.cache);
    expect(await twice(() => axios.get(url)), 'a cache of its own').to.deep.equal(['network', 'cache']);
    expect(first.cache.stats()).to.include({ hits: 0, misses: 1 });
    await stash.uninstallCache();
    expect(axios.defaults.adapter).to.equal(original);
    expect(await twice(() => axios.get(url))).to.deep.equal(['past', 'past']);
  });

  it('serves instances that were made under the first', async () => {
    const { axios, stash, url } = bench;
    stash.installCache(MEMORY);
    const http = axios.create();
    const { cache } = stash.installCache(MEMORY);
    expect(await twice(() => http.get(url))).to.deep.equal(['network', 'cache']);
    expect(await cache.count()).to.equal(1);
  });

  it('closes the first: maintenance of it rejects', async () => {
    const { stash } = bench;
    const first = stash.installCache(MEMORY);
    stash.installCache(MEMORY);
    // The closing was begun by installCache; this waits for it.
    await first.close();
    const error = await first.cache.count().catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(stash.CacheStoreError);
  });

  it('leaves a backend that was handed in to the one who made it', async () => {
    const { axios, stash, url } = bench;
    const backend = new stash.MemoryBackend();
    stash.installCache({ backend });
    await axios.get(url);
    stash.installCache({ backend });
    expect((await axios.get(url)).fromCache).to.equal(true);
    await stash.uninstallCache();
    stash.installCache({ backend });
    expect((await axios.get(url)).fromCache, 'after uninstalling too').to.equal(true);
  });
});

describeOnBoth('uninstallCache', (bench: Bench) => {
  it('restores the very value of axios.defaults.adapter, whatever it was', async () => {
    const { axios, stash } = bench;
    const before = axios.defaults.adapter;
    const own: AxiosAdapter = async () => Promise.reject(new Error('never asked'));
    const values: unknown[] = [own, 'http', ['fetch', 'http'], [own], before];
    try {
      for (const value of values) {
        axios.defaults.adapter = value as AxiosAdapter;
        stash.installCache(MEMORY);
        expect(axios.defaults.adapter).to.not.equal(value);
        await stash.uninstallCache();
        expect(axios.defaults.adapter).to.equal(value);
      }
    } finally {
      axios.defaults.adapter = before as AxiosAdapter;
    }
  });

  it('restores it at once, not when the store is closed', async () => {
    const { axios, stash } = bench;
    const original = axios.defaults.adapter;
    stash.installCache(MEMORY);
    const done = stash.uninstallCache();
    expect(axios.defaults.adapter).to.equal(original);
    expect(stash.isInstalled()).to.equal(false);
    await done;
  });

  it('has no effect when nothing is installed, nor a second time', async () => {
    const { axios, stash } = bench;
    const original = axios.defaults.adapter;
    await stash.uninstallCache();
    stash.installCache(MEMORY);
    await Promise.all([stash.uninstallCache(), stash.uninstallCache()]);
    expect(axios.defaults.adapter).to.equal(original);
  });

  it('and installCache may follow each other as often as one likes', async () => {
    const { axios, stash, url } = bench;
    const original = axios.defaults.adapter;
    for (let round = 0; round < 5; round++) {
      stash.installCache(MEMORY);
      expect(await twice(() => axios.get(url)), `round ${round}`).to.deep.equal(['network', 'cache']);
      await stash.uninstallCache();
      expect(axios.defaults.adapter).to.equal(original);
      expect(await twice(() => axios.get(url)), `round ${round}`).to.deep.equal(['past', 'past']);
    }
  });

  it('makes instances that were created meanwhile go past the cache, for good', async () => {
    const { axios, stash, url } = bench;
    stash.installCache(MEMORY);
    const http = axios.create();
    expect(await twice(() => http.get(url))).to.deep.equal(['network', 'cache']);
    await stash.uninstallCache();
    expect(await twice(() => http.get(url))).to.deep.equal(['past', 'past']);
    stash.installCache(MEMORY);
    expect(await twice(() => http.get(url)), 'made before this installCache').to.deep.equal(['past', 'past']);
  });

  it('lets a request that is under way come to its end', async () => {
    const { axios, stash, url, origin } = bench;
    let answer = () => {};
    const asked = new Promise<void>((resolve) => {
      origin.on('/slow', (_request, res) => {
        answer = () => res.end('slow');
        resolve();
      });
    });
    stash.installCache(MEMORY);
    const response = axios.get(`${url}/slow`);
    await asked;
    await stash.uninstallCache();
    answer();
    expect((await response).data).to.equal('slow');
  });
});

describeOnBoth('isInstalled, getCache, clear and removeExpiredResponses', (bench: Bench) => {
  it('do nothing, and say so, when nothing is installed', async () => {
    const { stash } = bench;
    expect(stash.isInstalled()).to.equal(false);
    expect(stash.getCache()).to.equal(undefined);
    expect(await stash.clear()).to.equal(undefined);
    expect(await stash.removeExpiredResponses()).to.equal(0);
    expect(await stash.removeExpiredResponses({ expireAfter: 1 })).to.equal(0);
  });

  it('are about the installed cache', async () => {
    const { axios, stash, url } = bench;
    let now = Date.UTC(2026, 0, 15);
    const { cache } = stash.installCache({ ...MEMORY, clock: () => now });
    expect(stash.isInstalled()).to.equal(true);
    expect(stash.getCache()).to.equal(cache);
    for (const expireAfter of [10, 100, -1]) await axios.get(`${url}/${expireAfter}`, { expireAfter });
    now += 50_000;
    expect(await stash.removeExpiredResponses()).to.equal(1);
    expect(await cache.count()).to.equal(2);
    expect(await stash.removeExpiredResponses({ expireAfter: 40 })).to.equal(2);
    await axios.get(url);
    await stash.clear();
    expect(await cache.count()).to.equal(0);
    expect((await axios.get(url)).fromCache).to.equal(false);
  });
});

describeOnBoth('options.axios', (bench: Bench) => {
  /** Another copy of axios, as a nested dependency would be: its own defaults, its own instances. */
  function anotherCopy(adapter: unknown = bench.axios.defaults.adapter): AxiosStatic {
    const { axios } = bench;
    const copy = axios.create({ adapter: adapter as AxiosAdapter }) as AxiosInstance & AxiosStatic;
    return copy;
  }

  it('names the copy to patch, instead of the default one', async () => {
    const { axios, stash, url } = bench;
    const other = anotherCopy();
    const original = other.defaults.adapter;
    stash.installCache({ ...MEMORY, axios: other });
    expect(stash.isInstalled()).to.equal(true);
    expect(await twice(() => other.get(url))).to.deep.equal(['network', 'cache']);
    expect(await twice(() => axios.get(url))).to.deep.equal(['past', 'past']);
    await stash.uninstallCache();
    expect(other.defaults.adapter).to.equal(original);
    expect(await twice(() => other.get(url))).to.deep.equal(['past', 'past']);
  });

  it('names several copies, that share one cache; each gets back what was its own', async () => {
    const { axios, stash, url, origin } = bench;
    const other = anotherCopy(['fetch']);
    const copies = [axios, other];
    const originals = copies.map(({ defaults }) => defaults.adapter);
    stash.installCache({ ...MEMORY, axios: [...copies, other] });
    await axios.get(url);
    expect((await other.get(url)).fromCache).to.equal(true);
    expect(origin.count).to.equal(1);
    await stash.uninstallCache();
    expect(copies.map(({ defaults }) => defaults.adapter)).to.deep.equal(originals);
    for (const [at, { defaults }] of copies.entries()) expect(defaults.adapter).to.equal(originals[at]);
  });

  it('lets each copy go to the network by its own adapter', async () => {
    const { axios, stash, url, origin } = bench;
    const own: AxiosAdapter = async (config) => ({
      data: Buffer.from('from the adapter of the other'),
      status: 200,
      statusText: 'OK',
      headers: {},
      config,
      fromCache: false,
      isExpired: false,
      revalidated: false,
    });
    const other = anotherCopy(own);
    const adapter = stash.installCache({ ...MEMORY, axios: [axios, other] });
    expect((await other.get(`${url}/theirs`)).data).to.equal('from the adapter of the other');
    expect(origin.count).to.equal(0);
    expect((await axios.get(`${url}/ours`)).data).to.include({ n: 1 });
    expect((await other.get(`${url}/ours`)).data).to.include({ n: 1 });
    const byHand = axios.create({ adapter });
    expect((await byHand.get(`${url}/hand`)).data, 'through neither copy: as the first').to.include({ n: 2 });
  });

  it('gives up copies that the next installCache does not name', async () => {
    const { axios, stash, url } = bench;
    const other = anotherCopy();
    const original = other.defaults.adapter;
    stash.installCache({ ...MEMORY, axios: [axios, other] });
    stash.installCache(MEMORY);
    expect(other.defaults.adapter).to.equal(original);
    expect(await twice(() => other.get(url))).to.deep.equal(['past', 'past']);
    expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
  });
});
