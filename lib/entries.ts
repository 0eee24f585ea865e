/**
 * Reads and writes decoded records over a store: hot records first, then writes still on their way, then the store.
 * Nothing here rejects: what a store or a record does wrong becomes a miss and an `error` event.
 */

import { Behind, sizeOf } from './behind.js';
import { type CacheError, CacheRecordError, CacheStoreError, messageOf } from './errors.js';
import { isVersioned, StoreFront } from './front.js';
import { type Loaded, load, type Ticket } from './hot.js';
import { OwedDeletes, OwedLookUps } from './owed.js';
import { keptAlive } from './promises.js';
import { Recent } from './recent.js';
import type { RecordCodec } from './record/codec.js';
import type { StoreRecord } from './record/record.js';
import { nameOf, StoreCalls } from './store-calls.js';
import { type MetaOptions, metaOf, urlOf } from './store-meta.js';
import type { MaybePromise, Store, StoreLimits, StoreMeta } from './stores/store.js';

/** Keys of later versions' records kept in mind. */
const MOST_NEWER = 10_000;

export interface EntriesOptions extends MetaOptions {
  store: Store;
  codec: RecordCodec;
  /** Bytes of decoded records kept in memory. */
  hotBytes: number;
  /** Whether hits may share a parsed object, which then is part of a decoded record. */
  isFrozen: () => boolean;
  /** Milliseconds, asked per operation since it is a live setting. */
  timeout: () => number;
  limits: () => StoreLimits | undefined;
  onError: (error: Error, reason: string, key?: string) => void;
  onEvicted: (key: string) => void;
}

