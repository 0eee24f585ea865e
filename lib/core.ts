/** What one cache is made of; shared by the adapter, which serves requests, and `ResponseCache`, which maintains. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHmac } from 'node:crypto';
import { Entries } from './entries/entries.js';
import { readable } from './entries/thrown.js';
import { CacheOptionError } from './errors.js';
import { type CacheEvent, Events } from './events.js';
import { Flights } from './flight.js';
import { GroupInvalidations } from './groups.js';
import type { Landing } from './network.js';
import type { CacheOptions, CommonOptions } from './options.js';
import { native } from './promises.js';
import { Recent } from './recent.js';
import { createCodec } from './record/codec.js';
import { assertCompression } from './record/compression.js';
import { assertEncryptionKey, assertSecretKey } from './record/keys.js';
import type { StoreRecord } from './record/record.js';
import { variantKey } from './request/vary.js';
import { SearchRules } from './search-rules.js';
import {
  assertKnownOptions,
  assertOptionValues,
  COMMON_OPTION_NAMES,
  DEFAULT_HOT_BYTES,
  LiveSettings,
} from './settings.js';
import { type CacheCounters, newCounters } from './stats.js';
import { backendOptionNames, resolveBackend } from './stores/resolve.js';
import type { Store, StoreLimits } from './stores/store.js';
import { Turns } from './turns.js';

export class Core {
  readonly live: LiveSettings;
  readonly entries: Entries;
  readonly flights = new Flights<Landing>();
  /** Changes of an index, each of which builds on what the one before left. */
  readonly indexing = new Turns();
  readonly events = new Events();
  readonly stats: CacheCounters = newCounters();
  readonly clock: () => number;
  /** True in async work started inside `cacheDisabled`. */
  readonly disabled = new AsyncLocalStorage<boolean>();
  /** When an index was last written here. */
  readonly indexed = new Recent();
  /** The newest answer stored under a key, by when it was asked for. */
  readonly stored = new Recent();
  readonly groups = new GroupInvalidations();
  readonly searchRules = new SearchRules();
  readonly #invalidations = new Recent();
  #sequence = 0;
  readonly #ownsStore: boolean;

  constructor(given: CacheOptions) {
    const options = ownOptions(given);
    const { own, backend } = splitOptions(options);
    const { store, owned } = resolveBackend(backendOf(options), backend);
    this.live = new LiveSettings(options, (given) => assertBounds(store, given));
    this.#ownsStore = owned;
    this.clock = own.clock ?? Date.now;
    const encryptionKey = assertEncryptionKey('encryptionKey', own.encryptionKey);
    const codec = createCodec({
      serializer: own.serializer ?? 'binary',
      secretKey: assertSecretKey('secretKey', own.secretKey),
      encryptionKey,
      compression: assertCompression('compression', own.compression),
    });
    const [tagOf, ...formerTagsOf] = urlTags(encryptionKey);
    this.entries = new Entries({
      store,
      codec,
      hotBytes: own.hotBytes ?? DEFAULT_HOT_BYTES,
      isFrozen: () => this.live.current.frozen,
      timeout: () => this.live.current.storeTimeout * 1000,
      limits: () => this.#limits(),
      tag: (url) => tagOf(this.#comparable(url)),
      formerTags: (url) => formerTagsOf.map((formerTagOf) => formerTagOf(this.#comparable(url))),
      isPlain: (record) => this.#isPlain(record),
      onError: (error, reason, key) => this.fail(error, reason, key === undefined ? {} : { key }),
      onEvicted: (key) => this.events.emit('evicted', { key, reason: 'maxEntries or maxBytes' }),
    });
    this.#observe(store);
  }

  /** What a store does wrong here is an event, for whoever listens once the cache is there. */
  #observe(store: Store): void {
    const failed = (error: unknown) => this.fail(error, 'observe');
    try {
      const observed = native<unknown>(store.observe?.((error, reason) => this.fail(error, reason)));
      if (observed instanceof Promise) observed.catch(failed);
    } catch (error) {
      queueMicrotask(() => failed(error));
    }
  }

  #limits(): StoreLimits | undefined {
    const { maxEntries, maxBytes } = this.live.current;
    if (maxEntries === undefined && maxBytes === undefined) return undefined;
    return { ...(maxEntries !== undefined && { maxEntries }), ...(maxBytes !== undefined && { maxBytes }) };
  }

  /** Orders calls and invalidations; not a time, since a clock may stand still. */
  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Remembers that what is fetched of `url` by calls already under way must not be stored. */
  noteInvalidation(url: string): void {
    this.#invalidations.note(this.#comparable(url), this.nextSequence());
  }

  #comparable(url: string): string {
    return this.live.current.keyer.comparableUrl(url);
  }

  /** Keys of what anonymous requests of a URL get: stores that look keys up by URL may leave these out. */
  plainKeysOf(url: string): string[] {
    const { keyer } = this.live.current;
    return (['GET', 'HEAD'] as const).flatMap((method) => keyer.plainKeyOf(method, url) ?? []);
  }

  #isPlain(record: StoreRecord): boolean {
    if (record.kind === 'index') return this.plainKeysOf(record.url).includes(record.key);
    const { method, url } = record.request;
    if (method !== 'GET' && method !== 'HEAD') return false;
    const key = this.live.current.keyer.plainKeyOf(method, url);
    if (key === undefined) return false;
    return record.key === (record.vary.length === 0 ? key : variantKey(key, record.vary));
  }

  /** When an unsafe request last changed a URL; 0: never. The URL is only asked for if it may matter. */
  lastInvalidation(url: () => string): number {
    return this.#invalidations.isEmpty ? 0 : this.#invalidations.last(this.#comparable(url()));
  }

  wasInvalidatedSince(url: string, sequence: number): boolean {
    return (
      !this.#invalidations.isEmpty && this.#invalidations.hasHappenedSince(this.#comparable(url), sequence)
    );
  }

  /** A failure that no request may fail for. */
  fail(thrown: unknown, reason: string, about: CacheEvent = {}): void {
    this.stats.errors += 1;
    if (!this.events.wants('error')) return;
    const error = readable(thrown);
    const asError = error instanceof Error ? error : new Error(String(error));
    this.events.emit('error', { ...about, reason, error: asError, store: this.entries.storeName });
  }

  async close(): Promise<void> {
    await this.entries.close(this.#ownsStore);
  }
}

