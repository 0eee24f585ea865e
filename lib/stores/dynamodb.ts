import { setTimeout as delay } from 'node:timers/promises';
import { CacheOptionError } from '../errors.js';
import { parseUrl } from '../parse-url.js';
import { assertBoolean, assertOptionNames, hasMethods } from './checks.js';
import { type DynamoDBClientLike, DynamoDBConnection } from './dynamodb/client.js';
import { DELETABLE, DynamoDBEntries, OURS } from './dynamodb/entries.js';
import { isMissingTable } from './dynamodb/errors.js';
import { encodeEntry, hasName, type Item, keyOf, storedKey, urlHash } from './dynamodb/items.js';
import { DynamoDBTable, type Page, type ScanRequest } from './dynamodb/table.js';
import { ttlOffsetOf } from './native-expiry.js';
import { Observers } from './observers.js';
import { Operations } from './operations.js';
import type { CountFilter, Store, StoreMeta } from './store.js';

export interface DynamoDBOptions {
  /** The table: 3 to 255 letters, digits, `_`, `.` and `-`. It may have items of others as well. @default 'http_cache' */
  cacheName?: string | undefined;
  /** @default what the SDK finds (`AWS_REGION`, the profile); with `endpoint`, where it finds none, `'us-east-1'` */
  region?: string | undefined;
  /**
   * The URL of another server than the region's, such as DynamoDB Local. One on this machine is sent made-up
   * credentials when neither the environment nor `~/.aws` has any.
   * @example 'http://localhost:8000'
   */
  endpoint?: string | undefined;
  /** A `DynamoDBClient` of yours; it is never destroyed. Without `region`, `endpoint` and `clientOptions`. */
  client?: DynamoDBClientLike | undefined;
  /** Whether the first response that is stored makes the table where there is none. @default true */
  createTable?: boolean | undefined;
  /** Whether reads see what another process has written just now; they cost twice as much then. @default false */
  consistentRead?: boolean | undefined;
  /**
   * What else the constructor of `DynamoDBClient` is handed. Unless it says otherwise: `maxAttempts: 3` and
   * `requestHandler: { connectionTimeout: 1000, socketTimeout: 5000 }` (ms).
   * @example { credentials: { accessKeyId, secretAccessKey } }
   */
  clientOptions?: object | undefined;
  /** How long an expired entry stays at least, so that it can be revalidated; seconds. @default 3600 */
  ttlOffset?: number | undefined;
}

export type { DynamoDBClientLike } from './dynamodb/client.js';

export const DYNAMODB_OPTION_NAMES = [
  'region',
  'endpoint',
  'client',
  'createTable',
  'consistentRead',
  'clientOptions',
  'ttlOffset',
] as const;

/** How long `close()` lets what is under way go on; ms. */
const GRACE = 2000;

const HEADS = `${OURS} AND attribute_not_exists(#part)`;
const FOUND = `${DELETABLE}, #part, #index`;

/**
 * Keeps responses in a table of DynamoDB: each in an item, or in several when it is too large for one. Items of others
 * in the same table are left alone. The first operation connects.
 *
 * @example cacheAdapter({ backend: 'dynamodb', cacheName: 'my_app', region: 'eu-central-1' })
 * @example cacheAdapter({ backend: 'dynamodb', endpoint: 'http://localhost:8000' })
 */
