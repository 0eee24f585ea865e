import { BYTES, createClient, type OwnClient, type RedisArgument, type Send } from './client.js';
import {
  type Connection,
  type ConnectionEvents,
  type ConnectionLimits,
  LIMITS,
  toldError,
} from './connection.js';
import { InFlight } from './in-flight.js';

export interface OwnOptions {
  readonly url: string;
  /** Have the server tell what others change of the keys that were read. */
  readonly tracking: boolean;
}

/** The longest wait between two attempts to connect; ms. */
const LONGEST_PAUSE = 1000;
const SHORTEST_PAUSE = 50;

/**
 * A connection of our own to one server. It is made by the first command, and made again for ever when it is lost.
 * The driver is told not to reconnect by itself: it can't be told to end the pause between two attempts, which keeps
 * the process alive, and it waits for ever for a server that accepts and says nothing.
 */
export class OwnConnection implements Connection {
  readonly isCluster = false;
  readonly #driver: Record<string, unknown>;
  readonly #options: OwnOptions;
  readonly #events: ConnectionEvents;
  readonly #limits: ConnectionLimits;
  readonly #inFlight: InFlight;
  /** Used for attempt after attempt while the driver closes it by itself. */
  #link: Link | undefined;
  #ready: Link | undefined;
  #first: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #attempts = 0;
  #error: Error = new Error('not connected');
  #isClosed = false;

  constructor(
    driver: Record<string, unknown>,
    options: OwnOptions,
    events: ConnectionEvents,
    limits = LIMITS,
  ) {
    this.#driver = driver;
    this.#options = options;
    this.#events = events;
    this.#limits = limits;
    this.#inFlight = new InFlight(limits.answer, (error) => {
      if (this.#ready !== undefined) this.#lose(this.#ready, error, true);
    });
  }

  get isReady(): boolean {
    return this.#ready !== undefined;
  }

  send(_key: string, args: RedisArgument[]): Promise<unknown> {
    const link = this.#ready;
    return link === undefined ? this.#sendLate(args) : this.#inFlight.track(link.send(args));
  }

  async masters(): Promise<Send[]> {
    return [(args) => this.send('', args)];
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#error = new Error('the connection was closed');
    if (this.#ready !== undefined) await this.#inFlight.drain(this.#limits.close, this.#error);
    this.#ready = undefined;
    this.#link?.end(this.#error);
  }

  async #sendLate(args: RedisArgument[]): Promise<unknown> {
    this.#first ??= this.#connect(true);
    await this.#first;
    if (this.#ready === undefined) throw this.#error;
    return this.#inFlight.track(this.#ready.send(args));
  }

  /** One attempt; resolves whether it went well or ill. */
  async #connect(isWaitedFor: boolean): Promise<void> {
    if (this.#isClosed) return;
    let link = this.#link;
    try {
      link ??= new Link(this.#driver, this.#options, this.#limits.connect, {
        lost: (lost, error) => {
          if (lost === this.#ready) this.#lose(lost, error, this.#inFlight.size > 0);
        },
        invalidated: (key) => this.#events.invalidated(key),
      });
      this.#link = link;
      this.#attempts += 1;
      await link.open(isWaitedFor);
      if (this.#isClosed) return link.end(this.#error);
      this.#attempts = 0;
      this.#ready = link;
      this.#events.connected();
    } catch (error) {
      this.#lose(link, toldError(error), true);
    }
  }

  /** `isTold`: some command fails with it. */
  #lose(link: Link | undefined, error: Error, isTold: boolean): void {
    if (this.#isClosed) return;
    this.#ready = undefined;
    this.#error = error;
    this.#inFlight.rejectAll(error);
    if (link?.isReusable === false) {
      link.end(error);
      this.#link = undefined;
    }
    this.#retryLater();
    if (!isTold) this.#events.failed(error);
  }

  #retryLater(): void {
    if (this.#retry !== undefined) return;
    const pause = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** this.#attempts);
    // Not all processes at the same moment.
    const timer = setTimeout(
      () => {
        this.#retry = undefined;
        void this.#connect(false);
      },
      pause * (0.5 + Math.random() / 2),
    );
    // Who waits for an answer has had an error: nobody waits for this.
    this.#retry = timer.unref();
  }
}

interface LinkEvents {
  lost(link: Link, error: Error): void;
  invalidated(key: unknown): void;
}

/** One client of the driver, which can be ended at any moment. */
class Link {
  readonly #client: OwnClient;
  readonly #options: OwnOptions;
  readonly #limit: number;
  #isConnecting = false;
  #isEnded = false;
  #onEnd: ((error: Error) => void) | undefined;

  /** `limit`: ms, to connect, log in and be ready. */
  constructor(driver: Record<string, unknown>, options: OwnOptions, limit: number, events: LinkEvents) {
    this.#options = options;
    this.#limit = limit;
    this.#client = createClient(driver, {
      url: options.url,
      socket: { reconnectStrategy: false, connectTimeout: limit },
      disableOfflineQueue: true,
      maintNotifications: 'disabled',
      clientInfoTag: 'axios-stash',
      ...(options.tracking ? { RESP: 3, emitInvalidate: true } : {}),
    });
    // All stay on for good: what it says after its end must not be thrown.
    this.#client.on('error', (error: unknown) => events.lost(this, toldError(error)));
    this.#client.on('connect', () => {
      this.#isConnecting = false;
      if (this.#isEnded) this.#client.destroy();
    });
    if (options.tracking) this.#client.on('invalidate', (key: unknown) => events.invalidated(key));
    this.#client.unref();
  }

  /** Whether it may be opened again: the driver has closed it by itself. */
  get isReusable(): boolean {
    return !this.#client.isOpen && !this.#isEnded;
  }

  send(args: RedisArgument[]): Promise<unknown> {
    return this.#client.sendCommand(args, BYTES);
  }

  /** Connects, logs in and turns tracking on. Keeps the process alive meanwhile if somebody waits for it. */
  async open(isWaitedFor: boolean): Promise<void> {
    const timer = setTimeout(
      () => this.end(new Error(`no connection within ${this.#limit / 1000} s`)),
      this.#limit,
    );
    if (!isWaitedFor) timer.unref();
    try {
      // The driver's promise may stay pending after the end.
      await new Promise<void>((resolve, reject) => {
        this.#onEnd = reject;
        this.#connect().then(resolve, reject);
      });
    } finally {
      clearTimeout(timer);
      this.#onEnd = undefined;
    }
    // Not before: the driver can't end a socket that connects, and a closed store must not keep the process.
    this.#client.ref();
  }

  async #connect(): Promise<void> {
    this.#isConnecting = true;
    try {
      await this.#client.connect();
    } finally {
      this.#isConnecting = false;
    }
    // The driver turned it on, but so that what we write ourselves comes back too.
    if (this.#options.tracking) await this.send(['CLIENT', 'TRACKING', 'ON', 'NOLOOP']);
    if (!this.#client.isReady) throw new Error('the connection was lost at once');
  }

  end(error: Error): void {
    this.#isEnded = true;
    this.#onEnd?.(error);
    // The driver knows of no socket until it is connected.
    if (this.#client.isOpen && !this.#isConnecting) this.#client.destroy();
  }
}
