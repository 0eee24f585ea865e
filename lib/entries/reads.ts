import { CacheRecordError } from '../errors.js';
import type { StoreRecord } from '../record/record.js';
import { isNothing, type MaybePromise } from '../stores/store.js';
import type { Ground } from './ground.js';
import { type Loaded, load, type Ticket } from './hot.js';
import { urlOf } from './store-meta.js';
import type { Writes } from './writes.js';

/** Reads: hot records first, then writes still on their way, then the store. Synchronous when the store is. */
export class Reads {
  readonly #ground: Ground;
  readonly #writes: Writes;

  constructor(ground: Ground, writes: Writes) {
    this.#ground = ground;
    this.#writes = writes;
  }

  /** The record under a key, if it can be read. Each hit passes here. */
  read(key: string): MaybePromise<Loaded | undefined> {
    const { hot, known, calls, codec, isClosed } = this.#ground;
    if (isClosed()) return undefined;
    const loaded = hot?.get(key);
    if (loaded !== undefined) {
      this.#touch(key);
      return loaded;
    }
    if (known.behind.has(key)) return known.behind.get(key, codec);
    if (known.owed.has(key)) {
      this.#writes.remove([key]);
      return undefined;
    }
    known.forgetNewer(key);
    let bytes: MaybePromise<Uint8Array | undefined>;
    try {
      bytes = calls.get(key);
    } catch (error) {
      this.#ground.fail(error, 'read', key);
      return undefined;
    }
    if (bytes instanceof Promise) return this.#readLate(key, bytes);
    return isNothing(bytes) ? undefined : this.#decode(key, bytes);
  }

  async #readLate(key: string, bytes: Promise<Uint8Array | undefined>): Promise<Loaded | undefined> {
    const { hot } = this.#ground;
    const ticket = hot?.begin(key);
    try {
      const value = await bytes;
      return isNothing(value) ? undefined : await this.#decode(key, value, ticket);
    } catch (error) {
      this.#ground.fail(error, 'read', key);
      return undefined;
    } finally {
      hot?.end(key, ticket);
    }
  }

  #decode(key: string, bytes: Uint8Array, ticket?: Ticket): MaybePromise<Loaded | undefined> {
    try {
      const record = this.#ground.codec.decode(key, bytes);
      if (!(record instanceof Promise)) return this.#loaded(key, record, ticket);
      return this.#decodeLate(key, record, ticket ?? this.#ground.hot?.begin(key));
    } catch (error) {
      this.#failDecoding(error, key);
      return undefined;
    }
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
      this.#ground.hot?.end(key, ticket);
    }
  }

  #loaded(key: string, record: StoreRecord, ticket: Ticket | undefined): Loaded | undefined {
    const { hot, known, tag } = this.#ground;
    if (known.isOutdated(key, () => tag(urlOf(record)))) {
      this.#writes.remove([key]);
      return undefined;
    }
    const loaded = load(record);
    hot?.set(key, loaded, ticket);
    this.#touch(key);
    return loaded;
  }

  /** Use is told to the store, which evicts what was not used of late. */
  #touch(key: string): void {
    const { store, fail } = this.#ground;
    try {
      const done: unknown = store.touch?.(key);
      // By its type it answers at once; a store in plain JavaScript may not, and its rejection must not end the process.
      if (done instanceof Promise) done.catch((error: unknown) => fail(error, 'touch', key));
    } catch (error) {
      fail(error, 'touch', key);
    }
  }

  #failDecoding(error: unknown, key: string): void {
    if (error instanceof CacheRecordError && error.isNewer) this.#ground.known.noteNewer(key);
    this.#ground.fail(error, 'unreadable record', key);
  }
}
