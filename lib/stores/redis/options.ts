import { CacheOptionError } from '../../errors.js';
import { assertBoolean, assertOptionNames } from '../checks.js';
import { ttlOffsetOf } from '../native-expiry.js';
import { type RedisClient, type RedisCluster, type RedisSentinel, type Route, routeOf } from './client.js';

/** A client of node-redis 5, from `redis`, `@redis/client` or `@keyv/redis`; connected or not. */
export type RedisClientLike = RedisClient | RedisCluster | RedisSentinel;

export interface RedisOptions {
  /**
   * The namespace: every key on the server starts with it and a colon. Two caches with different names share nothing,
   * `app` and `app:two` neither.
   * @default 'http_cache'
   */
  cacheName?: string | undefined;
  /** The same as `cacheName`. */
  namespace?: string | undefined;
  /**
   * Of one server: `redis[s]://[[username][:password]@]host[:port][/database]`. For a cluster, a sentinel, or options
   * of TLS, hand in a `client`.
   * @default 'redis://localhost:6379'
   */
  url?: string | undefined;
  /**
   * A client of the application's, in place of `url`. It is connected if it never was, and never closed.
   * @example createClient({ url, socket: { tls: true, ca } })
   */
  client?: RedisClientLike | undefined;
  /** How long the server keeps an entry that has expired, so that it can be revalidated or served stale; seconds. @default 3600 */
  ttlOffset?: number | undefined;
  /**
   * Answers hits from this process's memory, as far as `hotBytes` goes, while the server tells what other processes
   * change (client tracking: Redis 6 or later; one server, so no cluster and no sentinel). A `client` must have been
   * made with `RESP: 3` and `emitInvalidate: true`.
   * @default false
   */
  clientSideCache?: boolean | undefined;
}

export const REDIS_OPTION_NAMES = ['namespace', 'url', 'client', 'ttlOffset', 'clientSideCache'] as const;

export interface RedisSettings {
  readonly namespace: string;
  /** Of our own connection, or the way through a client that was handed in. */
  readonly server: { readonly url: string } | { readonly route: Route };
  /** What messages call the server: without credentials. */
  readonly serverName: string;
  /** Milliseconds. */
  readonly ttlOffset: number;
  readonly tracking: boolean;
}

/** The options, checked. */
export function redisSettings(options: RedisOptions): RedisSettings {
  assertOptionNames(options, ['cacheName', ...REDIS_OPTION_NAMES], 'redis');
  assertBoolean('clientSideCache', options.clientSideCache);
  const namespace = namespaceOf(options);
  const ttlOffset = ttlOffsetOf(options.ttlOffset);
  const tracking = options.clientSideCache === true;
  const { url, client } = options;
  if (client === undefined) {
    const address = addressOf(url === undefined ? 'redis://localhost:6379' : url);
    return {
      namespace,
      server: { url: address.href },
      serverName: `Redis at ${address.hostname || 'localhost'}:${address.port || 6379}`,
      ttlOffset,
      tracking,
    };
  }
  if (url !== undefined) {
    throw new CacheOptionError('url', withoutCredentials(url), 'not beside client, which has its own');
  }
  const route = routeOf(client);
  if (tracking) assertTracking(route, client);
  return { namespace, server: { route }, serverName: `Redis (${route.kind})`, ttlOffset, tracking };
}

function namespaceOf({ cacheName, namespace }: RedisOptions): string {
  for (const [option, value] of Object.entries({ cacheName, namespace })) {
    // A lone surrogate would be written as another character, which another namespace may have.
    if (value !== undefined && (typeof value !== 'string' || value === '' || !isWellFormed(value))) {
      throw new CacheOptionError(option, value, 'allowed: a non-empty string of whole characters');
    }
  }
  if (cacheName !== undefined && namespace !== undefined && cacheName !== namespace) {
    throw new CacheOptionError(
      'namespace',
      namespace,
      `it is another name for cacheName, which is '${cacheName}'`,
    );
  }
  return namespace ?? cacheName ?? 'http_cache';
}

function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

function addressOf(url: unknown): URL {
  let address: URL | undefined;
  try {
    if (typeof url === 'string') {
      address = new URL(url);
      decodeURIComponent(address.username + address.password);
    }
  } catch {
    address = undefined;
  }
  if (
    address === undefined ||
    !(address.protocol === 'redis:' || address.protocol === 'rediss:') ||
    !/^(\/\d*)?$/.test(address.pathname)
  ) {
    throw new CacheOptionError(
      'url',
      withoutCredentials(url),
      'allowed: redis[s]://[[username][:password]@]host[:port][/database]',
    );
  }
  return address;
}

/** For messages. */
function withoutCredentials(url: unknown): unknown {
  return typeof url === 'string' ? url.replace(/^([^/]*\/\/)?.*@/s, '$1***@') : url;
}

function assertTracking(route: Route, client: unknown): void {
  if (route.kind !== 'client') {
    throw new CacheOptionError(
      'clientSideCache',
      true,
      `not with a ${route.kind}: its connections change, and what the former ones would have told of is lost unseen`,
    );
  }
  const { options } = client as RedisClient;
  const { RESP, emitInvalidate } = (options ?? {}) as Record<string, unknown>;
  if (RESP !== 3 || emitInvalidate !== true) {
    throw new CacheOptionError(
      'clientSideCache',
      true,
      'the client must be made with RESP: 3 and emitInvalidate: true, so that the server can tell it of changes',
    );
  }
}
