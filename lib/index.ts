export { type CacheAdapter, cacheAdapter } from './adapter.js';
export type { CacheRequestConfig, CacheResponseFields, InnerAdapter } from './axios.js';
export { type FilterOptions, ResponseCache } from './cache.js';
export type { CachedRequest, CachedResponse, InvalidEntry } from './cached-response.js';
export {
  CacheDriverMissingError,
  CacheError,
  CacheOptionError,
  CacheRecordError,
  CacheStoreError,
  isCacheError,
} from './errors.js';
export type { CacheEvent, CacheEventName, CacheEvents, CacheListener } from './events.js';
export type { Lookup } from './lookup.js';
export type {
  AnyCacheOptions,
  BackendOptions,
  CacheOptions,
  CacheSettings,
  ClassOptions,
  CommonOptions,
  Compression,
  FixedOptions,
  KeyFunction,
  LiveOptions,
  StoreClass,
} from './options.js';
export {
  type AxiosCopy,
  type CachedAxiosInstance,
  clear,
  disabled,
  enabled,
  getCache,
  type InstallOptions,
  installCache,
  isInstalled,
  removeExpiredResponses,
  uninstallCache,
  wrapAxios,
} from './patch.js';
export {
  DO_NOT_CACHE,
  type Duration,
  EXPIRE_IMMEDIATELY,
  type ExpireAfter,
  NEVER_EXPIRE,
  type StaleLimit,
  type UrlPatterns,
} from './policy/types.js';
export type { RecordSerializer } from './record/codec.js';
export type {
  HeaderList,
  IndexEntry,
  IndexRecord,
  ResponseRecord,
  StoredRequest,
  StoreRecord,
  VaryPair,
} from './record/record.js';
export type { Rekeyed } from './rekey.js';
export { DEFAULT_REDACTED } from './request/redact.js';
export type { CacheRequest } from './request/request.js';
export type { CacheStatus } from './response/status.js';
export type { OlderThan, Selector } from './selector.js';
export type { CacheStats } from './stats.js';
export { DynamoDBBackend, type DynamoDBClientLike, type DynamoDBOptions } from './stores/dynamodb.js';
export { FileBackend, type FileOptions } from './stores/file.js';
export { GridFSBackend, type GridFSOptions } from './stores/gridfs.js';
export { KeyvBackend } from './stores/keyv.js';
export { MemoryBackend } from './stores/memory.js';
export { MongoBackend, type MongoClientLike, type MongoOptions } from './stores/mongo.js';
export { RedisBackend, type RedisClientLike, type RedisOptions } from './stores/redis.js';
export { SQLiteBackend, type SQLiteOptions } from './stores/sqlite.js';
export type { CountFilter, MaybePromise, Store, StoreLimits, StoreMeta } from './stores/store.js';
