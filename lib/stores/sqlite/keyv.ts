import { CacheDriverMissingError, CacheStoreError } from '../../errors.js';
import { loadDriver } from '../driver.js';
import { isKeyvLike, type KeyvLike } from '../keyv/like.js';
import { KeyvBackend } from '../keyv.js';
import { Observers } from '../observers.js';
import { IN_MEMORY } from '../paths.js';
import type { Store, StoreMeta } from '../store.js';
import { failureOf } from './driver.js';
import { createPrivately, type Place, setAside } from './file.js';

/** Not `axios_stash`: the other drivers' table of that name may be in the same file, and is of another shape. */
const TABLE = 'axios_stash_keyv';
const PACKAGE = '@keyv/sqlite';

interface KeyvSqlite extends KeyvLike {
  query(sql: string): Promise<unknown>;
}

type KeyvSqliteClass = new (options: Record<string, unknown>) => unknown;

/**
 * The store on @keyv/sqlite: asynchronous, and without what Keyv has no notion of (counting, eviction, noticing what
 * other processes wrote). The file is opened by the first operation.
 */
export class SQLiteKeyvEngine implements Store {
  readonly #place: Place;
  readonly #path: string;
  readonly #busyTimeout: number;
  readonly #KeyvSqlite: KeyvSqliteClass;
  readonly #observers = new Observers();
  #opened: Promise<KeyvBackend> | undefined;
  #closed = false;

  constructor(place: Place, busyTimeout: number) {
    this.#place = place;
    this.#path = place.path;
    this.#busyTimeout = busyTimeout;
    this.#KeyvSqlite = loadClass();
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.#backend()).get(key);
  }

  async set(key: string, value: Uint8Array, meta: StoreMeta): Promise<void> {
    return (await this.#backend()).set(key, value, meta);
  }

  async delete(keys: string[]): Promise<number> {
    return (await this.#backend()).delete(keys);
  }

  async clear(): Promise<void> {
    return (await this.#backend()).clear();
  }

  async *keys(): AsyncGenerator<string, void, undefined> {
    yield* (await this.#backend()).keys();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opened = this.#opened;
    this.#opened = undefined;
    // One that could not be opened needs no closing.
    const backend = await opened?.catch(() => undefined);
    await backend?.close();
  }

  observe(observer: (error: Error, reason: string) => void): () => void {
    return this.#observers.add(observer);
  }

  #backend(): Promise<KeyvBackend> {
    if (this.#closed) return Promise.reject(new CacheStoreError(`SQLite database ${this.#path} is closed`));
    if (this.#opened !== undefined) return this.#opened;
    const opened = this.#open();
    this.#opened = opened;
    // The next operation tries again.
    opened.catch(() => {
      if (this.#opened === opened) this.#opened = undefined;
    });
    return opened;
  }

  async #open(): Promise<KeyvBackend> {
    try {
      return await this.#connect();
    } catch (error) {
      if (failureOf(error) !== 'unusable' || this.#path === IN_MEMORY) throw this.#wrap(error);
    }
    try {
      const target = setAside(this.#path, Date.now());
      const message = `${this.#path} is no usable SQLite database: it was renamed to ${target}`;
      this.#observers.tell(new CacheStoreError(message), 'database set aside');
      return await this.#connect();
    } catch (error) {
      throw this.#wrap(error);
    }
  }

  async #connect(): Promise<KeyvBackend> {
    if (this.#path !== IN_MEMORY) createPrivately(this.#place);
    const uri = `sqlite://${this.#path}`;
    const busyTimeout = Math.ceil(this.#busyTimeout * 1000);
    const adapter = new this.#KeyvSqlite({ uri, table: TABLE, busyTimeout, iterationLimit: '1000' });
    if (!isKeyvSqlite(adapter)) throw new TypeError(`${PACKAGE} made no store`);
    const backend = new KeyvBackend(adapter);
    // At once: a connection that fails before anybody waits for it is an unhandled rejection, and ends the process.
    await adapter.query('PRAGMA journal_mode = WAL');
    await adapter.query('PRAGMA synchronous = NORMAL');
    await adapter.query('PRAGMA secure_delete = ON');
    backend.observe((error, reason) => this.#observers.tell(error, reason));
    return backend;
  }

  #wrap(error: unknown): CacheStoreError {
    if (error instanceof CacheStoreError) return error;
    return new CacheStoreError(`SQLite database ${this.#path}: can't open: ${String(error)}`, error);
  }
}

function loadClass(): KeyvSqliteClass {
  const module = loadDriver('sqlite', PACKAGE);
  const KeyvSqlite = module.KeyvSqlite ?? module.default;
  if (isClass(KeyvSqlite)) return KeyvSqlite;
  throw new CacheDriverMissingError('sqlite', PACKAGE, new TypeError(`${PACKAGE} exports no KeyvSqlite`));
}

function isClass(value: unknown): value is KeyvSqliteClass {
  return typeof value === 'function';
}

function isKeyvSqlite(value: unknown): value is KeyvSqlite {
  return isKeyvLike(value) && 'query' in value && typeof value.query === 'function';
}
