// Compiled, never run: the same package seen from CommonJS, where axios' types are another file (`export =`).
import axios = require('axios');
import stash = require('axios-stash');

const adapter: stash.CacheAdapter = stash.cacheAdapter({ backend: 'memory', expireAfter: { hours: 1 } });
const http: axios.AxiosInstance = axios.create({ adapter, expireAfter: 60 });

async function use(): Promise<void> {
  const response = await http.get<{ id: number }>('https://example.org/', {
    expireAfter: 60,
    staleIfError: true,
  });
  const fromCache: boolean = response.fromCache;
  const expires: Date | undefined = response.expires;
  const id: number = response.data.id;
  await axios.get('https://example.org/', { cache: false });
  // @ts-expect-error a string is no duration
  await http.get('https://example.org/', { expireAfter: '60' });
  // @ts-expect-error no such backend
  stash.cacheAdapter({ backend: 'sqlight' });
  // @ts-expect-error undefined until it is stored
  const key: string = response.cacheKey;

  stash.installCache({ axios, backend: new stash.MemoryBackend() });
  stash.uninstallCache();
  const wrapped = stash.wrapAxios(axios.create());
  const cache: stash.ResponseCache = wrapped.cache;
  const store: stash.Store = new stash.SQLiteBackend({ cacheName: ':memory:' });
  const isOurs: boolean = stash.isCacheError(new stash.CacheError('x', 'ERR_CACHE_OPTION'));
  await adapter.close();
}

exports.use = use;