export class DynamoDBBackend implements Store {
  readonly #operations: Operations;
  readonly #connection: DynamoDBConnection;
  readonly #table: DynamoDBTable;
  readonly #entries: DynamoDBEntries;
  readonly #observers = new Observers();
  readonly #ttlOffset: number;
  readonly #createTable: boolean;
  readonly #consistentRead: boolean;
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(options: DynamoDBOptions = {}) {
    assertOptions(options);
    const { cacheName = 'http_cache', createTable = true, consistentRead = false } = options;
    this.#createTable = createTable;
    this.#consistentRead = consistentRead;
    this.#ttlOffset = ttlOffsetOf(options.ttlOffset);
    this.#connection = new DynamoDBConnection(options);
    this.#table = new DynamoDBTable(cacheName, this.#connection, (error) => this.#tell('turn on TTL', error));
    this.#operations = new Operations(this.#table.title);
    this.#entries = new DynamoDBEntries(this.#table, consistentRead, (error) =>
      this.#tell('delete parts that were left behind', error),
    );
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#find('read', undefined, () => this.#entries.read(storedKey(key).id));
  }

  set(key: string, value: Uint8Array, meta: StoreMeta): Promise<void> {
    return this.#run('write', async () => {
      const entry = encodeEntry(key, value, meta, this.#ttlOffset);
      try {
        await this.#entries.write(entry);
      } catch (error) {
        if (!this.#createTable || !isMissingTable(error)) throw error;
        await this.#table.create();
        await this.#entries.write(entry);
      }
    });
  }

  delete(keys: string[]): Promise<number> {
    const ids = [...new Set(keys)].map((key) => storedKey(key).id);
    return this.#find('delete', 0, () => this.#entries.delete(ids));
  }

  /** Reads consistently whatever `consistentRead` says: what was stored just before is to go too. */
  async clear(): Promise<void> {
    const all = { filter: OURS, attributes: FOUND, consistent: true };
    for await (const { items } of this.#scan('clear', all)) await this.#deleteFound('clear', items);
  }

  async *keys(): AsyncGenerator<string, void, undefined> {
    const heads = { filter: HEADS, attributes: '#key, #name' };
    for await (const { items } of this.#scan('list', heads)) yield* keysOf(items);
  }

  /** Waits for what is under way, but not for long. */
  close(): Promise<void> {
    this.#operations.close();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async count({ expired, now }: CountFilter): Promise<number> {
    const conditions = [HEADS, 'attribute_not_exists(#index)'];
    if (expired === true) conditions.push('#expires <= :now');
    if (expired === false) conditions.push('(attribute_not_exists(#expires) OR #expires > :now)');
    const values = { ':now': { N: String(now) } };
    let found = 0;
    for await (const { count } of this.#scan('count', { filter: conditions.join(' AND '), values }))
      found += count;
    return found;
  }

  async size(): Promise<number> {
    let bytes = 0;
    for await (const { items } of this.#scan('count', { filter: HEADS, attributes: '#size' })) {
      for (const { size } of items) bytes += Number(size?.N ?? 0);
    }
    return bytes;
  }

  async deleteExpired(now: number): Promise<number> {
    const filter = `${OURS} AND (#expires <= :now OR attribute_exists(#part))`;
    const request = { filter, values: { ':now': { N: String(now) } }, attributes: FOUND };
    let deleted = 0;
    for await (const { items } of this.#scan('delete', request)) {
      deleted += await this.#deleteFound('delete', items);
    }
    return deleted;
  }

  async keysByUrl(url: string): Promise<string[]> {
    const hash = urlHash(url);
    const ids = await this.#find('list', [], () => this.#table.idsByUrl(hash));
    if (ids !== undefined) {
      const named = ids.filter(hasName);
      const items = await this.#find('list', [], () => this.#table.readSome(named, '#key, #name'));
      return [...keysOf(ids.map((id) => ({ key: { S: id } }))), ...keysOf(items)];
    }
    // The table was made by somebody else, without the index.
    const keys: string[] = [];
    const request = {
      filter: `${HEADS} AND #urlHash = :url`,
      values: { ':url': { S: hash } },
      attributes: '#key, #name',
    };
    for await (const { items } of this.#scan('list', request)) keys.push(...keysOf(items));
    return keys;
  }

  observe(observer: (error: Error, reason: string) => void): () => void {
    return this.#observers.add(observer);
  }

  /** Deletes the entries among the items, and of the parts those that are abandoned. How many responses went. */
  #deleteFound(what: string, items: Item[]): Promise<number> {
    const heads = items.filter(({ part }) => part === undefined);
    const parts = items.filter(({ part }) => part !== undefined);
    return this.#find(what, 0, async () => {
      const gone = await this.#entries.deleteFound(heads);
      await this.#entries.sweep(parts.flatMap(({ key }) => key?.S ?? []));
      return gone.filter(({ index }) => index?.BOOL !== true).length;
    });
  }

  async *#scan(what: string, request: ScanRequest): AsyncGenerator<Page, void, undefined> {
    const pages = this.#table.scan({ consistent: this.#consistentRead, ...request });
    for (;;) {
      const next = await this.#find(what, undefined, () => pages.next());
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  }

  /** Of a table that is yet to be made nothing is found. */
  #find<T, A>(what: string, absent: A, work: () => Promise<T>): Promise<T | A> {
    return this.#run(what, async () => {
      try {
        return await work();
      } catch (error) {
        if (this.#createTable && isMissingTable(error)) return absent;
        throw error;
      }
    });
  }

  async #run<T>(what: string, work: () => Promise<T>): Promise<T> {
    const running = this.#operations.run(what, work);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #close(): Promise<void> {
    const late = new AbortController();
    const settled = Promise.allSettled(this.#running).finally(() => late.abort());
    await delay(GRACE, undefined, { signal: late.signal }).catch(() => {});
    this.#connection.close();
    await settled;
  }

  #tell(what: string, error: unknown): void {
    if (!this.#operations.closed) this.#observers.tell(this.#operations.failure(what, error), 'store error');
  }
}

function* keysOf(items: readonly Item[]): Generator<string, void, undefined> {
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) yield key;
  }
}

function assertOptions(options: DynamoDBOptions): void {
  assertOptionNames(options, ['cacheName', ...DYNAMODB_OPTION_NAMES], 'dynamodb');
  const { cacheName, region, endpoint, client, clientOptions } = options;
  if (cacheName !== undefined && !(typeof cacheName === 'string' && /^[\w.-]{3,255}$/.test(cacheName))) {
    throw new CacheOptionError(
      'cacheName',
      cacheName,
      "allowed: a table's name, 3 to 255 of A-Z a-z 0-9 _ . -",
    );
  }
  if (region !== undefined && (typeof region !== 'string' || region === '')) {
    throw new CacheOptionError('region', region, "allowed: the name of a region, such as 'eu-central-1'");
  }
  if (endpoint !== undefined && !isHttpUrl(endpoint)) {
    throw new CacheOptionError('endpoint', endpoint, "allowed: a URL, such as 'http://localhost:8000'");
  }
  if (client !== undefined && !hasMethods(client, ['send'])) {
    throw new CacheOptionError('client', client, 'allowed: a DynamoDBClient');
  }
  if (
    clientOptions !== undefined &&
    (typeof clientOptions !== 'object' || clientOptions === null || Array.isArray(clientOptions))
  ) {
    throw new CacheOptionError(
      'clientOptions',
      clientOptions,
      'allowed: an object of options for DynamoDBClient',
    );
  }
  for (const [name, value] of Object.entries({ region, endpoint, clientOptions })) {
    if (client === undefined || value === undefined) continue;
    throw new CacheOptionError(name, value, 'not together with client, which has its own');
  }
  assertBoolean('createTable', options.createTable);
  assertBoolean('consistentRead', options.consistentRead);
}

function isHttpUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:$/.test(parseUrl(value)?.protocol ?? '');
}