export class Entries {
  readonly store: Store;
  readonly codec: RecordCodec;
  readonly #options: EntriesOptions;
  readonly #calls: StoreCalls;
  readonly #hot: StoreFront | undefined;
  readonly #behind = new Behind();
  readonly #owed = new OwedDeletes();
  readonly #owedLookUps = new OwedLookUps();
  /** Keys under which a later version's record was when they were last read: it is not ours to replace. */
  readonly #newer = new Set<string>();
  readonly #changed = new Recent();
  #changes = 0;
  #allChanged = 0;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(options: EntriesOptions) {
    this.store = options.store;
    this.codec = options.codec;
    this.#options = options;
    this.#calls = new StoreCalls(options.store, options.timeout, () => this.remove(this.#owed.list()));
    if (options.hotBytes > 0 && isVersioned(options.store)) {
      this.#hot = new StoreFront(options.store, options.hotBytes, options.isFrozen, (error, key) =>
        this.#fail(error, 'touch', key),
      );
    }
  }

  /** Bytes of decoded records in memory now. */
  get hotBytes(): number {
    return this.#hot?.bytes ?? 0;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The record under a key, if it can be read. Synchronous when the store is. */
  read(key: string): MaybePromise<Loaded | undefined> {
    if (this.#closed) return undefined;
    const hot = this.#hot?.get(key);
    if (hot !== undefined) return hot;
    const pending = this.#behind.get(key);
    if (pending !== undefined) return pending.loaded;
    if (this.#owed.has(key)) {
      this.remove([key]);
      return undefined;
    }
    if (this.#newer.size > 0) this.#newer.delete(key);
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
      return this.#loaded(key, record, ticket);
    } catch (error) {
      this.#failDecoding(error, key);
      return undefined;
    }
  }

  #loaded(key: string, record: StoreRecord, ticket: Ticket | undefined): Loaded | undefined {
    if (this.isOutdated(key, record)) {
      this.remove([key]);
      return undefined;
    }
    const loaded = load(record);
    this.#hot?.set(key, loaded, ticket);
    return loaded;
  }

  async #decodeLate(
    key: string,
    record: Promise<StoreRecord>,
    ticket: Ticket | undefined,
  ): Promise<Loaded | undefined> {
    try {
      return this.#loaded(key, await record, ticket);
    } catch (error) {
      this.#failDecoding(error, key);
      return undefined;
    } finally {
      this.#hot?.end(key, ticket);
    }
  }

  #failDecoding(error: unknown, key: string): void {
    if (error instanceof CacheRecordError && error.isNewer) {
      if (this.#newer.size >= MOST_NEWER) this.#newer.clear(); // each write follows a read, which notes it again
      this.#newer.add(key);
    }
    this.#fail(error, 'unreadable record', key);
  }

  /** What was in memory of the key holds no longer. */
  #change(key: string): void {
    this.#hot?.delete(key);
    this.#newer.delete(key);
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
    if (this.#newer.has(key)) return false; // reading it was an event already
    const loaded = load(record);
    this.#change(key);
    try {
      if (!this.#behind.hasRoomFor(sizeOf(loaded))) throw this.#asOwn('too many writes are waiting', 'write');
      const encoded = this.codec.encode(key, record);
      const before = this.#behind.before([key]);
      if (encoded instanceof Promise || before !== undefined) {
        this.#writeBehind(key, loaded, this.#setLate(record, encoded, before));
        return true;
      }
      const done = this.#calls.set(key, encoded, this.meta(record));
      if (done instanceof Promise) {
        this.#writeBehind(key, loaded, done);
        return true;
      }
    } catch (error) {
      this.#fail(error, 'write', key);
      return false;
    }
    this.#owed.settle(key);
    this.#hot?.set(key, loaded);
    this.track(this.trim());
    return true;
  }

  /** Writes to one key land in order. */
  async #setLate(
    record: StoreRecord,
    encoded: MaybePromise<Uint8Array>,
    before: Promise<unknown> | undefined,
  ): Promise<void> {
    const bytes = await encoded;
    await before;
    await this.#calls.set(record.key, bytes, this.meta(record));
  }

  #writeBehind(key: string, loaded: Loaded, done: Promise<void>): void {
    const settled = done.then(
      () => {
        this.#owed.settle(key);
        this.track(this.trim());
      },
      (error: unknown) => this.#fail(error, 'write', key),
    );
    this.#behind.add(key, loaded, settled);
  }

  /** Deletes on the way of a request: failures are events, and made up for later. */
  remove(keys: string[]): void {
    if (this.#closed || keys.length === 0) return;
    for (const key of keys) this.#change(key);
    const before = this.#behind.before(keys);
    let done: MaybePromise<unknown>;
    try {
      done = before === undefined ? this.#calls.delete(keys) : before.then(() => this.#calls.delete(keys));
    } catch (error) {
      this.#owe(keys, error);
      return;
    }
    if (!(done instanceof Promise)) {
      for (const key of keys) this.#owed.settle(key);
      return;
    }
    const settled = done.then(
      () => {
        for (const key of keys) this.#owed.settle(key);
      },
      (error: unknown) => this.#owe(keys, error),
    );
    for (const key of keys) this.#behind.add(key, undefined, settled);
  }

  #owe(keys: readonly string[], error: unknown): void {
    this.#owed.add(keys);
    this.#fail(error, 'delete', keys[0]);
  }

  /**
   * `write` for maintenance, which waits for the store and hears of its failure: in order with what requests write and
   * delete. False when the key was changed since `changes`: that word stands.
   */
  async replace(record: StoreRecord, changes = Number.POSITIVE_INFINITY): Promise<boolean> {
    const { key } = record;
    const bytes = await this.codec.encode(key, record);
    if (this.hasChangedSince(key, changes)) return false;
    const before = this.#behind.before([key]);
    const set = async () => this.#calls.patiently('set', this.store.set(key, bytes, this.meta(record)));
    await this.#inOrder([key], load(record), before === undefined ? set() : before.then(set));
    return true;
  }

  /** `remove` for maintenance, which waits for the store and hears of its failure. */
  async erase(keys: string[]): Promise<void> {
    const before = this.#behind.before(keys);
    const erase = async () => this.#calls.patiently('delete', this.store.delete(keys));
    await this.#inOrder(keys, undefined, before === undefined ? erase() : before.then(erase));
  }

  async #inOrder(keys: readonly string[], loaded: Loaded | undefined, done: Promise<unknown>): Promise<void> {
    for (const key of keys) this.#change(key);
    const settled = done.then(
      () => {
        for (const key of keys) this.#owed.settle(key);
      },
      () => {}, // told to who waits for it
    );
    for (const key of keys) this.#behind.add(key, loaded, settled);
    await done;
  }

  /** Keys of what is stored of a URL, to be deleted, where the store can look it up; a failure is an event, and made up for. */
  async keysByUrl(url: string): Promise<readonly string[]> {
    if (this.#closed || this.store.keysByUrl === undefined) return [];
    const tag = this.tag(url);
    // What is on its way to the store now may not be found there yet.
    const coming = [...this.#behind.loaded()].flatMap(([key, { record }]) =>
      this.#options.tag(urlOf(record)) === tag ? [key] : [],
    );
    try {
      return [...coming, ...(await keptAlive(this.#calls.keysByUrl(tag)))];
    } catch (error) {
      this.#owedLookUps.add(tag, this.#changes);
      this.#hot?.clear();
      this.#fail(error, 'look-up by URL');
      return coming;
    }
  }

  /**
   * What a store in trouble did not do is done. Look-ups only here, and not as soon as it answers again: where nothing but
   * they hang, that would go on for ever. Until then what is read is told by `isOutdated`.
   */
  async #makeUp(): Promise<void> {
    this.remove(this.#owed.list());
    for (const [tag, changes] of this.#owedLookUps.list()) {
      try {
        const keys = await keptAlive(this.#calls.keysByUrl(tag));
        this.remove(keys.filter((key) => !this.hasChangedSince(key, changes)));
        this.#owedLookUps.settle(tag, changes);
      } catch (error) {
        this.#fail(error, 'look-up by URL');
        return; // still in trouble
      }
    }
  }

  /** What the store is told of a URL. */
  tag(url: string): string {
    return this.#options.tag(url);
  }

  /** What the store may know of a record. */
  meta(record: StoreRecord): StoreMeta {
    return metaOf(record, this.#options);
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

  /** Resolves when what is on its way to the store under this key has landed; not what comes meanwhile. */
  landed(key: string): MaybePromise<unknown> {
    const before = this.#behind.before([key]);
    return before && keptAlive(before);
  }

  /** Whether what is stored there no longer holds, although it could not be deleted yet. */
  isOwed(key: string): boolean {
    return this.#owed.has(key);
  }

  /** Whether it was to be deleted with all of its URL, and could not be found. */
  isOutdated(key: string, record: StoreRecord): boolean {
    if (this.#owedLookUps.isEmpty) return false;
    const since = this.#owedLookUps.since(this.tag(urlOf(record)));
    return since !== undefined && !this.hasChangedSince(key, since);
  }

  /** Forgets what is kept in memory; for maintenance that changes many entries of the store at once. */
  forget(): void {
    this.#hot?.clear();
    this.#newer.clear();
    this.#changes += 1;
    this.#allChanged = this.#changes;
  }

  /** Everything was deleted. */
  cleared(): void {
    this.forget();
    this.#owed.clear();
    this.#owedLookUps.clear();
  }

  /** What `flush` is to wait for besides writes: work that has none yet, but will. It must not reject. */
  track(work: MaybePromise<unknown>): void {
    this.#behind.track(work);
  }

  /** Resolves when every write there is has settled, whether well or ill; not those that come meanwhile. */
  async flush(): Promise<void> {
    await this.#makeUp();
    await this.#behind.flush();
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
    this.#calls.dispose();
    this.#hot?.stop();
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
