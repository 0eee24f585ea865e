import type { AxiosAdapter, AxiosInstance, InternalAxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import { type Bench, describeOnBoth, twice } from './copies.js';

const MEMORY = { backend: 'memory' } as const;

describeOnBoth('wrapAxios', (bench: Bench) => {
  it('returns the same instance, with its cache and adapter on it', async () => {
    const { axios, stash, url } = bench;
    const instance = axios.create({ baseURL: url });
    const http = stash.wrapAxios(instance, MEMORY);
    expect(http).to.equal(instance);
    expect(http.cache).to.be.instanceOf(stash.ResponseCache);
    expect(http.cacheAdapter.cache).to.equal(http.cache);
    expect(http.defaults.adapter).to.equal(http.cacheAdapter);
    expect(await twice(() => http.get('/x'))).to.deep.equal(['network', 'cache']);
    expect(await http.cache.count()).to.equal(1);
    await http.cacheAdapter.close();
  });

  it('caches this instance alone, and those made of it', async () => {
    const { axios, stash, url } = bench;
    const http = stash.wrapAxios(axios.create(), MEMORY);
    expect(await twice(() => axios.get(url))).to.deep.equal(['past', 'past']);
    expect(await twice(() => axios.create().get(url))).to.deep.equal(['past', 'past']);
    expect(await twice(() => http.get(url))).to.deep.equal(['network', 'cache']);
    expect((await http.create().get(url)).fromCache).to.equal(true);
    await http.cacheAdapter.close();
  });

  it('keeps defaults and interceptors', async () => {
    const { axios, stash, url, origin } = bench;
    const instance = axios.create({ baseURL: url, headers: { 'x-own': 'yes' }, params: { p: 1 } });
    const seen: string[] = [];
    instance.interceptors.request.use((config) => {
      seen.push('request');
      return config;
    });
    instance.interceptors.response.use((response) => {
      seen.push('response');
      return response;
    });
    const http = stash.wrapAxios(instance, MEMORY);
    expect(await twice(() => http.get('/x'))).to.deep.equal(['network', 'cache']);
    expect(seen).to.deep.equal(['request', 'response', 'request', 'response']);
    expect(origin.last?.url).to.equal('/x?p=1');
    expect(origin.last?.headers['x-own']).to.equal('yes');
    await http.cacheAdapter.close();
  });

  it('does the network by the adapter that the instance had: a name, a function or several', async () => {
    const { axios, stash, url } = bench;
    const getAdapter = axios.getAdapter as unknown as (adapters: unknown) => AxiosAdapter;
    let asked = 0;
    const own = (config: InternalAxiosRequestConfig) => {
      asked += 1;
      return getAdapter('http')(config);
    };
    const inner: [AxiosAdapter | string | (AxiosAdapter | string)[] | undefined, number][] = [
      ['http', 0],
      ['fetch', 0],
      [own, 1],
      [['xhr', own], 1],
      [['xhr', 'http'], 0],
      [undefined, 0],
    ];
    for (const [at, [adapter, calls]] of inner.entries()) {
      asked = 0;
      const instance = axios.create();
      instance.defaults.adapter = adapter as AxiosAdapter;
      const http = stash.wrapAxios(instance, MEMORY);
      expect(await twice(() => http.get(url)), `${at}`).to.deep.equal(['network', 'cache']);
      expect(asked, `${at}`).to.equal(calls);
      await http.cacheAdapter.close();
    }
  });

  it('takes another inner adapter from the options; undefined there means none', async () => {
    const { axios, stash, url } = bench;
    let asked = 0;
    const getAdapter = axios.getAdapter as unknown as (adapters: unknown) => AxiosAdapter;
    const own = (config: InternalAxiosRequestConfig) => {
      asked += 1;
      return getAdapter('http')(config);
    };
    const given = stash.wrapAxios(axios.create(), { ...MEMORY, adapter: own });
    await given.get(url);
    expect(asked).to.equal(1);
    const kept = stash.wrapAxios(axios.create({ adapter: own }), { ...MEMORY, adapter: undefined });
    await kept.get(url);
    expect(asked).to.equal(2);
    await Promise.all([given, kept].map(({ cacheAdapter }) => cacheAdapter.close()));
  });

  it('rejects with what the instance would reject with', async () => {
    const { axios, stash, origin, url } = bench;
    origin.on('/404', (_request, res) => {
      res.writeHead(404).end('no');
    });
    const http = stash.wrapAxios(axios.create(), MEMORY);
    const error = await http.get(`${url}/404`).catch((reason: unknown) => reason);
    expect(axios.isAxiosError(error)).to.equal(true);
    expect(error).to.be.instanceOf(axios.AxiosError);
    await http.cacheAdapter.close();
  });

  it('a second time puts a cache over the first: `cache` is the outer one', async () => {
    const { axios, stash, url, origin } = bench;
    const instance = axios.create();
    const first = stash.wrapAxios(instance, MEMORY).cache;
    const http = stash.wrapAxios(instance, MEMORY);
    expect(http).to.equal(instance);
    expect(http.cache).to.not.equal(first);
    expect(await twice(() => http.get(url))).to.deep.equal(['network', 'cache']);
    expect([await first.count(), await http.cache.count()]).to.deep.equal([1, 1]);
    await http.cache.clear();
    expect((await http.get(url)).data).to.deep.equal({ n: 1, method: 'GET', url: '/' });
    expect(origin.count, 'the inner one had it').to.equal(1);
    await Promise.all([first.close(), http.cache.close()]);
  });

  it('on an instance made under installCache lies over the installed cache', async () => {
    const { axios, stash, url, origin } = bench;
    stash.installCache(MEMORY);
    const http = stash.wrapAxios(axios.create(), MEMORY);
    await axios.get(url);
    expect(await twice(() => http.get(url))).to.deep.equal(['network', 'cache']);
    expect(origin.count).to.equal(1);
    await stash.uninstallCache();
    expect(await twice(() => http.get(`${url}/b`))).to.deep.equal(['network', 'cache']);
    expect(origin.count).to.equal(2);
    await http.cacheAdapter.close();
  });

  it('takes axios itself too; to undo it is to put the old adapter back', async () => {
    const { axios, stash, url } = bench;
    const original = axios.defaults.adapter;
    try {
      const http = stash.wrapAxios(axios, MEMORY);
      expect(http).to.equal(axios);
      expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
      expect((await axios.create().get(url)).fromCache).to.equal(true);
      await http.cacheAdapter.close();
    } finally {
      axios.defaults.adapter = original as AxiosAdapter;
      for (const name of ['cache', 'cacheAdapter']) Reflect.deleteProperty(axios, name);
    }
  });

  it('refuses what is no instance and what is no option, and leaves the instance as it was', () => {
    const { axios, stash } = bench;
    for (const bad of [undefined, null, {}, () => {}, 'axios']) {
      expect(() => stash.wrapAxios(bad as unknown as AxiosInstance)).to.throw(
        stash.CacheOptionError,
        'instance',
      );
    }
    const instance = axios.create();
    const adapter = instance.defaults.adapter;
    for (const [option, bad] of [
      ['expireafter', { expireafter: 1 }],
      ['options', null],
    ] as const) {
      expect(() => stash.wrapAxios(instance, bad as never))
        .to.throw(stash.CacheOptionError)
        .with.property('option', option);
    }
    expect(instance.defaults.adapter).to.equal(adapter);
    expect(instance).to.not.have.property('cache');
  });
});
