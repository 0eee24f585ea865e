/** A store's operations as requests call them: what takes time is bounded by `storeTimeout`, from when it is sent. */
import { CacheStoreError } from './errors.js';
import { native } from './promises.js';
import type { MaybePromise, Store, StoreLimits, StoreMeta } from './stores/store.js';

/** For messages and events. */
export function nameOf(store: Store): string {
  return store.constructor.name;
}

/** Throws or rejects as the store does; what answers at once is answered at once. */
export class StoreCalls {
  readonly #store: Store;
  readonly #limit: () => number;

  /** `limit`: milliseconds, asked for each operation since it is a live setting. */
  constructor(store: Store, limit: () => number) {
    this.#store = store;
    this.#limit = limit;
  }

  get(key: string): MaybePromise<Uint8Array | undefined> {
    return this.#inTime('get', this.#store.get(key));
  }

  set(key: string, value: Uint8Array, meta: StoreMeta): MaybePromise<void> {
    return this.#inTime('set', this.#store.set(key, value, meta));
  }

  delete(keys: string[]): MaybePromise<number> {
    return this.#inTime('delete', this.#store.delete(keys));
  }

  /** None where the store can't look it up. */
  keysByUrl(url: string): MaybePromise<string[]> {
    return this.#inTime('keysByUrl', this.#store.keysByUrl?.(url) ?? []);
  }

  /** None where the store can't evict. Takes as long as there is to evict: no request waits for it. */
  trim(limits: StoreLimits): MaybePromise<string[]> {
    return native(this.#store.trim?.(limits) ?? []);
  }

  /** What the store answers after its time is dropped. */
  #inTime<T>(operation: string, given: MaybePromise<T>): MaybePromise<T> {
    const answer = native(given);
    if (!(answer instanceof Promise)) return answer;
    const limit = this.#limit();
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        const message = `${nameOf(this.#store)}: ${operation} took longer than storeTimeout (${limit} ms)`;
        reject(new CacheStoreError(message));
      }, limit);
      timer.unref(); // who waits for it keeps the process alive
      answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}
