import { CacheOptionError } from '../../errors.js';
import { hasMethods, isObject } from '../checks.js';

export type RedisArgument = string | Buffer;

/** What node-redis' clients have in common, as far as it is used here. */
interface RedisEmitter {
  readonly isOpen: boolean;
  connect(): Promise<unknown>;
  on(event: string, listener: (value: unknown) => void): unknown;
  off(event: string, listener: (value: unknown) => void): unknown;
  /** Not called: a sentinel's would change the sentinel itself. It is what node-redis 5 has and others have not. */
  withTypeMapping(mapping: object): unknown;
}

/** What `createClient()` of node-redis 5 makes. */
export interface RedisClient extends RedisEmitter {
  readonly isReady: boolean;
  readonly options?: object | undefined;
  sendCommand(args: RedisArgument[], options?: object): Promise<unknown>;
}

/** What `createSentinel()` of node-redis 5 makes. */
export interface RedisSentinel extends RedisEmitter {
  readonly isReady: boolean;
  getMasterNode(): unknown;
  sendCommand(isReadonly: boolean, args: RedisArgument[], options?: object): Promise<unknown>;
}

/** What `createCluster()` of node-redis 5 makes. */
export interface RedisCluster extends RedisEmitter {
  readonly masters: object[];
  nodeClient(node: object): unknown;
  sendCommand(
    firstKey: RedisArgument | undefined,
    isReadonly: boolean,
    args: RedisArgument[],
    options?: object,
  ): Promise<unknown>;
}

/** Replies as bytes: 36 is `$`, a string. Anything else would be taken for UTF-8. */
export const BYTES = { typeMapping: { 36: Buffer } };

export type Send = (args: RedisArgument[]) => Promise<unknown>;

/** How commands get to the servers behind a client. */
export interface Route {
  readonly kind: 'client' | 'sentinel' | 'cluster';
  readonly client: RedisEmitter;
  /** Whether it is connected, so that a command is sent and not kept for later. */
  isReady(): boolean;
  /** To the master that has `key`. */
  send(key: string, args: RedisArgument[]): Promise<unknown>;
  /** To each master. */
  masters(): Promise<Send[]>;
}

const METHODS = ['connect', 'on', 'off', 'sendCommand', 'withTypeMapping'];

/** The way to the servers of a client that was handed in; throws on what is none. */
export function routeOf(client: unknown): Route {
  if (hasMethods(client, METHODS) && typeof client.isOpen === 'boolean') {
    if (isCluster(client)) return clusterRoute(client);
    if (isSentinel(client)) return sentinelRoute(client);
    if (isClient(client)) return clientRoute(client);
  }
  throw new CacheOptionError(
    'client',
    // Not the client itself: it would be printed with its options, and so with its password.
    isObject(client) ? nameOf(client) : client,
    'allowed: what createClient(), createCluster() or createSentinel() of node-redis 5 (redis, @redis/client, @keyv/redis) makes',
  );
}

/** A client that we may end. */
export interface OwnClient extends RedisClient {
  destroy(): void;
  /** Whether its socket keeps the process alive. */
  ref(): void;
  unref(): void;
}

/** From the exports of @keyv/redis. */
export function createClient(driver: Record<string, unknown>, options: object): OwnClient {
  const create = driver.createClient;
  const made: unknown = typeof create === 'function' ? create(options) : undefined;
  if (isOwnClient(made)) return made;
  throw new TypeError('@keyv/redis exports no createClient() of node-redis 5');
}

function isOwnClient(client: unknown): client is OwnClient {
  return hasMethods(client, [...METHODS, 'destroy', 'ref', 'unref']) && isClient(client);
}

function isClient(client: unknown): client is RedisClient {
  return isObject(client) && typeof client.isReady === 'boolean';
}

function isSentinel(client: unknown): client is RedisSentinel {
  return isClient(client) && hasMethods(client, ['getMasterNode']);
}

function isCluster(client: unknown): client is RedisCluster {
  return hasMethods(client, ['nodeClient']) && Array.isArray(client.masters);
}

export function clientRoute(client: RedisClient): Route {
  const send: Send = (args) => client.sendCommand(args, BYTES);
  return {
    kind: 'client',
    client,
    isReady: () => client.isReady,
    send: (_key, args) => send(args),
    masters: async () => [send],
  };
}

/** Never to a replica, which may not have yet what was written. */
function sentinelRoute(client: RedisSentinel): Route {
  const send: Send = (args) => client.sendCommand(false, args, BYTES);
  return {
    kind: 'sentinel',
    client,
    isReady: () => client.isReady,
    send: (_key, args) => send(args),
    masters: async () => [send],
  };
}

function clusterRoute(client: RedisCluster): Route {
  return {
    kind: 'cluster',
    client,
    // It is open as soon as it begins to look for its nodes.
    isReady: () => client.isOpen && client.masters.length > 0,
    send: (key, args) => client.sendCommand(key, false, args, BYTES),
    masters: () =>
      Promise.all(
        client.masters.map(async (node): Promise<Send> => {
          const nodeClient: unknown = await client.nodeClient(node);
          if (!hasMethods(nodeClient, METHODS) || !isClient(nodeClient)) {
            throw new TypeError('the cluster has a node without a client');
          }
          return (args) => nodeClient.sendCommand(args, BYTES);
        }),
      ),
  };
}

function nameOf(value: Record<string, unknown>): string {
  const name: unknown = typeof value.constructor === 'function' ? value.constructor.name : undefined;
  return `an instance of ${typeof name === 'string' && name !== '' ? name : 'an unnamed class'}`;
}

/** Whether the server answered with this error, which begins with a code: it is there, and the connection stands. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && /^[A-Z]{2,} /.test(error.message);
}
