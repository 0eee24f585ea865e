import { CacheStoreError } from '../errors.js';
import { assertOptionNames } from './checks.js';
import { inSlices, isSpent, nextTurn } from './slices.js';
import type { CountFilter, MaybePromise, Store, StoreLimits, StoreMeta } from './store.js';

/** One entry, and its place in the order of use. */
interface Entry {
  readonly key: string;
  value: Uint8Array;
  url: string;
  expiresAt: number | undefined;
  index: boolean;
  /** Used before and after this one. */
  older: Entry | undefined;
  newer: Entry | undefined;
}

const KEYS_A_PAGE = 1000;

/**
 * Keeps everything in this process's memory; gone when the process ends. Without `maxEntries` or `maxBytes` it grows
 * without bound. The bytes handed in and out are not copied: whoever writes to them changes the entry.
 *
 * @example cacheAdapter({ backend: 'memory', maxBytes: 100 * 1024 * 1024 })
 */
export class MemoryBackend implements Store {
  readonly #entries = new Map<string, Entry>();
  // A linked list and not the Map's own order: a Map's deleted front slots are walked again by each look for the oldest.
  #oldest: Entry | undefined;
  #newest: Entry | undefined;
  #bytes = 0;
  #responses = 0;
  /** The key, or the keys, of a URL: seldom more than one, so seldom a Set. */
  readonly #byUrl = new Map<string, string | Set<string>>();
  #closed = false;

  /** `cacheName` is accepted and ignored, so that a backend can be exchanged by its name alone. */
  constructor(options: { cacheName?: string } = {}) {
    assertOptionNames(options, ['cacheName'], 'memory');
  }

  get(key: string): Uint8Array | undefined {
    if (this.#closed) throw closedError();
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: Uint8Array, meta: StoreMeta): void {
    if (this.#closed) throw closedError();
    const known = this.#entries.get(key);
    if (known !== undefined) this.#remove(known);
    const entry: Entry = {
      key,
      value: compact(value),
      url: meta.url,
      expiresAt: meta.expiresAt,
      index: meta.index === true,
      older: undefined,
      newer: undefined,
    };
    this.#entries.set(key, entry);
    this.#append(entry);
    this.#bytes += value.byteLength;
    if (!entry.index) this.#responses++;
    this.#addToUrl(entry);
  }

  delete(keys: string[]): MaybePromise<number> {
    let next = 0;
    let deleted = 0;
    const done = inSlices(() => {
      if (this.#closed) throw closedError();
      const start = performance.now();
      while (next < keys.length) {
        const entry = this.#entries.get(keys[next++] ?? '');
        if (entry !== undefined) {
          this.#remove(entry);
          deleted++;
        }
        if (next % 1024 === 0 && isSpent(start)) return false;
      }
      return true;
    });
    return done === undefined ? deleted : done.then(() => deleted);
  }

  clear(): void {
    if (this.#closed) throw closedError();
    this.#empty();
  }

  async *keys(): AsyncGenerator<string, void, undefined> {
    if (this.#closed) throw closedError();
    // A copy: an entry used while iterating must not come round again.
    const keys = [...this.#entries.keys()];
    for (const [at, key] of keys.entries()) {
      if (at > 0 && at % KEYS_A_PAGE === 0) await nextTurn();
      if (this.#entries.has(key)) yield key;
    }
  }

  close(): void {
    this.#closed = true;
    this.#empty();
  }

  count({ expired, now }: CountFilter): number {
    if (this.#closed) throw closedError();
    if (expired === undefined) return this.#responses;
    let found = 0;
    for (const entry of this.#entries.values()) {
      if (!entry.index && isExpired(entry, now) === expired) found++;
    }
    return found;
  }

  size(): number {
    if (this.#closed) throw closedError();
    return this.#bytes;
  }

  deleteExpired(now: number): MaybePromise<number> {
    if (this.#closed) throw closedError();
    const entries = [...this.#entries.values()];
    let next = 0;
    let deleted = 0;
    const done = inSlices(() => {
      const start = performance.now();
      while (next < entries.length) {
        const entry = entries[next++];
        // Replaced or deleted since the copy was taken: then it is no longer this one's turn.
        if (entry !== undefined && isExpired(entry, now) && this.#entries.get(entry.key) === entry) {
          this.#remove(entry);
          if (!entry.index) deleted++;
        }
        if (next % 1024 === 0 && isSpent(start)) return false;
      }
      return true;
    });
    return done === undefined ? deleted : done.then(() => deleted);
  }

  touch(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry === this.#newest) return;
    this.#unlink(entry);
    this.#append(entry);
  }

  trim({
    maxEntries = Number.POSITIVE_INFINITY,
    maxBytes = Number.POSITIVE_INFINITY,
  }: StoreLimits): string[] {
    if (this.#closed) throw closedError();
    const evicted: string[] = [];
    while (this.#oldest !== undefined && (this.#responses > maxEntries || this.#bytes > maxBytes)) {
      evicted.push(this.#oldest.key);
      this.#remove(this.#oldest);
    }
    return evicted;
  }

  keysByUrl(url: string): string[] {
    if (this.#closed) throw closedError();
    const keys = this.#byUrl.get(url);
    if (keys === undefined) return [];
    return typeof keys === 'string' ? [keys] : [...keys];
  }

  /** Constant: only this object changes what it holds. */
  version(): number {
    return 0;
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#unlink(entry);
    this.#bytes -= entry.value.byteLength;
    if (!entry.index) this.#responses--;
    const keys = this.#byUrl.get(entry.url);
    if (typeof keys === 'string') this.#byUrl.delete(entry.url);
    else if (keys?.delete(entry.key) === true && keys.size === 0) this.#byUrl.delete(entry.url);
  }

  #addToUrl({ url, key }: Entry): void {
    const keys = this.#byUrl.get(url);
    if (keys === undefined) this.#byUrl.set(url, key);
    else if (typeof keys === 'string') this.#byUrl.set(url, new Set([keys, key]));
    else keys.add(key);
  }

  #append(entry: Entry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: Entry): void {
    if (entry.older === undefined) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) this.#newest = entry.older;
    else entry.newer.older = entry.older;
  }

  #empty(): void {
    this.#entries.clear();
    this.#oldest = undefined;
    this.#newest = undefined;
    this.#byUrl.clear();
    this.#bytes = 0;
    this.#responses = 0;
  }
}

function closedError(): CacheStoreError {
  return new CacheStoreError('The memory store is closed');
}

function isExpired(entry: Entry, now: number): boolean {
  return entry.expiresAt !== undefined && entry.expiresAt <= now;
}

/** A small window onto a large buffer would keep all of that buffer alive: such a value is copied. */
function compact(value: Uint8Array): Uint8Array {
  return value.buffer.byteLength > 2 * value.byteLength + 16384
    ? Uint8Array.prototype.slice.call(value)
    : value;
}
