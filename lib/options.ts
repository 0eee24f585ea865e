/** What `cacheAdapter` takes: types and their docs only; `settings.ts` validates. */
import type { InnerAdapter } from './axios.js';
import type { CachedResponse } from './cached-response.js';
import type { ExpireAfter, StaleLimit, UrlPatterns } from './policy/types.js';
import type { RecordSerializer } from './record/codec.js';
import type { CacheRequest } from './request/request.js';
import type { DynamoDBBackend, DynamoDBOptions } from './stores/dynamodb.js';
import type { FileBackend, FileOptions } from './stores/file.js';
import type { GridFSBackend, GridFSOptions } from './stores/gridfs.js';
import type { MemoryBackend } from './stores/memory.js';
import type { MongoBackend, MongoOptions } from './stores/mongo.js';
import type { RedisBackend, RedisOptions } from './stores/redis.js';
import type { SQLiteBackend, SQLiteOptions } from './stores/sqlite.js';
import type { Store } from './stores/store.js';

/** Own key: what it returns is hashed into the key. `defaultKey()` is the key that would have been used. */
export type KeyFunction = (request: CacheRequest, defaultKey: () => string) => string;

/** Compresses bodies at rest. */
export type Compression =
  | false
  | 'gzip'
  | 'brotli'
  | 'zstd'
  | {
      algorithm: 'gzip' | 'brotli' | 'zstd';
      /** Bodies below this many bytes are left alone. @default 1024 */
      threshold?: number;
    };

/** Options that may be changed on a living cache through `adapter.settings`; they apply from then on. */
export interface LiveOptions {
  /**
   * How long responses may be kept, where neither the request nor a URL pattern says otherwise. Seconds.
   * @default -1 (never expire)
   * @example cacheAdapter({ expireAfter: { days: 30 } })
   */
  expireAfter?: ExpireAfter;
  /**
   * Expiry by URL glob (micromatch) or RegExp, the first match wins. The scheme is ignored and a pattern matches
   * all below it.
   * @default none
   * @example { '*.site_1.com': 30, 'site_2.com/static': -1 }
   */
  urlsExpireAfter?: UrlPatterns | undefined;
  /** The methods that are cached; replaces the default. @default ['GET', 'HEAD'] */
  allowableMethods?: readonly string[] | undefined;
  /** The status codes that are stored; replaces the default. @default [200]; with `cacheControl`, what RFC 9111 allows */
  allowableCodes?: readonly number[] | undefined;
  /** Names in query, form, JSON body (any depth) and headers that are left out of the key, and redacted. @default [] */
  ignoredParameters?: readonly string[] | undefined;
  /** Names whose values are stored as `REDACTED`; they still separate entries. @default DEFAULT_REDACTED */
  redact?: readonly string[] | undefined;
  /** Request headers that are part of the key: all, or these. @default false */
  matchHeaders?: boolean | readonly string[] | undefined;
  /** Alias of `matchHeaders`. */
  includeGetHeaders?: boolean | readonly string[] | undefined;
  /** Own key. @default none */
  keyFn?: KeyFunction | undefined;
  /** False: not stored, and a stored one is deleted when next met. @default none */
  filterFn?: ((response: CachedResponse) => boolean) | undefined;
  /** True: RFC 9111 decides what is stored, fresh and reused. @default false */
  cacheControl?: boolean | undefined;
  /** With `cacheControl`: behave as a shared cache. @default false */
  shared?: boolean | undefined;
  /** Serve an expired response when the network fails or answers with an error: true, or for how long. @default false */
  staleIfError?: StaleLimit | undefined;
  /** Alias of `staleIfError`. */
  oldDataOnError?: StaleLimit | undefined;
  /** Serve an expired response at once and refresh it behind: true, or for how long. @default false */
  staleWhileRevalidate?: StaleLimit | undefined;
  /** Ask the origin each time, if the stored response has a validator. @default false */
  alwaysRevalidate?: boolean | undefined;
  /** Never send a request: answer from the cache or with 504. @default false */
  onlyIfCached?: boolean | undefined;
  /** Requests read, but change nothing that is stored; `clear()`, `delete()` and the like do. @default false */
  readOnly?: boolean | undefined;
  /** Concurrent identical requests share one network call. @default true */
  coalesce?: boolean | undefined;
  /** Most responses kept; the least recently used go first. @default none */
  maxEntries?: number | undefined;
  /** Most bytes kept; the least recently used go first. @default none */
  maxBytes?: number | undefined;
  /** A body over this many bytes passes through unstored. @default 67108864 (64 MiB) */
  maxEntryBytes?: number | undefined;
  /** Hand out one shared, deep-frozen object for hits whose only transform is axios' JSON parse. @default false */
  frozen?: boolean | undefined;
  /** The adapter that does the network: name, function, or several. @default ['xhr', 'http', 'fetch'] */
  adapter?: InnerAdapter | undefined;
  /** Seconds after which an operation of a remote store counts as failed; at most 2147483. @default 2 */
  storeTimeout?: number | undefined;
  /** Adds a `Cache-Status` response header (RFC 9211) under this cache name. @default none */
  cacheStatusHeader?: string | undefined;
}

