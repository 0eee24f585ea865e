/** The stores for Redis, MongoDB and SQLite of Keyv 5, and the traps in them. */
import { CacheOptionError } from '../../errors.js';
import { hasMethods, isObject } from '../checks.js';
import { takesMoment } from './like.js';

interface RedisNode {
  scan(
    cursor: string,
    options: { MATCH: string; COUNT: number },
  ): Promise<{ cursor: unknown; keys: unknown[] }>;
}

export interface RedisStore {
  client: unknown;
  getClient(): Promise<unknown>;
  namespace?: unknown;
  createKeyPrefix(key: string, namespace: unknown): string;
  getMasterNodes(): Promise<RedisNode[]>;
  initClient(): void;
}

interface MongoCollection {
  find(filter: object, options: object): { toArray(): Promise<{ key?: unknown }[]> };
}

export interface MongoStore {
  connect: Promise<{ store: MongoCollection }>;
}

export interface SqliteStore {
  opts: { table: string };
  query(sql: string, parameters: string[]): Promise<{ key?: unknown }[]>;
}

/** Throws when it is a store that can't be used at all. */
export function assertUsable(store: unknown): void {
  if (!isObject(store)) return;
  if (store.useGridFS === true || (isObject(store.opts) && store.opts.useGridFS === true)) {
    // set() never removes what it replaces and ends the process when an upload fails, delete() brings an older value
    // back, clear() drops the bucket for everybody.
    throw new CacheOptionError(
      'backend',
      '@keyv/mongo with useGridFS',
      "its GridFS mode loses data; allowed: @keyv/mongo without it, or backend 'gridfs'",
    );
  }
}

/** Keeps a store from doing harm that no call could notice. */
export function tame(store: unknown): void {
  if (isRedisStore(store)) listenOnce(store);
  // A file that can't be opened is a rejection, and ends the process when nobody waits for it. Each call has it again.
  if (isSqliteStore(store)) store.query('SELECT 1', []).catch(() => {});
}

const tamed = new WeakSet<RedisStore>();

/** @keyv/redis adds its listeners to its client again with every call, as long as that can't connect. */
function listenOnce(store: RedisStore): void {
  if (tamed.has(store)) return;
  tamed.add(store);
  let known = store.client;
  store.initClient = () => {
    if (store.client === known) return;
    known = store.client;
    Object.getPrototypeOf(store).initClient.call(store);
  };
}

/** The connection that a store makes once or never. */
export function onlyConnectionOf(store: unknown): PromiseLike<unknown> | undefined {
  return isMongoStore(store) ? store.connect : undefined;
}

/** Connects a store that does so with its first call; undefined when there is no need. */
export function connect(store: unknown): Promise<unknown> | undefined {
  if (!isRedisStore(store) || !isObject(store.client) || store.client.isOpen !== false) return undefined;
  return store.getClient();
}

/** How many characters a value may have. */
export function textLimit(store: unknown): number {
  // A document has 16 MiB with all that is in it.
  return isMongoStore(store) ? 16 * 1024 * 1024 - 4096 : Number.POSITIVE_INFINITY;
}

/**
 * Ends the connection at once, and with it the calls that wait for an answer; whether it could. In good order it would
 * wait for those answers, and could not be ended any more.
 */
export function destroyConnection(store: unknown): boolean {
  if (!isRedisStore(store) || !isDestroyable(store.client) || store.client.isOpen !== true) return false;
  store.client.destroy();
  return true;
}

function isDestroyable(client: unknown): client is { destroy(): void; isOpen?: unknown } {
  return hasMethods(client, ['destroy']);
}

export function isRedisStore(store: unknown): store is RedisStore {
  return (
    hasMethods(store, ['createKeyPrefix', 'getClient', 'getMasterNodes', 'initClient']) && !takesMoment(store)
  );
}

export function isMongoStore(store: unknown): store is MongoStore {
  if (!isObject(store) || takesMoment(store) || !hasMethods(store.connect, ['then'])) return false;
  return isObject(store.opts) && typeof store.opts.collection === 'string';
}

export function isSqliteStore(store: unknown): store is SqliteStore {
  if (!hasMethods(store, ['query']) || takesMoment(store) || !isObject(store.opts)) return false;
  return store.opts.dialect === 'sqlite' && typeof store.opts.table === 'string';
}
