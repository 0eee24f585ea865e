/** A store's operations as requests call them: bounded by `storeTimeout` from when they are sent, and only asked of a store that answers. */

import { CacheStoreError } from '../errors.js';
import { native } from '../promises.js';
import type { MaybePromise, Store, StoreLimits, StoreMeta } from '../stores/store.js';
import { Breaker } from './breaker.js';
import { readable } from './thrown.js';

/** What a store that fails is looked at by: a key as all are, which no request has. */
const PROBE_KEY = '0'.repeat(64);
/** What no request waits for, but `flush` and `close` do, has so many times `storeTimeout`: there may be much to do. */
const PATIENCE = 30;
/** setTimeout fires at once beyond this. */
const MAX_TIMER = 2 ** 31 - 1;

/** For messages and events. */
export function nameOf(store: Store): string {
  return store.constructor.name;
}

/** Throws or rejects as the store does; what answers at once is answered at once. */
export class StoreCalls {
  readonly #store: Store;
  readonly #limit: () => number;
  readonly #breaker: Breaker;

  /**
   * `limit`: milliseconds, asked for each operation since it is a live setting. `onRecovery`: a store that was left
   * alone answers again.
   */
  constructor(store: Store, limit: () => number, onRecovery: () => void) {
    this.#store = store;
    this.#limit = limit;
    const probe = async () => this.#inTime('get', this.#store.get(PROBE_KEY));
    this.#breaker = new Breaker(nameOf(store), probe, onRecovery);
  }

  get(key: string): MaybePromise<Uint8Array | undefined> {
    this.#breaker.assertClosed();
    return this.#inTime('get', this.#store.get(key));
  }

  set(key: string, value: Uint8Array, meta: StoreMeta): MaybePromise<void> {
    this.#breaker.assertClosed();
    return this.#inTime('set', this.#store.set(key, value, meta));
  }

  delete(keys: string[]): MaybePromise<number> {
    this.#breaker.assertClosed();
    return this.#inTime('delete', this.#store.delete(keys));
  }

  /** None where the store can't look it up. */
  keysByUrl(url: string): MaybePromise<string[]> {
    this.#breaker.assertClosed();
    return this.#inTime('keysByUrl', this.#store.keysByUrl?.(url) ?? []);
  }

  /** None where the store can't evict. */
  trim(limits: StoreLimits): MaybePromise<string[]> {
    this.#breaker.assertClosed();
    return this.#inTime('trim', this.#store.trim?.(limits) ?? [], this.#patience());
  }

  /** What maintenance does: it asks a store also when requests leave it alone. */
  patiently<T>(operation: string, given: MaybePromise<T>): MaybePromise<T> {
    return this.#inTime(operation, given, this.#patience());
  }

  #patience(): number {
    return Math.min(MAX_TIMER, PATIENCE * this.#limit());
  }

  /** No more looks at a store that failed. */
  dispose(): void {
    this.#breaker.dispose();
  }

  /** What the store answers after its time is dropped. Only what takes time counts for the breaker. */
  #inTime<T>(operation: string, given: MaybePromise<T>, limit = this.#limit()): MaybePromise<T> {
    const answer = native(given);
    if (!(answer instanceof Promise)) return answer;
    const breaker = this.#breaker;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        const message = `${nameOf(this.#store)}: ${operation} took longer than ${limit} ms (storeTimeout)`;
        isLate = true;
        const error = new CacheStoreError(message);
        breaker.failed(error, true);
        reject(error);
      }, limit);
      timer.unref(); // who waits for it keeps the process alive
      let isLate = false;
      answer.then(
        (value) => {
          clearTimeout(timer);
          if (!isLate) breaker.succeeded();
          resolve(value);
        },
        (thrown: unknown) => {
          clearTimeout(timer);
          const error = readable(thrown);
          if (!isLate) breaker.failed(error, false);
          reject(error);
        },
      );
    });
  }
}
