/**
 * Reads and writes decoded records over a store: hot records first, then writes still on their way, then the store.
 * Nothing here rejects: what a store or a record does wrong becomes a miss and an `error` event.
 */

import { type CacheError, CacheRecordError, CacheStoreError, messageOf } from './errors.js';
import { HotRecords, type Loaded, load, type Ticket } from './hot.js';
import { keptAlive } from './promises.js';
import { Recent } from './recent.js';
import type { RecordCodec } from './record/codec.js';
import type { StoreRecord } from './record/record.js';
import { nameOf, StoreCalls } from './store-calls.js';
import type { MaybePromise, Store, StoreLimits, StoreMeta } from './stores/store.js';

export interface EntriesOptions {
  store: Store;
  codec: RecordCodec;
  /** Bytes of decoded records kept in memory. */
  hotBytes: number;
  /** Milliseconds, asked per operation since it is a live setting. */
  timeout: () => number;
  limits: () => StoreLimits | undefined;
  /** The `url` that goes into the store's meta. */
  tag: (url: string) => string;
  onError: (error: Error, reason: string, key?: string) => void;
  onEvicted: (key: string) => void;
}

/** A write or delete on its way to a store that answers with promises. */
interface Pending {
  /** Undefined: a delete. */
  loaded: Loaded | undefined;
  settled: Promise<void>;
}

export class Entries {
  readonly store: Store;
  readonly codec: RecordCodec;
  readonly #options: EntriesOptions;
  readonly #calls: StoreCalls;
  readonly #hot: HotRecords | undefined;
  readonly #pending = new Map<string, Pending>();
  readonly #changed = new Recent();
  #changes = 0;
  #allChanged = 0;
  /** Work behind responses that will yet write. */
  readonly #work = new Set<Promise<unknown>>();
  #version: number | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(options: EntriesOptions) {
    this.store = options.store;
    this.codec = options.codec;
    this.#options = options;
    this.#calls = new StoreCalls(options.store, options.timeout);
    // Without a version a store can't tell that another process wrote, so nothing may be trusted in front of it.
    if (options.hotBytes > 0 && options.store.version !== undefined)
      this.#hot = new HotRecords(options.hotBytes);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The record under a key, if it can be read. Synchronous when the store is. */
  read(key: string): MaybePromise<Loaded | undefined> {
    if (this.#closed) return undefined;
    const hot = this.#readHot(key);
    if (hot !== undefined) return hot;
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending.loaded;
    let bytes: MaybePromise<Uint8Array | undefined>;
    try {
      bytes = this.#calls.get(key);
    } catch (error) {
      this.#fail(error, 'read', key);
      return undefined;
    }
    if (bytes instanceof Promise) return this.#readLate(key, bytes);
    return bytes === undefined ? undefined : this.#decode(key, bytes);
  }

  #readHot(key: string): Loaded | undefined {
    const hot = this.#hot;
    if (hot === undefined) return undefined;
    let version: number | undefined;
    try {
      version = this.store.version?.();
    } catch {
      version = undefined; // the read that follows meets the same failure and reports it
    }
    if (version === undefined || version !== this.#version) {
      hot.clear();
      this.#version = version;
      return undefined;
    }
    const loaded = hot.get(key);
    if (loaded !== undefined) this.store.touch?.(key);
    return loaded;
  }

