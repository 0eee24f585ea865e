import { CacheOptionError } from '../errors.js';
import { assertBoolean, assertOptionNames, MOST_SECONDS } from './checks.js';
import { assertUsablePath, IN_MEMORY, type PathOptions, sqlitePath, temporaryEntry } from './paths.js';
import { findDriver } from './sqlite/driver.js';
import { SQLiteEngine } from './sqlite/engine.js';
import { SQLiteKeyvEngine } from './sqlite/keyv.js';
import type { MaybePromise, Store, StoreMeta } from './store.js';

export interface SQLiteOptions extends PathOptions {
  /**
   * Path of the database: `~` is the home directory, relative paths start at the working directory, missing directories
   * are made, `.sqlite` is appended iff the base name has no dot. `':memory:'` is never written to disk.
   * @default 'http_cache'
   */
  cacheName?: string | undefined;
  /**
   * What SQLite is reached through; unset: the first of `node:sqlite` and `better-sqlite3` that is there. `'keyv'` is
   * `@keyv/sqlite`. One file should not be open through two different drivers in one process: each would drop the
   * other's locks (https://sqlite.org/howtocorrupt.html, 2.2).
   */
  driver?: 'node:sqlite' | 'better-sqlite3' | 'keyv' | undefined;
  /** How long to wait for another process that is writing; seconds, at most 2147483. @default 5 */
  busyTimeout?: number | undefined;
}

export const SQLITE_OPTION_NAMES = ['driver', 'useTemp', 'useCacheDir', 'busyTimeout'] as const;
const DRIVERS: readonly unknown[] = ['node:sqlite', 'better-sqlite3', 'keyv', undefined];

/**
 * Keeps the cache in a SQLite database, which several processes may share. Its tables are named `axios_stash`;
 * anything else in the database is left alone. The file is opened, and made, by the first operation.
 *
 * @example cacheAdapter({ backend: 'sqlite', cacheName: '~/.cache/my_app', busyTimeout: 10 })
 */
export class SQLiteBackend implements Store {
  /** Absolute path of the database, or `':memory:'`. */
  readonly path: string;
  readonly #engine: Store;

  // With the driver 'keyv' these are absent.
  readonly count?: NonNullable<Store['count']>;
  readonly size?: NonNullable<Store['size']>;
  readonly deleteExpired?: NonNullable<Store['deleteExpired']>;
  readonly touch?: NonNullable<Store['touch']>;
  readonly trim?: NonNullable<Store['trim']>;
  readonly keysByUrl?: NonNullable<Store['keysByUrl']>;
  readonly version?: NonNullable<Store['version']>;

  constructor(options: SQLiteOptions = {}) {
    assertOptionNames(options, ['cacheName', ...SQLITE_OPTION_NAMES], 'sqlite');
    const { driver, busyTimeout = 5 } = options;
    if (!DRIVERS.includes(driver)) {
      throw new CacheOptionError('driver', driver, "allowed: 'node:sqlite', 'better-sqlite3', 'keyv'");
    }
    if (typeof busyTimeout !== 'number' || !(busyTimeout >= 0) || busyTimeout > MOST_SECONDS) {
      const allowed = `allowed: a number of seconds, 0 or more and at most ${MOST_SECONDS}`;
      throw new CacheOptionError('busyTimeout', busyTimeout, allowed);
    }
    assertBoolean('useTemp', options.useTemp);
    assertBoolean('useCacheDir', options.useCacheDir);
    this.path = sqlitePath(options);
    const open = temporaryEntry(this.path, options);
    if (this.path !== IN_MEMORY) assertUsablePath(this.path, open);
    const place = { path: this.path, open };
    if (driver === 'keyv') {
      this.#engine = new SQLiteKeyvEngine(place, busyTimeout);
      return;
    }
    const engine = new SQLiteEngine(findDriver(driver), place, busyTimeout);
    this.#engine = engine;
    this.count = (filter) => engine.count(filter);
    this.size = () => engine.size();
    this.deleteExpired = (now, onProgress) => engine.deleteExpired(now, onProgress);
    this.touch = (key) => engine.touch(key);
    this.trim = (limits) => engine.trim(limits);
    this.keysByUrl = (url) => engine.keysByUrl(url);
    this.version = () => engine.version();
  }

  get(key: string): MaybePromise<Uint8Array | undefined> {
    return this.#engine.get(key);
  }

  set(key: string, value: Uint8Array, meta: StoreMeta): MaybePromise<void> {
    return this.#engine.set(key, value, meta);
  }

  delete(keys: string[]): MaybePromise<number> {
    return this.#engine.delete(keys);
  }

  clear(onProgress?: (done: number) => void): MaybePromise<void> {
    return this.#engine.clear(onProgress);
  }

  keys(): AsyncIterable<string> {
    return this.#engine.keys();
  }

  close(): MaybePromise<void> {
    return this.#engine.close();
  }

  observe(observer: (error: Error, reason: string) => void): () => void {
    return this.#engine.observe?.(observer) ?? (() => {});
  }
}
