import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisArgument, Route, Send } from './client.js';
import {
  type Connection,
  type ConnectionEvents,
  type ConnectionLimits,
  LIMITS,
  toldError,
} from './connection.js';
import { InFlight } from './in-flight.js';

/** Commands that the driver may keep for a server that does not answer, before it gets no more. */
const MOST_ABANDONED = 1000;
/** Between two attempts to connect a client that gives up by itself; ms. */
const PAUSE = 1000;
/** Between two looks at a client that somebody else connects; ms. */
const LOOK = 10;

/**
 * A client that was handed in. It is connected if it never was, and left as it is otherwise: when it reconnects, and
 * when it ends, is up to whoever made it.
 */
export class GivenConnection implements Connection {
  readonly #route: Route;
  readonly #events: ConnectionEvents;
  readonly #limits: ConnectionLimits;
  readonly #inFlight: InFlight;
  #opening: Promise<void> | undefined;
  #onFailure: ((error: Error) => void) | undefined;
  #wasReady = false;
  #wasWaitedFor = false;
  #isClosed = false;
  #triedAt = Number.NEGATIVE_INFINITY;
  /** The last, since it was ready. */
  #error: Error | undefined;

  constructor(route: Route, tracking: boolean, events: ConnectionEvents, limits = LIMITS) {
    this.#route = route;
    this.#events = events;
    this.#limits = limits;
    this.#inFlight = new InFlight(limits.answer, () => {});
    // Without a listener, an error ends the process.
    route.client.on('error', this.#onError);
    if (!tracking) return;
    route.client.on('ready', this.#onReady);
    route.client.on('invalidate', this.#onInvalidate);
  }

  get isCluster(): boolean {
    return this.#route.kind === 'cluster';
  }

  get isReady(): boolean {
    return this.#route.isReady();
  }

  send(key: string, args: RedisArgument[]): Promise<unknown> {
    return this.#route.isReady()
      ? this.#dispatch(() => this.#route.send(key, args))
      : this.#sendLate(key, args);
  }

  async masters(): Promise<Send[]> {
    await this.#untilReady();
    const masters = await this.#dispatch(() => this.#route.masters());
    return masters.map((send) => (args) => this.#dispatch(() => send(args)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#onFailure?.(closedError());
    await this.#inFlight.drain(this.#limits.close, closedError());
    this.#route.client.off('error', this.#onError);
    this.#route.client.off('ready', this.#onReady);
    this.#route.client.off('invalidate', this.#onInvalidate);
  }

  readonly #onError = (thrown: unknown): void => {
    const error = toldError(thrown);
    const isNews = this.#wasReady && this.#error === undefined && this.#inFlight.size === 0;
    this.#error = error;
    // Of a cluster it may be one node of several.
    if (this.#route.kind === 'client') this.#onFailure?.(error);
    if (isNews) this.#events.failed(error);
  };

  readonly #onReady = (): void => this.#events.connected();

  readonly #onInvalidate = (key: unknown): void => this.#events.invalidated(key);

  async #sendLate(key: string, args: RedisArgument[]): Promise<unknown> {
    await this.#untilReady();
    return this.#dispatch(() => this.#route.send(key, args));
  }

  #dispatch<T>(send: () => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(closedError());
    if (this.#inFlight.abandoned >= MOST_ABANDONED) {
      return Promise.reject(new Error(`no answer to ${MOST_ABANDONED} commands`));
    }
    this.#wasReady = true;
    this.#error = undefined;
    return this.#inFlight.track(send());
  }

  async #untilReady(): Promise<void> {
    if (this.#isClosed) throw closedError();
    if (this.isReady) return;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
    if (!this.isReady) throw this.#error ?? new Error('the client is not connected');
  }

  /** Resolves whether it went well or ill. */
  async #open(): Promise<void> {
    const { client } = this.#route;
    if (client.isOpen) {
      // Somebody else connects it, or it reconnects: the first is worth a wait, once.
      if (this.#wasReady || this.#wasWaitedFor) return;
      this.#wasWaitedFor = true;
      await this.#attempt(() => this.#becomeReady());
    } else if (this.#wasReady) {
      this.#error = new Error('the client was closed');
    } else if (performance.now() - this.#triedAt >= PAUSE) {
      this.#triedAt = performance.now();
      this.#wasWaitedFor = true;
      await this.#attempt(() => client.connect());
    }
  }

  async #attempt(work: () => Promise<unknown>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      // A client may try for ever: its first error is the answer.
      await new Promise<unknown>((resolve, reject) => {
        this.#onFailure = reject;
        const { connect } = this.#limits;
        timer = setTimeout(() => reject(new Error(`no connection within ${connect / 1000} s`)), connect);
        work().then(resolve, reject);
      });
    } catch (error) {
      this.#error = toldError(error);
    } finally {
      clearTimeout(timer);
      this.#onFailure = undefined;
    }
  }

  async #becomeReady(): Promise<void> {
    // Looked at, since neither a sentinel nor a cluster has an event for it.
    while (!this.isReady && this.#route.client.isOpen && this.#onFailure !== undefined) {
      await sleep(LOOK, undefined, { ref: false });
    }
  }
}

function closedError(): Error {
  return new Error('the store was closed');
}
