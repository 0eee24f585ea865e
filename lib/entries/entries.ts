/**
 * A store's entries as decoded records. Nothing on the way of a request rejects here: what a store or a record does wrong
 * becomes a miss and an `error` event.
 */
import { CacheRecordError, CacheStoreError, messageOf } from '../errors.js';
import { keptAlive } from '../promises.js';
import type { RecordCodec } from '../record/codec.js';
import type { StoreRecord } from '../record/record.js';
import type { MaybePromise, Store, StoreLimits, StoreMeta } from '../stores/store.js';
import { isVersioned, StoreFront } from './front.js';
import type { Ground } from './ground.js';
import type { Loaded } from './hot.js';
import { type Known, knownOf } from './known.js';
import { LookUps } from './look-ups.js';
import { Reads } from './reads.js';
import { nameOf, StoreCalls } from './store-calls.js';
import { type MetaOptions, metaOf, urlOf } from './store-meta.js';
import { readable } from './thrown.js';
import type { Watch } from './watch.js';
import { Writes } from './writes.js';

export interface EntriesOptions extends MetaOptions {
  store: Store;
  codec: RecordCodec;
  /** The same URL as it went into the meta before. */
  formerTags: (url: string) => readonly string[];
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
  readonly storeName: string;
  readonly #ground: Ground;
  readonly #known: Known;
  readonly #reads: Reads;
  readonly #writes: Writes;
  readonly #lookUps: LookUps;
  readonly #stopHeeding: (() => void) | undefined;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  constructor(options: EntriesOptions) {
    const { store, codec } = options;
    this.store = store;
    this.codec = codec;
    this.storeName = nameOf(store);
    const asOwn: Ground['asOwn'] = (thrown, reason) => {
      const error = readable(thrown);
      return error instanceof CacheStoreError || error instanceof CacheRecordError
        ? error
        : new CacheStoreError(`${this.storeName}: ${reason} failed: ${messageOf(error)}`, error);
    };
    const fail: Ground['fail'] = (error, reason, key) => options.onError(asOwn(error, reason), reason, key);
    const hot = frontOf(options, (error) => fail(error, 'onChange'));
    this.#known = knownOf(store);
    this.#stopHeeding = hot && this.#known.heed(hot);
    this.#ground = {
      store,
      codec,
      calls: new StoreCalls(store, options.timeout, () => this.#makeUpDeletes()),
      known: this.#known,
      hot,
      isClosed: () => this.#isClosed,
      tag: options.tag,
      formerTags: options.formerTags,
      meta: (record) => metaOf(record, options),
      fail,
      asOwn,
    };
    this.#writes = new Writes(this.#ground, options.limits, options.onEvicted);
    this.#reads = new Reads(this.#ground, this.#writes);
    this.#lookUps = new LookUps(this.#ground, this.#writes);
  }

  /** Bytes of decoded records in memory now. */
  get hotBytes(): number {
    return this.#ground.hot?.bytes ?? 0;
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  /** The record under a key, if it can be read. Synchronous when the store is. */
  read(key: string): MaybePromise<Loaded | undefined> {
    return this.#reads.read(key);
  }

  /** Whether it was stored; false after a failure, which was an event. Does not wait for a remote store. */
  write(record: StoreRecord): MaybePromise<boolean> {
    return this.#writes.write(record);
  }

  /** Deletes on the way of a request: failures are events, and made up for later. */
  remove(keys: string[]): void {
    this.#writes.remove(keys);
  }

  /** `write` for maintenance: waits, rejects; false when it `isLate`. */
  replace(record: StoreRecord, by?: Watch, isLate?: () => boolean): Promise<boolean> {
    return this.#writes.replace(record, by, isLate);
  }

  /** `remove` for maintenance: waits, rejects. */
  erase(keys: string[], by?: Watch): Promise<void> {
    return this.#writes.erase(keys, by);
  }

  /** To be stopped by who asked for it. */
  watch(): Watch {
    return this.#known.watch();
  }

  /** Evicts until within the limits. Rejects never: a failure is an event. */
  trim(): MaybePromise<void> {
    return this.#writes.trim();
  }

  /** Keys of what is stored of a URL, to be deleted. Rejects never. */
  keysByUrl(url: string): Promise<readonly string[]> {
    return this.#lookUps.keysByUrl(url);
  }

  /** What the store is told of a URL, or was before. */
  tags(url: string): string[] {
    return [this.#ground.tag(url), ...this.#ground.formerTags(url)];
  }

  /** What the store may know of a record. */
  meta(record: StoreRecord): StoreMeta {
    return this.#ground.meta(record);
  }

  /** For `hasChangedSince`. */
  get changes(): number {
    return this.#known.changes;
  }

  /** Whether the key has been written or deleted here since `changes` was this. */
  hasChangedSince(key: string, changes: number): boolean {
    return this.#known.hasChangedSince(key, changes);
  }

  /** Resolves when what is on its way to the store under this key has landed; not what comes meanwhile. */
  landed(key: string): MaybePromise<unknown> {
    const before = this.#known.behind.before([key]);
    return before && keptAlive(before);
  }

  /** Whether what is stored there no longer holds, although it could not be deleted yet. */
  isOwed(key: string): boolean {
    return this.#known.owed.has(key);
  }

  /** Whether it was to be deleted with all of its URL, and could not be found. */
  isOutdated(key: string, record: StoreRecord): boolean {
    return this.#known.isOutdated(key, () => this.#ground.tag(urlOf(record)));
  }

  /** While the store deletes many by itself. */
  inBulk<T>(work: () => Promise<T>): Promise<T> {
    return this.#known.inBulk(work);
  }

  /** Everything is being deleted: whoever has read something must not write it back. */
  clearing(): void {
    this.#known.forget();
  }

  /** Everything was deleted. */
  cleared(): void {
    this.#known.forget();
    this.#known.owed.clear();
    this.#known.owedLookUps.clear();
  }

  /** What `flush` is to wait for besides writes: work that has none yet, but will. It must not reject. */
  track(work: MaybePromise<unknown>): void {
    this.#known.behind.track(work);
  }

  #makeUpDeletes(): void {
    this.#writes.remove(this.#known.owed.list());
  }

  /** Resolves when every write there is has settled, whether well or ill; not those that come meanwhile. */
  async flush(): Promise<void> {
    this.#makeUpDeletes();
    await this.#lookUps.makeUp();
    await this.#known.behind.flush();
    const flush = (this.store as { flush?: () => MaybePromise<void> }).flush;
    if (flush === undefined) return;
    try {
      await keptAlive(this.#ground.calls.patiently('flush', flush.call(this.store)));
    } catch (error) {
      this.#ground.fail(error, 'flush');
    }
  }

  /** However often it is called, it is done once, and all calls wait for it. */
  close(closeStore: boolean): Promise<void> {
    this.#closing ??= this.#close(closeStore);
    return this.#closing;
  }

  async #close(closeStore: boolean): Promise<void> {
    await this.flush();
    this.#isClosed = true;
    await this.flush(); // what came while the first waited; nothing comes any more
    this.#ground.calls.dispose();
    this.#stopHeeding?.();
    try {
      this.#ground.hot?.stop();
    } catch (error) {
      this.#ground.fail(error, 'onChange');
    }
    this.#ground.hot?.clear();
    if (!closeStore) return;
    try {
      await this.store.close();
    } catch (error) {
      throw this.#ground.asOwn(error, 'close');
    }
  }
}

/** Hot records; none where it can't be heard what others change. */
function frontOf(
  { store, hotBytes, isFrozen }: EntriesOptions,
  onFailure: (error: unknown) => void,
): StoreFront | undefined {
  if (hotBytes === 0 || !isVersioned(store)) return undefined;
  try {
    return new StoreFront(store, hotBytes, isFrozen, onFailure);
  } catch (error) {
    // Told when the cache is there, and somebody may listen to it.
    queueMicrotask(() => onFailure(error));
    return undefined;
  }
}