/** What somebody has put on `Object.prototype` is no option. */
function ownOptions<T>(options: T): T {
  const isOptions = typeof options === 'object' && options !== null && !Array.isArray(options);
  return isOptions ? Object.assign(Object.create(null), options) : options;
}

/** Only what is not given has a default: null is a mistake. */
function backendOf({ backend }: CacheOptions): unknown {
  return backend === undefined ? 'sqlite' : backend;
}

/** A bound that nobody would keep is refused. */
function assertBounds(store: Store, { maxEntries, maxBytes }: CommonOptions): void {
  if (store.trim !== undefined || (maxEntries ?? maxBytes) === undefined) return;
  const [name, value] = maxEntries === undefined ? ['maxBytes', maxBytes] : ['maxEntries', maxEntries];
  throw new CacheOptionError(name, value, `the store ${store.constructor.name} can't evict: leave it out`);
}

/** Common options stand beside the backend's own; whatever belongs to neither is an error. */
function splitOptions(options: CacheOptions): { own: CacheOptions; backend: Record<string, unknown> } {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new CacheOptionError('options', options, 'allowed: an object');
  }
  assertOptionValues(options);
  const backendNames = backendOptionNames(backendOf(options));
  // A class that is not ours declares its own options: it gets what is not common, and judges.
  if (backendNames !== undefined) {
    assertKnownOptions(options, [...COMMON_OPTION_NAMES, ...backendNames], 'option');
  }
  const backend: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(options)) {
    const isBackends = name === 'cacheName' || !COMMON_OPTION_NAMES.includes(name);
    if (isBackends && value !== undefined) backend[name] = value;
  }
  return { own: options, backend };
}

type TagOf = (url: string) => string;

/**
 * What a store may keep of a URL: the redacted URL as keys compare it, or with encryption a digest that reveals nothing;
 * after the first, what older keys have made of it.
 */
function urlTags(encryptionKeys: readonly Uint8Array[] = []): [TagOf, ...TagOf[]] {
  const [first, ...others] = encryptionKeys.map(
    (key): TagOf =>
      (url) =>
        createHmac('sha256', key).update('url\0').update(url).digest('base64url'),
  );
  return first === undefined ? [(url) => url] : [first, ...others];
}
