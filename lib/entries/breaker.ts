import { CacheStoreError, messageOf } from '../errors.js';
import { readable } from './thrown.js';

/** Failures in a row after which a store is left alone. */
const FAILURES = 10;
/** Between two looks at a store that is left alone; ms. */
const PAUSE = 1000;

/**
 * A circuit breaker: a store that fails again and again is not asked any more, so that it costs requests nothing. One
 * that did not answer in time is left alone at once, so that no request waits for it twice. It is looked at behind the
 * requests, once a second, and asked again as soon as it answers. Real time, not the cache's clock: that may stand
 * still.
 */
export class Breaker {
  readonly #name: string;
  readonly #probe: () => Promise<unknown>;
  readonly #onRecovery: () => void;
  #failures = 0;
  #last: unknown;
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #isDisposed = false;

  /** `probe` asks the store something harmless, in bounded time. */
  constructor(name: string, probe: () => Promise<unknown>, onRecovery: () => void) {
    this.#name = name;
    this.#probe = probe;
    this.#onRecovery = onRecovery;
  }

  /** Throws when the store is not to be asked. */
  assertClosed(): void {
    if (!this.#isOpen) return;
    const message = `${this.#name}: not asked until it answers again; the last failure: ${messageOf(this.#last)}`;
    throw new CacheStoreError(message, this.#last);
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(error: unknown, isTimeout: boolean): void {
    if (error instanceof CacheStoreError && error.scope === 'entry') {
      this.succeeded(); // the store itself answers
      return;
    }
    this.#last = error;
    this.#failures += 1;
    if (this.#isDisposed || this.#isOpen || (this.#failures < FAILURES && !isTimeout)) return;
    this.#isOpen = true;
    // Perhaps it was only slow this once.
    if (isTimeout) void this.#look();
    else this.#lookLater();
  }

  /** No more looks; calls go through, and fail as a closed store does. */
  dispose(): void {
    clearTimeout(this.#timer);
    this.#isDisposed = true;
    this.#isOpen = false;
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => void this.#look(), PAUSE);
    this.#timer.unref(); // nobody waits for it
  }

  async #look(): Promise<void> {
    try {
      await this.#probe();
    } catch (error) {
      this.#last = readable(error);
      if (this.#isOpen) this.#lookLater();
      return;
    }
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.succeeded();
    this.#onRecovery();
  }
}
