/** A value, or a promise of it: synchronous stores answer at once and stay synchronous on the hot path. */
export type MaybePromise<T> = T | Promise<T>;

/** What a store may know of the bytes it keeps. It knows nothing else: no HTTP above, no format inside. */
export interface StoreMeta {
  /** When the response was first stored; ms since the epoch. */
  createdAt: number;
  /** From when on the entry is expired; ms since the epoch; absent: never. */
  expiresAt?: number;
  /** The redacted URL, for look-ups by `keysByUrl`; an opaque digest when the cache is encrypted. */
  url: string;
  /** True for what points to responses (variants, redirects): not counted by `count` and `deleteExpired`. */
  index?: boolean;
  /** True when whoever knows the URL can tell the key, so that `keysByUrl` need not find it: an index may be saved. */
  plain?: boolean;
}

/** Bounds that `trim` enforces. */
export interface StoreLimits {
  /** Number of responses. */
  maxEntries?: number;
  /** Sum of the stored records' bytes. */
  maxBytes?: number;
}

/** Selects by expiry for `count`: `true` only expired, `false` only the others, absent: all. */
export interface CountFilter {
  expired?: boolean;
  /** The moment against which `expired` is judged; ms since the epoch. */
  now: number;
}

/**
 * Where bytes are kept. Six methods are required; each may answer at once or with a promise, and rejects (or
 * throws) on failure: the cache above decides what a failure means. The optional ones make maintenance cheap.
 *
 * @example
 * class MapStore implements Store {
 *   #map = new Map<string, Uint8Array>();
 *   get(key) { return this.#map.get(key); }
 *   set(key, value) { this.#map.set(key, value); }
 *   delete(keys) { return keys.filter((key) => this.#map.delete(key)).length; }
 *   clear() { this.#map.clear(); }
 *   async *keys() { yield* [...this.#map.keys()]; }
 *   close() {}
 * }
 */
export interface Store {
  get(key: string): MaybePromise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array, meta: StoreMeta): MaybePromise<void>;
  /** Resolves with how many were there; missing keys are fine. */
  delete(keys: string[]): MaybePromise<number>;
  /** Everything of this cache, nothing of anybody else's. A store that takes its time tells how many are gone so far. */
  clear(onProgress?: (done: number) => void): MaybePromise<void>;
  /** All keys of this cache, in pages; safe while entries come and go. */
  keys(): AsyncIterable<string>;
  /** Idempotent. */
  close(): MaybePromise<void>;

  /** How many responses (rows whose meta has no `index`). */
  count?(filter: CountFilter): MaybePromise<number>;
  /** Sum of the stored values' bytes. */
  size?(): MaybePromise<number>;
  /** Deletes what expired at or before `now`; resolves with how many responses went (`index` rows go uncounted). */
  deleteExpired?(now: number, onProgress?: (done: number) => void): MaybePromise<number>;
  /** Notes that the key was used just now, for `trim`; cheap, no I/O. */
  touch?(key: string): void;
  /** Evicts least recently used entries until within the limits; resolves with the evicted keys. */
  trim?(limits: StoreLimits): MaybePromise<string[]>;
  /** Keys of all entries whose meta has exactly this `url`. */
  keysByUrl?(url: string): MaybePromise<string[]>;
  /**
   * Cheap and synchronous; differs after anybody but this store object changed what is stored, save for what
   * `onChange` tells. NaN: can't tell now, so that nothing read before may be trusted.
   */
  version?(): number;
  /** Calls back when somebody else changed a key; undefined: any of them. Returns an unsubscriber. */
  onChange?(listener: (key: string | undefined) => void): () => void;
  /** Told of failures that no call can reject with (a database set aside, a late connection error). Returns an unsubscriber. */
  observe?(observer: (error: Error, reason: string) => void): () => void;
}

/** What `get` gives for a key that is not there; null is what stores in plain JavaScript have for it. */
export function isNothing(value: unknown): value is undefined {
  return value === undefined || value === null;
}
