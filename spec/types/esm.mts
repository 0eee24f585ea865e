// Compiled, never run: what a user's ESM TypeScript may write, and what it must not. See contract sections 1 to 9.
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import {
  type CacheAdapter,
  type CacheDriverMissingError,
  type CachedResponse,
  type CacheError,
  type CacheEvents,
  CacheOptionError,
  type CacheOptions,
  type CacheRecordError,
  type CacheRequest,
  type CacheSettings,
  type CacheStatus,
  type CacheStoreError,
  cacheAdapter,
  clear,
  DEFAULT_REDACTED,
  DO_NOT_CACHE,
  DynamoDBBackend,
  disabled,
  EXPIRE_IMMEDIATELY,
  type ExpireAfter,
  enabled,
  GridFSBackend,
  getCache,
  installCache,
  isCacheError,
  isInstalled,
  KeyvBackend,
  MemoryBackend,
  MongoBackend,
  NEVER_EXPIRE,
  RedisBackend,
  type ResponseCache,
  removeExpiredResponses,
  SQLiteBackend,
  type Store,
  type StoreRecord,
  uninstallCache,
  wrapAxios,
} from 'axios-stash';
import Keyv from 'keyv';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_same: Same<A, B>): void {}

const url = 'https://example.org/';

// The request: on axios itself, on any instance, as instance defaults.
const adapter: CacheAdapter = cacheAdapter({ expireAfter: 3600 });
const http: AxiosInstance = axios.create({ adapter, expireAfter: 60 });
await axios.get(url, { expireAfter: 60 });
await http.get<{ id: number }>(url, {
  expireAfter: { minutes: 5 },
  refresh: true,
  forceRefresh: false,
  onlyIfCached: false,
  staleIfError: 60,
  staleWhileRevalidate: { hours: 1 },
  cache: false,
});
await http.request({ url, expireAfter: new Date() });
await http.post(url, {}, { expireAfter: DO_NOT_CACHE });
await http.get(url, { expireAfter: null });
// @ts-expect-error a string is no duration
await http.get(url, { expireAfter: '60' });
// @ts-expect-error neither is a boolean
await http.get(url, { expireAfter: true });
// @ts-expect-error units are plural
await http.get(url, { expireAfter: { minute: 5 } });
// @ts-expect-error a switch
await http.get(url, { forceRefresh: 'yes' });
// @ts-expect-error `cache` is a switch, not options
await http.get(url, { cache: { ttl: 5 } });

// The response.
const response: AxiosResponse<{ id: number }> = await http.get(url);
same<typeof response.fromCache, boolean>(true);
same<typeof response.isExpired, boolean>(true);
same<typeof response.revalidated, boolean>(true);
const key: string | undefined = response.cacheKey;
const moments: (Date | undefined)[] = [response.createdAt, response.expires];
const hops: string[] | undefined = response.redirects;
const status: CacheStatus | undefined = response.cacheStatus;
const hit: boolean | undefined = status?.hit;
const why: 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | undefined =
  status?.fwd;
const id: number = response.data.id;
// @ts-expect-error undefined until it is stored
const sureKey: string = response.cacheKey;

// Options: common ones, and the backend union.
const expiries: ExpireAfter[] = [
  1.5,
  -1,
  0,
  NEVER_EXPIRE,
  EXPIRE_IMMEDIATELY,
  DO_NOT_CACHE,
  { days: 1 },
  new Date(),
];
cacheAdapter();
cacheAdapter({ backend: 'filesystem', cacheName: 'x', useTemp: true, useCacheDir: false });
cacheAdapter({ backend: 'sqlite', cacheName: 'x', useTemp: true, busyTimeout: 1, driver: 'node:sqlite' });
cacheAdapter({
  backend: 'redis',
  namespace: 'x',
  url: 'redis://localhost',
  ttlOffset: 60,
  clientSideCache: true,
});
cacheAdapter({ backend: RedisBackend, namespace: 'x' });
cacheAdapter({ backend: new RedisBackend({ cacheName: 'x' }) });
cacheAdapter({
  backend: 'mongodb',
  cacheName: 'x',
  url: 'mongodb://localhost',
  collection: 'y',
  ttlOffset: 60,
});
cacheAdapter({ backend: MongoBackend, collection: 'y' });
cacheAdapter({ backend: new MongoBackend() });
cacheAdapter({ backend: 'gridfs', cacheName: 'x', url: 'mongodb://localhost', bucketName: 'y' });
cacheAdapter({ backend: GridFSBackend, bucketName: 'y' });
cacheAdapter({ backend: new GridFSBackend() });
cacheAdapter({
  backend: 'dynamodb',
  region: 'r',
  endpoint: 'http://x',
  createTable: false,
  consistentRead: true,
});
cacheAdapter({ backend: DynamoDBBackend, clientOptions: { maxAttempts: 5 }, ttlOffset: 60 });
cacheAdapter({ backend: new DynamoDBBackend() });
cacheAdapter({ backend: 'SQLite', busyTimeout: 1 });
cacheAdapter({ backend: 'Redis', url: 'redis://localhost' });
cacheAdapter({ backend: 'DynamoDB', region: 'eu-central-1' });
cacheAdapter({ backend: 'FileSystem', useTemp: true });
// @ts-expect-error: of another backend, however the name is written
cacheAdapter({ backend: 'Redis', busyTimeout: 1 });
cacheAdapter({ backend: 'memory', maxEntries: 10, maxBytes: 1e6, maxEntryBytes: 1e5 });
cacheAdapter({ backend: SQLiteBackend, useCacheDir: true });
cacheAdapter({ backend: new SQLiteBackend({ cacheName: ':memory:' }) });
cacheAdapter({ backend: MemoryBackend });
cacheAdapter({ backend: new MemoryBackend() });
cacheAdapter({ backend: new Keyv() });
cacheAdapter({ backend: new KeyvBackend(new Map()) });
cacheAdapter({ backend: new Map<string, unknown>() });
cacheAdapter({ urlsExpireAfter: { '*.site.com': 30, 'site.com/**': DO_NOT_CACHE } });
cacheAdapter({
  urlsExpireAfter: [
    [/site/, -1],
    ['site.com', { days: 1 }],
  ],
});
cacheAdapter({
  allowableMethods: ['GET', 'POST'],
  allowableCodes: [200, 404],
  ignoredParameters: ['token'],
  redact: [...DEFAULT_REDACTED, 'pin'],
  matchHeaders: ['accept'],
  keyFn: (request: CacheRequest, defaultKey: () => string): string => request.method + defaultKey(),
  filterFn: (stored: CachedResponse): boolean => stored.status === 200 && stored.text() !== '',
  cacheControl: true,
  shared: true,
  staleIfError: { days: 1 },
  secretKey: ['new', Buffer.from('old')],
  encryptionKey: Buffer.alloc(32),
  compression: { algorithm: 'gzip', threshold: 1024 },
  serializer: 'json',
  hotBytes: 0,
  frozen: true,
  adapter: ['fetch', 'http'],
  storeTimeout: 2,
  cacheStatusHeader: 'stash',
  clock: () => 0,
});
// @ts-expect-error no such backend
cacheAdapter({ backend: 'sqlight' });
// @ts-expect-error no such option
cacheAdapter({ expireafter: 5 });
// @ts-expect-error an option of another backend
cacheAdapter({ backend: 'memory', useTemp: true });
// @ts-expect-error an option of another backend
cacheAdapter({ backend: 'filesystem', busyTimeout: 1 });
// @ts-expect-error an option of another backend
cacheAdapter({ backend: 'redis', bucketName: 'x' });
// @ts-expect-error an option of another backend
cacheAdapter({ backend: 'mongodb', namespace: 'x' });
// @ts-expect-error no such driver
cacheAdapter({ backend: 'sqlite', driver: 'sqlite3' });
// @ts-expect-error patterns map to expiries
cacheAdapter({ urlsExpireAfter: { '*': 'never' } });

