import { type CacheError, CacheOptionError } from './errors.js';

/** What an event tells. */
export interface CacheEvent {
  /** Key of the stored response. */
  key?: string;
  /** The URL, redacted. */
  url?: string;
  /** Why, in a word or two. */
  reason?: string;
  /** On `error`. */
  error?: Error | CacheError;
  /** Class name of the store, on `error`. */
  store?: string;
  /** Size of the stored or served body. */
  bytes?: number;
  /** On `progress`: how many entries the operation has looked at, or deleted. */
  done?: number;
}

/** The events of a cache and what each tells. */
export interface CacheEvents {
  /** A response was served from the cache, fresh. */
  hit: CacheEvent;
  /** Nothing usable was stored. */
  miss: CacheEvent;
  /** An expired response was served. */
  stale: CacheEvent;
  /** The origin said 304: the stored response holds. */
  revalidated: CacheEvent;
  /** A response was stored. */
  stored: CacheEvent;
  /** The cache kept out of a request's way. */
  bypass: CacheEvent;
  /** An entry went to keep within `maxEntries` or `maxBytes`. */
  evicted: CacheEvent;
  /** An entry went after an unsafe request to its URL. */
  invalidated: CacheEvent;
  /** A maintenance call of `adapter.cache` goes on: `reason` is its name, `done` how far it has come. */
  progress: CacheEvent;
  /** Something failed that no request may fail for. */
  error: CacheEvent;
}

export type CacheEventName = keyof CacheEvents;
export type CacheListener = (event: CacheEvent) => void;

const NAMES: Readonly<Record<CacheEventName, true>> = {
  hit: true,
  miss: true,
  stale: true,
  revalidated: true,
  stored: true,
  bypass: true,
  evicted: true,
  invalidated: true,
  progress: true,
  error: true,
};

function assertSubscription(event: string, listener: unknown): void {
  if (!Object.hasOwn(NAMES, event)) {
    throw new CacheOptionError('event', event, `allowed: ${Object.keys(NAMES).join(', ')}`);
  }
  if (typeof listener !== 'function') {
    throw new CacheOptionError('listener', listener, 'allowed: a function');
  }
}

/** Listeners by event. One that throws, or rejects, harms nobody. */
export class Events {
  readonly #listeners = new Map<CacheEventName, CacheListener[]>();

  on(event: CacheEventName, listener: CacheListener): void {
    assertSubscription(event, listener);
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  off(event: CacheEventName, listener: CacheListener): void {
    assertSubscription(event, listener);
    const left = (this.#listeners.get(event) ?? []).filter((other) => other !== listener);
    if (left.length === 0) this.#listeners.delete(event);
    else this.#listeners.set(event, left);
  }

  /** So that a hit does not build what nobody reads. */
  wants(event: CacheEventName): boolean {
    return this.#listeners.has(event);
  }

  emit(event: CacheEventName, payload: CacheEvent): void {
    const listeners = this.#listeners.get(event);
    if (listeners === undefined) return;
    for (const listener of listeners) {
      try {
        const returned: unknown = listener({ ...payload });
        // An async listener: its rejection is the listener's own affair, but must not end the process.
        if (returned instanceof Promise) returned.catch(() => {});
      } catch {
        // A listener that throws harms nobody: contract 7.
      }
    }
  }
}
