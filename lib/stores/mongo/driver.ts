import { CacheOptionError, messageOf } from '../../errors.js';
import { hasMethods, isObject } from '../checks.js';

/** What a backend needs of a `MongoClient` that it is handed; those of the package mongodb, 6 and 7, are such. */
export interface MongoClientLike {
  connect(): Promise<unknown>;
  db(name: string): object;
  close(force?: boolean): Promise<void>;
}

export interface Cursor {
  toArray(): Promise<unknown[]>;
}

/** What is used of the driver's collections. */
export interface Collection {
  findOne(filter: object, options: object): Promise<unknown>;
  find(filter: object, options: object): Cursor;
  aggregate(pipeline: object[]): Cursor;
  countDocuments(filter: object): Promise<number>;
  insertOne(document: object): Promise<{ acknowledged: boolean }>;
  insertMany(documents: object[]): Promise<unknown>;
  replaceOne(filter: object, document: object): Promise<{ acknowledged: boolean; matchedCount: number }>;
  deleteMany(filter: object): Promise<{ deletedCount: number }>;
  createIndexes(indices: object[]): Promise<unknown>;
}

const COLLECTION_METHODS = [
  'findOne',
  'find',
  'aggregate',
  'countDocuments',
  'insertOne',
  'insertMany',
  'replaceOne',
  'deleteMany',
  'createIndexes',
] as const;

/** Whatever a client that we are handed is set to: values come as they are in the interfaces of this file. */
const PLAIN_VALUES = {
  promoteValues: true,
  promoteBuffers: true,
  promoteLongs: true,
  useBigInt64: false,
  raw: false,
};

export const CLIENT_ALLOWED = 'allowed: a MongoClient of the package mongodb';

export function isClient(value: unknown): value is MongoClientLike {
  return hasMethods(value, ['connect', 'db', 'close']);
}

export function collectionOf(
  client: MongoClientLike,
  database: string,
  name: string,
  options: object,
): Collection {
  const db = client.db(database);
  const collection: unknown =
    'collection' in db && typeof db.collection === 'function'
      ? db.collection(name, { ...PLAIN_VALUES, ...options })
      : undefined;
  if (!isCollection(collection)) throw new CacheOptionError('client', client, CLIENT_ALLOWED);
  return collection;
}

function isCollection(value: unknown): value is Collection {
  return hasMethods(value, COLLECTION_METHODS);
}

/** In milliseconds, unless the URL says otherwise. An answer within `storeTimeout` (2 s) says why there is no connection. */
const CLIENT_OPTIONS = {
  serverSelectionTimeoutMS: 1500,
  connectTimeoutMS: 1500,
  socketTimeoutMS: 30_000,
  waitQueueTimeoutMS: 30_000,
  maxPoolSize: 10,
  appName: 'axios-stash',
};

/** A client of our own; it does nothing before `connect()`. Throws `CacheOptionError` on a URL that is none. */
export function makeClient(driver: Record<string, unknown>, url: string): MongoClientLike {
  const { MongoClient } = driver;
  if (typeof MongoClient !== 'function') throw new TypeError('the package mongodb has no MongoClient');
  const said = optionsIn(url);
  const options = Object.entries(CLIENT_OPTIONS).filter(([name]) => !said.has(name.toLowerCase()));
  let client: unknown;
  try {
    client = Reflect.construct(MongoClient, [url, Object.fromEntries(options)]);
  } catch (error) {
    // Without the cause: what the driver says of a URL has the password in it.
    const reason = messageOf(error).replaceAll(url, withoutPassword(url));
    throw new CacheOptionError('url', withoutPassword(url), `not a MongoDB connection string: ${reason}`);
  }
  if (!isClient(client)) throw new TypeError('the MongoClient of the package mongodb lacks methods');
  return client;
}

/** The options in a URL, in lower case: there they are the user's, and MongoDB does not tell their case apart. */
function optionsIn(url: string): Set<string> {
  const at = url.indexOf('?');
  const names = at < 0 ? [] : [...new URLSearchParams(url.slice(at + 1)).keys()];
  return new Set(names.map((name) => name.toLowerCase()));
}

export function withoutPassword(url: string): string {
  return url.replace(/^([a-z+]*:\/\/)?.*@/is, '$1***@');
}

const DUPLICATE_KEY = 11_000;

/** The number that the server gave an error; undefined when the error does not come from it. */
export function codeOf(error: unknown): number | undefined {
  return isObject(error) && typeof error.code === 'number' ? error.code : undefined;
}

export function isDuplicateKey(error: unknown): boolean {
  return codeOf(error) === DUPLICATE_KEY;
}