// A store of one's own.
class OwnStore implements Store {
  #map = new Map<string, Uint8Array>();
  get(key: string) {
    return this.#map.get(key);
  }
  set(key: string, value: Uint8Array) {
    this.#map.set(key, value);
  }
  delete(keys: string[]) {
    return keys.filter((key) => this.#map.delete(key)).length;
  }
  clear() {
    this.#map.clear();
  }
  async *keys() {
    yield* [...this.#map.keys()];
  }
  close() {}
}
cacheAdapter({ backend: new OwnStore() });
// @ts-expect-error a store has six methods
const half: Store = { get: () => undefined };

// The adapter and its cache.
const settings: CacheSettings = adapter.settings;
settings.expireAfter = -1;
// @ts-expect-error fixed for the life of the cache
settings.secretKey = 'other';
const inside: Promise<number> = adapter.cacheDisabled(async () => (await http.get(url)).status);
const removed: number = await adapter.removeExpiredResponses({ expireAfter: 60 });
await adapter.clear();
await adapter.close();
await adapter[Symbol.asyncDispose]();

const cache: ResponseCache = adapter.cache;
const stored: CachedResponse | undefined = await cache.get({ url });
const there: boolean = await cache.has(url);
const gone: number = await cache.delete({ urls: [url], expired: true, olderThan: { days: 1 } });
for await (const entry of cache.filter({ valid: true, expired: true }))
  same<typeof entry extends never ? 1 : 0, 0>(true);
for await (const oneKey of cache.keys()) same<typeof oneKey, string>(true);
for await (const value of cache.values()) same<typeof value.isExpired, boolean>(true);
const urls: string[] = await cache.urls();
const numbers: number[] = [await cache.count({ expired: true }), await cache.size(), cache.stats().hits];
await cache.resetExpiration(60, { pattern: '*.site.com' });
await cache.recreateKeys();
await cache.update(cacheAdapter({ backend: 'memory' }).cache);
await cache.save({ url }, response, { expireAfter: 60 });
const made: string = cache.createKey({ url });
const listener = (event: CacheEvents['error']): void => void event.error;
cache.on('error', listener);
cache.off('error', listener);
// @ts-expect-error no such event
cache.on('explosion', listener);
await cache.flush();

// Patching and wrapping.
const wrapped = wrapAxios(axios.create(), { backend: 'memory' });
same<typeof wrapped.cache, ResponseCache>(true);
const wrappedAdapter: CacheAdapter = wrapped.cacheAdapter;
const plain: AxiosInstance = wrapped;
installCache({ backend: 'memory', axios });
const installed: boolean = isInstalled();
const current: ResponseCache | undefined = getCache();
await enabled({ backend: 'memory' }, async () => axios.get(url));
await enabled(async () => axios.get(url));
await disabled(async () => axios.get(url));
await clear();
await removeExpiredResponses({ expireAfter: 60 });
uninstallCache();

// Errors.
const unknownError: unknown = new CacheOptionError('x', 1, 'allowed: y');
if (isCacheError(unknownError)) {
  const error: CacheError = unknownError;
  const code: string = error.code;
}
same<InstanceType<typeof CacheDriverMissingError> extends CacheError ? true : false, true>(true);
same<InstanceType<typeof CacheStoreError> extends CacheError ? true : false, true>(true);
same<InstanceType<typeof CacheRecordError> extends CacheError ? true : false, true>(true);

const options: CacheOptions = { expireAfter: 5 };
const records: StoreRecord[] = [];