  async #readLate(key: string, bytes: Promise<Uint8Array | undefined>): Promise<Loaded | undefined> {
    const ticket = this.#hot?.begin(key);
    try {
      const value = await bytes;
      return value === undefined ? undefined : await this.#decode(key, value, ticket);
    } catch (error) {
      this.#fail(error, 'read', key);
      return undefined;
    } finally {
      this.#hot?.end(key, ticket);
    }
  }

  #decode(key: string, bytes: Uint8Array, ticket?: Ticket): MaybePromise<Loaded | undefined> {
    try {
      const record = this.codec.decode(key, bytes);
      if (record instanceof Promise) return this.#decodeLate(key, record, ticket ?? this.#hot?.begin(key));
      const loaded = load(record);
      this.#hot?.set(key, loaded, ticket);
      return loaded;
    } catch (error) {
      this.#fail(error, 'unreadable record', key);
      return undefined;
    }
  }

  async #decodeLate(
    key: string,
    record: Promise<StoreRecord>,
    ticket: Ticket | undefined,
  ): Promise<Loaded | undefined> {
    try {
      const loaded = load(await record);
      this.#hot?.set(key, loaded, ticket);
      return loaded;
    } catch (error) {
      this.#fail(error, 'unreadable record', key);
      return undefined;
    } finally {
      this.#hot?.end(key, ticket);
    }
  }

  /** What was in memory of the key holds no longer. */
  #change(key: string): void {
    this.#hot?.delete(key);
    this.#changes += 1;
    this.#changed.note(key, this.#changes);
  }

  /** For `hasChangedSince`. */
  get changes(): number {
    return this.#changes;
  }

  /** Whether the key has been written or deleted here since `changes` was this. */
  hasChangedSince(key: string, changes: number): boolean {
    return this.#allChanged > changes || this.#changed.hasHappenedSince(key, changes);
  }

  /** Whether it was stored; false after a failure, which was an event. Does not wait for a remote store. */
  write(record: StoreRecord): MaybePromise<boolean> {
    if (this.#closed) return false;
    const { key } = record;
    this.#change(key);
    let encoded: MaybePromise<Uint8Array>;
    try {
      encoded = this.codec.encode(key, record);
      if (!(encoded instanceof Promise) && !this.#pending.has(key)) {
        const done = this.#calls.set(key, encoded, this.meta(record));
        if (!(done instanceof Promise)) {
          this.#hot?.set(key, load(record));
          this.track(this.trim());
          return true;
        }
        this.#behind(key, load(record), done);
        return true;
      }
    } catch (error) {
      this.#fail(error, 'write', key);
      return false;
    }
    const before = this.#pending.get(key)?.settled;
    this.#behind(
      key,
      load(record),
      (async () => {
        const bytes = await encoded;
        await before; // writes to one key land in order
        await this.#calls.set(key, bytes, this.meta(record));
      })(),
    );
    return true;
  }

  /** Lets a remote store finish behind the response; reads in this process see the outcome already. */
  #behind(key: string, loaded: Loaded | undefined, done: Promise<unknown>): void {
    const settled = done
      .then(
        () => this.track(this.trim()),
        (error: unknown) => this.#fail(error, loaded === undefined ? 'delete' : 'write', key),
      )
      .finally(() => {
        if (this.#pending.get(key)?.settled === settled) this.#pending.delete(key);
      });
    this.#pending.set(key, { loaded, settled });
  }

  /** Deletes on the way of a request: failures are events. */
  remove(keys: string[]): void {
    if (this.#closed || keys.length === 0) return;
    for (const key of keys) this.#change(key);
    const before = keys.map((key) => this.#pending.get(key)?.settled).filter((one) => one !== undefined);
    try {
      if (before.length === 0) {
        const done = this.#calls.delete(keys);
        if (!(done instanceof Promise)) return;
        for (const key of keys) this.#behind(key, undefined, done);
        return;
      }
    } catch (error) {
      this.#fail(error, 'delete', keys[0]);
      return;
    }
    const done = Promise.all(before).then(() => this.#calls.delete(keys));
    for (const key of keys) this.#behind(key, undefined, done);
  }

  /** Keys of what is stored of a URL, where the store can look it up; a failure is an event, and none are known. */
  async keysByUrl(url: string): Promise<readonly string[]> {
    if (this.#closed || this.store.keysByUrl === undefined) return [];
    const tag = this.tag(url);
    // What is on its way to the store now may not be found there yet.
    const coming = [...this.#pending].flatMap(([key, { loaded }]) =>
      loaded !== undefined && this.meta(loaded.record).url === tag ? [key] : [],
    );
    try {
      return [...coming, ...(await keptAlive(this.#calls.keysByUrl(tag)))];
    } catch (error) {
      this.#fail(error, 'look-up by URL');
      return coming;
    }
  }

  /** What the store is told of a URL. */
  tag(url: string): string {
    return this.#options.tag(url);
  }

  /** What the store may know of a record. */
  meta(record: StoreRecord): StoreMeta {
    const expiresAt = record.kind === 'response' ? record.expiresAt : lastExpiry(record.entries);
    const meta: StoreMeta = { createdAt: record.createdAt, url: this.#options.tag(record.url) };
    if (record.kind === 'response') meta.url = this.#options.tag(record.request.url);
    else meta.index = true;
    if (expiresAt !== undefined) meta.expiresAt = expiresAt;
    return meta;
  }

  /** Evicts until within the limits. Rejects never: a failure is an event. */
  trim(): MaybePromise<void> {
    const limits = this.#options.limits();
    if (limits === undefined || this.store.trim === undefined) return;
    try {
      const evicted = this.#calls.trim(limits);
      if (evicted instanceof Promise) {
        return evicted.then(
          (keys) => this.#evicted(keys),
          (error: unknown) => this.#fail(error, 'trim'),
        );
      }
      this.#evicted(evicted);
    } catch (error) {
      this.#fail(error, 'trim');
    }
  }

  #evicted(keys: string[]): void {
    for (const key of keys) {
      this.#change(key);
      this.#options.onEvicted(key);
    }
  }

  /** Forgets what is kept in memory, of one key or all; for maintenance, which changes the store directly. */
  forget(key?: string): void {
    if (key !== undefined) {
      this.#change(key);
      return;
    }
    this.#hot?.clear();
    this.#changes += 1;
    this.#allChanged = this.#changes;
  }

  /** What `flush` is to wait for besides writes: work that has none yet, but will. It must not reject. */
  track(work: MaybePromise<unknown>): void {
    if (!(work instanceof Promise)) return;
    this.#work.add(work);
    const over = () => this.#work.delete(work);
    work.then(over, over);
  }

  /** Resolves when every write there is has settled, whether well or ill; not those that come meanwhile. */
  async flush(): Promise<void> {
    await keptAlive(Promise.allSettled(this.#work));
    await keptAlive(Promise.allSettled([...this.#pending.values()].map(({ settled }) => settled)));
    const flush = (this.store as { flush?: () => MaybePromise<void> }).flush;
    if (flush === undefined) return;
    try {
      await flush.call(this.store);
    } catch (error) {
      this.#fail(error, 'flush');
    }
  }

  /** However often it is called, it is done once, and all calls wait for it. */
  close(closeStore: boolean): Promise<void> {
    this.#closing ??= this.#close(closeStore);
    return this.#closing;
  }

  async #close(closeStore: boolean): Promise<void> {
    await this.flush();
    this.#closed = true;
    await this.flush(); // what came while the first waited; nothing comes any more
    this.forget();
    if (!closeStore) return;
    try {
      await this.store.close();
    } catch (error) {
      throw this.#asOwn(error, 'close');
    }
  }

  get storeName(): string {
    return nameOf(this.store);
  }

  #fail(error: unknown, reason: string, key?: string): void {
    this.#options.onError(this.#asOwn(error, reason), reason, key);
  }

  #asOwn(error: unknown, reason: string): CacheError {
    return error instanceof CacheStoreError || error instanceof CacheRecordError
      ? error
      : new CacheStoreError(`${this.storeName}: ${reason} failed: ${messageOf(error)}`, error);
  }
}

/** When the last of them expires; undefined if one never does. */
function lastExpiry(entries: readonly { expiresAt?: number }[]): number | undefined {
  let last = 0;
  for (const { expiresAt } of entries) {
    if (expiresAt === undefined) return undefined;
    last = Math.max(last, expiresAt);
  }
  return last;
}
