import { CacheError, CacheStoreError, messageOf } from '../errors.js';

/** The operations of one store behind a connection: each fails with a `CacheStoreError`, and all once it is closed. */
export class Operations {
  /** What messages call the store. */
  readonly name: string;
  #closed = false;

  constructor(name: string) {
    this.name = name;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** `what`: the operation in a word, as in "can't read". */
  async run<T>(what: string, work: () => T | Promise<T>): Promise<T> {
    if (this.#closed) throw new CacheStoreError(`${this.name} is closed`);
    try {
      return await work();
    } catch (error) {
      throw this.failure(what, error);
    }
  }

  failure(what: string, error: unknown): CacheError {
    if (error instanceof CacheError) return error;
    return new CacheStoreError(`${this.name}: can't ${what}: ${messageOf(error)}`, error);
  }

  /** Whether this is the call that closes. */
  close(): boolean {
    const first = !this.#closed;
    this.#closed = true;
    return first;
  }
}
