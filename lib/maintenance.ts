/** Reading, writing and deleting for maintenance: straight at the store, and what fails rejects. */
import type { Core } from './core.js';
import type { Watch } from './entries/watch.js';
import { CacheError, CacheRecordError, CacheStoreError, messageOf } from './errors.js';
import type { IndexEntry, IndexRecord, ResponseRecord, StoreRecord } from './record/record.js';
import { isSpent, nextTurn } from './stores/slices.js';
import { isNothing } from './stores/store.js';

export type Scanned = { key: string /** For `write`. */; readAt: number } & (
  | { record: StoreRecord; error?: never }
  | { record?: never; error: CacheRecordError }
);

/** What goes through the entries: the method's name, for `progress`. */
export type Operation =
  | 'clear'
  | 'count'
  | 'delete'
  | 'filter'
  | 'keys'
  | 'recreateKeys'
  | 'removeExpiredResponses'
  | 'resetExpiration'
  | 'update'
  | 'urls'
  | 'values';

/** Entries looked at between two turns of the event loop, at most: large ones take their time. */
const SLICE = 200;
/** Entries that one call to the store deletes; what requests write to the same keys waits for it. */
const DELETED_AT_ONCE = 1000;

/** A store in plain JavaScript may list its keys at once. */
function iteratorOf(
  keys: AsyncIterable<string> | Iterable<string>,
): AsyncIterator<string> | Iterator<string> {
  return Symbol.asyncIterator in keys ? keys[Symbol.asyncIterator]() : keys[Symbol.iterator]();
}

export class Maintenance {
  readonly core: Core;

  constructor(core: Core) {
    this.core = core;
  }

  /** Runs an operation after all pending writes; its failure is a `CacheStoreError`. */
  async run<T>(operation: () => T | Promise<T>): Promise<T> {
    await this.#ready();
    return this.#attempt(operation);
  }

  /** For a call that has nothing to do, and so would not meet the store. */
  assertOpen(): void {
    if (this.core.entries.closed) throw new CacheStoreError('the cache is closed');
  }

  async #ready(): Promise<void> {
    this.assertOpen();
    await this.core.entries.flush();
  }

  async #attempt<T>(operation: () => T | Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      // A record that can't be written, or read by the store, concerns that entry; the rest says itself what it is.
      const isRecord = error instanceof CacheRecordError;
      if (error instanceof CacheError && !isRecord) throw error;
      const message = `${this.core.entries.storeName}: ${messageOf(error)}`;
      throw new CacheStoreError(message, error, isRecord ? 'entry' : 'store');
    }
  }

  /** Tells who looks on how far an operation has come. */
  progress(operation: Operation): (done: number) => void {
    const { events } = this.core;
    return (done) => {
      if (events.wants('progress')) events.emit('progress', { reason: operation, done });
    };
  }

  /** Every entry of this cache, one at a time, whether readable or not. */
  async *scan(operation: Operation): AsyncGenerator<Scanned> {
    await this.#ready();
    const tell = this.progress(operation);
    let seen = 0;
    let start = performance.now();
    const keys = await this.#attempt(() => iteratorOf(this.core.entries.store.keys()));
    try {
      for (;;) {
        this.assertOpen();
        const next = await this.#attempt(() => keys.next());
        if (next.done === true) return;
        const scanned = await this.read(next.value);
        if (scanned !== undefined) yield scanned;
        seen += 1;
        // A synchronous store would otherwise hold the event loop for as long as the cache is large.
        if (seen % SLICE > 0 && !isSpent(start)) continue;
        tell(seen);
        await nextTurn();
        start = performance.now();
      }
    } finally {
      await keys.return?.();
    }
  }

  /** Every readable response. */
  async *responses(operation: Operation): AsyncGenerator<ResponseRecord> {
    for await (const { record } of this.scan(operation)) if (record?.kind === 'response') yield record;
  }

  /** What is under a key; undefined if nothing. */
  async read(key: string): Promise<Scanned | undefined> {
    const { entries } = this.core;
    // What a request is writing or deleting is not there yet: the store would still tell what was before.
    const readAt = entries.changes;
    await entries.landed(key);
    if (entries.isOwed(key)) return undefined;
    try {
      const bytes = await this.#attempt(() => entries.store.get(key));
      if (isNothing(bytes)) return undefined;
      const record = await entries.codec.decode(key, bytes);
      // To write it back would be to vouch for it.
      return entries.isOutdated(key, record) ? undefined : { key, readAt, record };
    } catch (error) {
      // The store itself is in trouble; else only this entry is, as one that can't be decoded.
      if (error instanceof CacheStoreError && error.scope === 'store') throw error;
      return {
        key,
        readAt,
        error: error instanceof CacheRecordError ? error : new CacheRecordError(messageOf(error), error),
      };
    }
  }

  /** For what reads entries and writes them later: it has to know what requests have changed meanwhile. */
  async watching<T>(work: (watch: Watch) => Promise<T>): Promise<T> {
    const watch = this.core.entries.watch();
    try {
      return await work(watch);
    } finally {
      watch.stop();
    }
  }

  /** False when it `isLate`: what somebody else wrote stands. `by`: who writes. */
  async write(record: StoreRecord, by?: Watch, isLate?: () => boolean): Promise<boolean> {
    return this.#attempt(() => this.core.entries.replace(record, by, isLate));
  }

  /** All but those for which it `isLate`, asked at the last moment; resolves with how many. */
  async delete(keys: readonly string[], by?: Watch, isLate?: (key: string) => boolean): Promise<number> {
    let deleted = 0;
    for (let at = 0; at < keys.length; at += DELETED_AT_ONCE) {
      const some = keys.slice(at, at + DELETED_AT_ONCE);
      const due = isLate === undefined ? some : some.filter((key) => !isLate(key));
      if (due.length > 0) await this.#attempt(() => this.core.entries.erase(due, by));
      deleted += due.length;
    }
    return deleted;
  }

  /**
   * Takes out of indices what leads to a response that is no longer there; an index that leads nowhere goes. One that
   * was changed since `readAt`, when they were read, stays as it is.
   */
  async pruneIndices(indices: Iterable<IndexRecord>, watch: Watch, readAt: number): Promise<void> {
    const isLate = (key: string) => watch.hasChangedSince(key, readAt);
    const empty: string[] = [];
    for (const index of indices) {
      const left: IndexEntry[] = [];
      for (const entry of index.entries) {
        if ((await this.bytesAt(entry.key)) !== undefined) left.push(entry);
      }
      if (left.length === 0) empty.push(index.key);
      else if (left.length < index.entries.length)
        await this.write({ ...index, entries: left }, watch, () => isLate(index.key));
    }
    await this.delete(empty, watch, isLate);
  }

  /** Bytes under a key: none of what is not from this cache, undefined if nothing is there. */
  async bytesAt(key: string): Promise<number | undefined> {
    try {
      return (await this.#attempt(() => this.core.entries.store.get(key)))?.byteLength;
    } catch (error) {
      if (error instanceof CacheStoreError && error.scope === 'entry') return 0;
      throw error;
    }
  }
}
