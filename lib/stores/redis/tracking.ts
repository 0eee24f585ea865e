import { decodeTextKey } from '../text-keys.js';
import { isReply } from './client.js';
import type { Connection } from './connection.js';

type Listener = (key: string | undefined) => void;

/** How often the connection is asked whether it still stands; ms. */
const BEAT = 3000;

/**
 * What is known of other people's changes, from a server that tells them of each key that was read. Trusted only
 * while the connection stands: a server that is gone tells nothing, and neither does one that is out of reach.
 */
export class Tracking {
  readonly #listeners = new Set<Listener>();
  readonly #prefix: string;
  #connection: Connection | undefined;
  #version = 0;
  #isAsking = false;
  #isSilent = false;
  #timer: NodeJS.Timeout | undefined;

  /** `prefix`: of the server's names for our keys. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** To be called once. */
  follow(connection: Connection, beat = BEAT): void {
    this.#connection = connection;
    const timer = setInterval(() => this.#beat(connection), beat);
    this.#timer = timer.unref();
  }

  version(): number {
    return this.#connection?.isReady === true && !this.#isSilent ? this.#version : Number.NaN;
  }

  onChange(listener: Listener): () => void {
    // A fresh function each time: one listener may subscribe twice.
    const own: Listener = (key) => listener(key);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** What changed over the connection that is lost was not told. */
  connected(): void {
    this.#version += 1;
    this.#isSilent = false;
  }

  invalidated(name: unknown): void {
    if (name === null || name === undefined) {
      this.#tell(undefined);
      return;
    }
    const full = String(name);
    const key = full.startsWith(this.#prefix) ? decodeTextKey(full.slice(this.#prefix.length)) : undefined;
    if (key !== undefined) this.#tell(key);
  }

  /**
   * The server does not tell of what this store changed itself. With one listener, that is who had it changed; of
   * several, each may keep what the others changed.
   */
  changed(keys: readonly string[] | undefined): void {
    if (this.#listeners.size < 2) return;
    for (const key of keys ?? [undefined]) this.#tell(key);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#connection = undefined;
  }

  #tell(key: string | undefined): void {
    for (const listener of this.#listeners) listener(key);
  }

  #beat(connection: Connection): void {
    // Not answered since the last one: what was told in between may be on its way as well.
    if (this.#isAsking) {
      this.#isSilent = true;
      return;
    }
    if (!connection.isReady) return;
    this.#isAsking = true;
    connection.send('', ['PING']).then(
      () => this.#heard(true),
      (error: unknown) => this.#heard(isReply(error)),
    );
  }

  #heard(isThere: boolean): void {
    this.#isAsking = false;
    this.#isSilent = !isThere;
  }
}