/** Options that hold for the life of a cache. */
export interface FixedOptions {
  /**
   * sqlite: path of the database. redis: namespace. mongodb, gridfs: database. dynamodb: table.
   * filesystem: directory. memory: ignored.
   * @default 'http_cache'
   */
  cacheName?: string | undefined;
  /** Signs each record with its key (HMAC-SHA-256); several: the first signs, all verify. @default none */
  secretKey?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** 32 bytes; encrypts each record (AES-256-GCM); several: the first encrypts, all decrypt. @default none */
  encryptionKey?: Uint8Array | readonly Uint8Array[] | undefined;
  /** @default false */
  compression?: Compression | undefined;
  /** Format of stored records. @default 'binary' */
  serializer?: 'binary' | 'json' | RecordSerializer | undefined;
  /**
   * Bytes of decoded records kept in memory in front of the store; of keys an eighth of it, at most 4 MiB. 0 keeps
   * neither. `stats()` tells what they take. @default 33554432 (32 MiB)
   */
  hotBytes?: number | undefined;
  /** Milliseconds since the epoch; for tests. @default Date.now */
  clock?: (() => number) | undefined;
}

export interface CommonOptions extends LiveOptions, FixedOptions {}

/** A Keyv (5 or 6), a Keyv store adapter, or a bare Map: what `KeyvBackend` takes. */
export interface KeyvLike {
  get(key: string, ...rest: never[]): unknown;
  // biome-ignore lint/suspicious/noConfusingVoidType: stores differ in what set returns, and none of it is used
  set(key: string, value: never, ...rest: never[]): unknown | void;
  delete(key: string, ...rest: never[]): unknown;
  clear(): unknown;
}

/** A backend class; it is constructed with the options that stand beside it. */
export type StoreClass = new (options: never) => Store;

type SQLite = Omit<SQLiteOptions, 'cacheName'>;
type Redis = Omit<RedisOptions, 'cacheName'>;
type Mongo = Omit<MongoOptions, 'cacheName'>;
type GridFS = Omit<GridFSOptions, 'cacheName'>;
type DynamoDB = Omit<DynamoDBOptions, 'cacheName'>;
type Filesystem = Omit<FileOptions, 'cacheName'>;

/** A backend's name in lower case, as its maker spells it, capitalized or in capitals: at run time case does not count. */
type Named<Name extends string, Spelled extends string = never> =
  | Name
  | Spelled
  | Capitalize<Name>
  | Uppercase<Name>;

/** The backend and its own options, discriminated by `backend`. */
export type BackendOptions =
  // Names and classes apart: only a union of literals alone lets TypeScript tell which options go with which.
  | ({ backend?: Named<'sqlite', 'SQLite'> | undefined } & SQLite)
  | ({ backend: typeof SQLiteBackend } & SQLite)
  | ({ backend: Named<'redis'> } & Redis)
  | ({ backend: typeof RedisBackend } & Redis)
  | ({ backend: Named<'mongodb', 'MongoDB'> } & Mongo)
  | ({ backend: typeof MongoBackend } & Mongo)
  | ({ backend: Named<'gridfs', 'GridFS'> } & GridFS)
  | ({ backend: typeof GridFSBackend } & GridFS)
  | ({ backend: Named<'dynamodb', 'DynamoDB'> } & DynamoDB)
  | ({ backend: typeof DynamoDBBackend } & DynamoDB)
  | ({ backend: Named<'filesystem', 'FileSystem'> } & Filesystem)
  | ({ backend: typeof FileBackend } & Filesystem)
  | { backend: Named<'memory'> }
  | { backend: typeof MemoryBackend }
  | { backend: Store | KeyvLike | Map<string, unknown> };

/** All that `cacheAdapter` takes. */
export type CacheOptions = CommonOptions & BackendOptions;

/** What a class takes when it is constructed; anything goes where it declares nothing. */
type OwnOptions<First> = [Exclude<First, undefined>] extends [never]
  ? unknown
  : Omit<Exclude<First, undefined>, keyof CommonOptions>;

/** With a backend class of one's own: the options that it declares stand beside it. */
export type ClassOptions<Class extends StoreClass> = CommonOptions & { backend: Class } & OwnOptions<
    ConstructorParameters<Class>[0]
  >;

/** Options for whichever kind of backend, where its class is not known beforehand. */
export type AnyCacheOptions = CacheOptions | ClassOptions<StoreClass>;

/** `adapter.settings`: what is in force. Assigning to a live option validates it and applies it from then on. */
export type CacheSettings = {
  -readonly [K in keyof LiveOptions]: LiveOptions[K];
} & {
  readonly [K in keyof FixedOptions]: FixedOptions[K];
} & { readonly backend: unknown };
