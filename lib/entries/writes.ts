import type { StoreRecord } from '../record/record.js';
import type { MaybePromise, StoreLimits } from '../stores/store.js';
import { sizeOf } from './behind.js';
import type { Ground } from './ground.js';
import { type Loaded, load } from './hot.js';
import type { Watch } from './watch.js';

/** Writes and deletes: those of one key land in the order in which they were asked for. */
export class Writes {
  readonly #ground: Ground;
  readonly #limits: () => StoreLimits | undefined;
  readonly #onEvicted: (key: string) => void;

  constructor(ground: Ground, limits: () => StoreLimits | undefined, onEvicted: (key: string) => void) {
    this.#ground = ground;
    this.#limits = limits;
    this.#onEvicted = onEvicted;
  }

  /** Whether it was stored; false after a failure, which was an event. Does not wait for a remote store. */
  write(record: StoreRecord): MaybePromise<boolean> {
    const { hot, known, calls, codec, isClosed } = this.#ground;
    const { key } = record;
    if (isClosed() || known.isNewer(key)) return false; // reading what is newer was an event already
    const loaded = load(record);
    known.change(key);
    try {
      if (!known.behind.hasRoomFor(sizeOf(loaded)))
        throw this.#ground.asOwn('too many writes are waiting', 'write');
      const encoded = codec.encode(key, record);
      const before = known.behind.before([key]);
      if (encoded instanceof Promise || before !== undefined) {
        this.#writeBehind(key, loaded, this.#setLate(record, encoded, before));
        return true;
      }
      const done = calls.set(key, encoded, this.#ground.meta(record));
      if (done instanceof Promise) {
        this.#writeBehind(key, loaded, done);
        return true;
      }
    } catch (error) {
      this.#ground.fail(error, 'write', key);
      return false;
    }
    known.owed.settle(key);
    hot?.set(key, loaded);
    known.behind.track(this.trim());
    return true;
  }

  async #setLate(
    record: StoreRecord,
    encoded: MaybePromise<Uint8Array>,
    before: Promise<unknown> | undefined,
  ): Promise<void> {
    const bytes = await encoded;
    await before;
    await this.#ground.calls.set(record.key, bytes, this.#ground.meta(record));
  }

  #writeBehind(key: string, loaded: Loaded, done: Promise<void>): void {
    const { known, codec, fail } = this.#ground;
    const settled = done.then(
      () => {
        known.owed.settle(key);
        known.behind.track(this.trim());
      },
      (error: unknown) => fail(error, 'write', key),
    );
    known.behind.add(key, loaded, codec, settled);
  }

  /** Deletes on the way of a request: failures are events, and made up for later. */
  remove(keys: string[]): void {
    const { known, calls, codec, isClosed } = this.#ground;
    if (isClosed() || keys.length === 0) return;
    for (const key of keys) known.change(key);
    const before = known.behind.before(keys);
    let done: MaybePromise<unknown>;
    try {
      done = before === undefined ? calls.delete(keys) : before.then(() => calls.delete(keys));
    } catch (error) {
      this.#owe(keys, error);
      return;
    }
    if (!(done instanceof Promise)) {
      this.#settle(keys);
      return;
    }
    const settled = done.then(
      () => this.#settle(keys),
      (error: unknown) => this.#owe(keys, error),
    );
    for (const key of keys) known.behind.add(key, undefined, codec, settled);
  }

  #owe(keys: readonly string[], error: unknown): void {
    this.#ground.known.owed.add(keys);
    this.#ground.fail(error, 'delete', keys[0]);
  }

  #settle(keys: readonly string[]): void {
    for (const key of keys) this.#ground.known.owed.settle(key);
  }

  /**
   * `write` for maintenance, which waits for the store and hears of its failure: in order with what requests write and
   * delete. False when it `isLate`, asked at the last moment: another's word stands.
   */
  async replace(record: StoreRecord, by?: Watch, isLate: () => boolean = () => false): Promise<boolean> {
    const { calls, codec, store } = this.#ground;
    const { key } = record;
    const bytes = await codec.encode(key, record);
    if (isLate()) return false;
    const set = async () => calls.patiently('set', store.set(key, bytes, this.#ground.meta(record)));
    await this.#inOrder([key], load(record), set, by);
    return true;
  }

  /** `remove` for maintenance, which waits for the store and hears of its failure. */
  async erase(keys: string[], by?: Watch): Promise<void> {
    const { calls, store } = this.#ground;
    await this.#inOrder(keys, undefined, async () => calls.patiently('delete', store.delete(keys)), by);
  }

  async #inOrder(
    keys: readonly string[],
    loaded: Loaded | undefined,
    change: () => Promise<unknown>,
    by: Watch | undefined,
  ): Promise<void> {
    const { known, codec } = this.#ground;
    const before = known.behind.before(keys);
    const done = before === undefined ? change() : before.then(change);
    for (const key of keys) known.change(key, by);
    const settled = done.then(
      () => this.#settle(keys),
      () => {}, // told to who waits for it
    );
    for (const key of keys) known.behind.add(key, loaded, codec, settled);
    await done;
  }

  /** Evicts until within the limits. Rejects never: a failure is an event. */
  trim(): MaybePromise<void> {
    const { calls, store, fail } = this.#ground;
    const limits = this.#limits();
    if (limits === undefined || store.trim === undefined) return;
    try {
      const evicted = calls.trim(limits);
      if (evicted instanceof Promise) {
        return this.#ground.known
          .inBulk(() => evicted)
          .then(
            (keys) => this.#evicted(keys),
            (error: unknown) => fail(error, 'trim'),
          );
      }
      this.#evicted(evicted);
    } catch (error) {
      fail(error, 'trim');
    }
  }

  #evicted(keys: string[]): void {
    for (const key of keys) {
      this.#ground.known.change(key);
      this.#onEvicted(key);
    }
  }
}
