import { CacheStoreError, messageOf } from '../../errors.js';
import { Observers } from '../observers.js';
import { isKeyv5, isKeyvLike, type KeyvLike, levelsOf } from './like.js';
import { connect, destroyConnection, onlyConnectionOf, tame } from './stores.js';

/** The longest that one call may take, ms. */
const LIMIT = 30_000;
/** How long calls may take to get their answer before a store is disconnected, and how long that may take; ms. */
const ANSWER_LIMIT = 1000;
const CLOSE_LIMIT = 4000;
/** So many calls may be on their way that nobody waits for any more. */
const MOST_GIVEN_UP = 100;

const known = new WeakMap<KeyvLike, KeyvCalls>();

/**
 * The calls to a Keyv or an adapter, which may never answer, or answer as if nothing had happened and tell of a failure
 * by an event alone. There is one of it however many backends are made of the same Keyv, and so one listener.
 */
export class KeyvCalls {
  /** Told of what fails while no call is on its way. */
  readonly observers = new Observers();
  readonly #name: string;
  readonly #emitter: KeyvLike;
  readonly #running = new Set<Promise<void>>();
  readonly #waiting = new Set<(error: unknown) => void>();
  readonly #stores: readonly unknown[];
  /** Without an answer yet, and nobody waits for it; none of those that are older than the last answer. */
  readonly #givenUp = new Set<(error: unknown) => void>();
  #connecting: PromiseLike<unknown> | undefined;
  #connectsOnce = false;
  #neverConnected: Error | undefined;
  #users = 0;
  #listening = false;

  /** `name`: what messages call the store. */
  static of(keyv: KeyvLike, name: string): KeyvCalls {
    const calls = known.get(keyv) ?? new KeyvCalls(keyv, name);
    known.set(keyv, calls);
    calls.#users++;
    calls.#listen();
    return calls;
  }

  private constructor(keyv: KeyvLike, name: string) {
    this.#name = name;
    this.#emitter = emitterOf(keyv);
    this.#stores = [...levelsOf(keyv, '')].map(({ store }) => store);
    for (const store of this.#stores) {
      tame(store);
      const connection = onlyConnectionOf(store);
      if (connection === undefined) continue;
      this.#connectsOnce = true;
      this.#await(connection);
    }
  }

  /**
   * Rejects with what `work` throws or with what is emitted meanwhile, which may be the fault of another call: better
   * too many fail than one too few. Calls that nobody waits for any more may still be queued in the store, with all
   * that they hold: when they are many there are no more until some of them end.
   */
  run<T>(work: () => T | PromiseLike<T>): Promise<T> {
    if (this.#neverConnected !== undefined) return Promise.reject(this.#neverConnected);
    if (this.#givenUp.size < MOST_GIVEN_UP) return this.#start(work, LIMIT, () => this.#connected());
    return Promise.reject(new Error(`${this.#givenUp.size} earlier calls have no answer yet`));
  }

  /** Disconnects when all calls have their answer, or else after some time. */
  async close(disconnect: () => unknown): Promise<void> {
    try {
      await within(ANSWER_LIMIT, Promise.allSettled(this.#running));
      if (this.#running.size > 0 && this.#stores.some(destroyConnection)) return;
      // One that never connected has nothing to close, and would wait for its connection.
      if (this.#neverConnected === undefined) await this.#start(disconnect, CLOSE_LIMIT, () => undefined);
    } finally {
      this.#users--;
      this.#rest();
    }
  }

  #start<T>(
    work: () => T | PromiseLike<T>,
    limit: number,
    before: () => PromiseLike<unknown> | undefined,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = (error: unknown) => {
        clearTimeout(timer);
        if (this.#waiting.delete(giveUp)) this.#givenUp.add(giveUp);
        reject(error);
      };
      const timer = setTimeout(() => giveUp(new Error(`no answer within ${limit / 1000} s`)), limit);
      timer.unref(); // who waits for it keeps the process alive
      this.#waiting.add(giveUp);
      const ended = () => {
        clearTimeout(timer);
        this.#running.delete(running);
        this.#waiting.delete(giveUp);
        this.#givenUp.delete(giveUp);
        this.#rest();
      };
      const begin = async () => {
        await before();
        if (!this.#waiting.has(giveUp)) return;
        const answer = await work();
        // It works: what still has no answer is lost.
        if (this.#waiting.has(giveUp)) this.#givenUp.clear();
        resolve(answer);
      };
      const running = begin().catch(reject).finally(ended);
      this.#running.add(running);
    });
  }

  /** One attempt to connect for all calls: commands to a Redis cluster fail while another call's is on its way. */
  #connected(): PromiseLike<unknown> | undefined {
    for (const store of this.#stores) {
      if (this.#connecting !== undefined) break;
      const connecting = connect(store);
      if (connecting !== undefined) this.#await(connecting);
    }
    return this.#connecting;
  }

  #await(connecting: PromiseLike<unknown>): void {
    this.#connecting = connecting;
    const ended = () => {
      this.#connecting = undefined;
      this.#neverConnected = undefined;
      this.#rest();
    };
    connecting.then(ended, ended);
  }

  readonly #onError = (error: unknown): void => {
    if (this.#connectsOnce && this.#connecting !== undefined) {
      this.#neverConnected = new Error(`it could not connect, and does not try again: ${messageOf(error)}`, {
        cause: error,
      });
    }
    if (this.#waiting.size > 0) for (const giveUp of [...this.#waiting]) giveUp(error);
    else this.observers.tell(new CacheStoreError(`${this.#name}: ${messageOf(error)}`, error), 'store error');
  };

  #listen(): void {
    if (this.#listening) return;
    // Keyv 6 throws what is emitted without a listener; and Keyv 5 tells of most failures in no other way.
    this.#emitter.on?.('error', this.#onError);
    this.#listening = true;
  }

  /** Stops listening when there is nothing left that could fail: an error without a listener ends the process. */
  #rest(): void {
    if (this.#users > 0 || this.#running.size > 0 || this.#connecting !== undefined) return;
    this.#emitter.off?.('error', this.#onError);
    this.#listening = this.#emitter.off === undefined;
  }
}

/** A Keyv hands on what its store emits, unless it is told to emit no errors. */
function emitterOf(keyv: KeyvLike): KeyvLike {
  return isKeyv5(keyv) && keyv.opts.emitErrors === false && isKeyvLike(keyv.store) ? keyv.store : keyv;
}

/** Waits for it, but no longer than so many ms. */
async function within(limit: number, settling: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, limit);
  });
  await Promise.race([settling, late]);
  clearTimeout(timer);
}
