/** ResponseCache: inspection and maintenance of what is stored. */
import type { AxiosRequestConfig, AxiosResponse } from 'axios';
import { CachedResponse, type InvalidEntry } from './cached-response.js';
import { copyEntries } from './copy.js';
import type { Core } from './core.js';
import type { Watch } from './entries/watch.js';
import { CacheOptionError } from './errors.js';
import type { CacheEventName, CacheListener } from './events.js';
import { assertKeyable, find, keyNow, type Lookup, requestFor } from './lookup.js';
import { Maintenance } from './maintenance.js';
import { assertExpireAfter } from './policy/expiry.js';
import type { ExpireAfter } from './policy/types.js';
import type { IndexRecord } from './record/record.js';
import { redate } from './redate.js';
import { type Rekeyed, recreateKeys } from './rekey.js';
import { saveResponse } from './save.js';
import { selectEntries } from './selecting.js';
import { assertFlags, type OlderThan, olderThanMoment, type Selector } from './selector.js';
import { assertKnownOptions } from './settings.js';
import { ownText, sortInTurns } from './sorting.js';
import type { CacheStats } from './stats.js';

/** By these a selector asks for what an entry holds, and not for which it is. */
const ABOUT_CONTENT = ['expired', 'invalid', 'olderThan', 'filter'] as const;

/** What `filter` yields: by default fresh and expired responses. */
export interface FilterOptions {
  /** Fresh ones. @default true */
  valid?: boolean | undefined;
  /** Expired ones. @default true */
  expired?: boolean | undefined;
  /** Unreadable ones, as `{ key, invalid: true, error }`. @default false */
  invalid?: boolean | undefined;
  /** Only what was stored longer ago than this (seconds, duration), or before this `Date`. */
  olderThan?: OlderThan | undefined;
}

/**
 * What is stored, to look at and maintain. Every call waits for pending writes first, and rejects with
 * `CacheStoreError` when the store fails or the cache is closed.
 */
export class ResponseCache {
  readonly #core: Core;
  readonly #maintenance: Maintenance;

  /** @internal Made by `cacheAdapter`. */
  constructor(core: Core) {
    this.#core = core;
    this.#maintenance = new Maintenance(core);
  }

  /** The response under a key, or the one that a request would get; expired ones too. Undefined if there is none. */
  async get(lookup: Lookup): Promise<CachedResponse | undefined> {
    const found = await find(this.#core, this.#maintenance, lookup);
    return found && new CachedResponse(found, this.#core.clock);
  }

  /** Whether `get` would find something. */
  async has(lookup: Lookup): Promise<boolean> {
    return (await find(this.#core, this.#maintenance, lookup)) !== undefined;
  }

  /** The key that a request with this config has. Give the whole config: defaults of an instance are not known here. */
  createKey(config: AxiosRequestConfig): string {
    return keyNow(this.#core, config);
  }

  /** Deletes what a selector selects; resolves with how many responses went. `delete({})` deletes nothing. */
  async delete(selector: Selector): Promise<number> {
    const maintenance = this.#maintenance;
    return maintenance.watching(async (watch) => {
      const began = this.#core.entries.changes;
      const { keys, indices } = await selectEntries(this.#core, maintenance, 'delete', selector);
      // Of what was selected for what it held, a request may have stored another since.
      const isLate = ABOUT_CONTENT.some((name) => selector[name] !== undefined)
        ? (key: string) => watch.hasChangedSince(key, began)
        : undefined;
      const deleted = await maintenance.delete([...keys], watch, isLate);
      await maintenance.pruneIndices(indices.values(), watch, began);
      return deleted;
    });
  }

  /** Deletes everything of this cache, and nothing of anybody else's. */
  async clear(): Promise<void> {
    const { entries } = this.#core;
    await this.#maintenance.run(() =>
      entries.inBulk(async () => {
        entries.clearing();
        return entries.store.clear(this.#maintenance.progress('clear'));
      }),
    );
    entries.cleared();
  }

  /** Keys of all readable responses. */
  async *keys(): AsyncGenerator<string> {
    for await (const { key } of this.#maintenance.responses('keys')) yield key;
  }

  /** All readable responses. */
  async *values(): AsyncGenerator<CachedResponse> {
    for await (const record of this.#maintenance.responses('values'))
      yield new CachedResponse(record, this.#core.clock);
  }

  /** Key and response of all readable responses. */
  async *entries(): AsyncGenerator<[string, CachedResponse]> {
    for await (const response of this.values()) yield [response.key, response];
  }

  /** Responses by state; with `invalid: true` unreadable entries too. */
  filter(options: FilterOptions & { invalid: true }): AsyncGenerator<CachedResponse | InvalidEntry>;
  filter(options?: FilterOptions): AsyncGenerator<CachedResponse>;
  async *filter(options: FilterOptions = {}): AsyncGenerator<CachedResponse | InvalidEntry> {
    assertKnownOptions(options, ['valid', 'expired', 'invalid', 'olderThan'], 'option of filter');
    assertFlags(options, ['valid', 'expired', 'invalid']);
    const { valid = true, expired = true, invalid = false, olderThan } = options;
    const before =
      olderThan === undefined ? Number.POSITIVE_INFINITY : olderThanMoment(olderThan, this.#core.clock());
    for await (const { key, record, error } of this.#maintenance.scan('filter')) {
      if (error !== undefined) {
        if (invalid) yield { key, invalid: true, error };
      } else if (record.kind === 'response' && record.createdAt < before) {
        const response = new CachedResponse(record, this.#core.clock);
        if (response.isExpired ? expired : valid) yield response;
      }
    }
  }

  /** Final URLs of all readable responses, redacted, sorted, each once. */
  async urls(): Promise<string[]> {
    const urls = new Set<string>();
    for await (const { url } of this.#maintenance.responses('urls'))
      if (!urls.has(url)) urls.add(ownText(url));
    return sortInTurns(urls);
  }

  /** How many responses: all, with `expired: true` only expired ones, with `expired: false` only the others. */
  async count(options: { expired?: boolean | undefined } = {}): Promise<number> {
    assertKnownOptions(options, ['expired'], 'option of count');
    assertFlags(options, ['expired']);
    const { expired } = options;
    const now = this.#core.clock();
    const { store } = this.#core.entries;
    if (store.count !== undefined) {
      const filter = expired === undefined ? { now } : { now, expired };
      return this.#maintenance.run(() => store.count?.(filter) ?? 0);
    }
    let count = 0;
    for await (const { expiresAt } of this.#maintenance.responses('count')) {
      const isExpired = expiresAt !== undefined && expiresAt <= now;
      if (expired === undefined || expired === isExpired) count += 1;
    }
    return count;
  }

  /** Sum of the stored records' bytes. */
  async size(): Promise<number> {
    const { store } = this.#core.entries;
    if (store.size !== undefined) return this.#maintenance.run(() => store.size?.() ?? 0);
    return this.#maintenance.run(async () => {
      let bytes = 0;
      for await (const key of store.keys()) bytes += (await this.#maintenance.bytesAt(key)) ?? 0;
      return bytes;
    });
  }

  /**
   * Deletes expired and unreadable entries; resolves with how many went. With `expireAfter`, every readable entry
   * first expires that long after it was created.
   */
  async removeExpiredResponses(options: { expireAfter?: ExpireAfter } = {}): Promise<number> {
    assertKnownOptions(options, ['expireAfter'], 'option of removeExpiredResponses');
    const { expireAfter } = options;
    if (expireAfter !== undefined && expireAfter !== null) {
      await redate(
        this.#maintenance,
        'removeExpiredResponses',
        expireAfter,
        ({ createdAt }) => createdAt,
        () => true,
      );
    }
    const now = this.#core.clock();
    const { store } = this.#core.entries;
    let gone = 0;
    if (store.deleteExpired !== undefined) {
      const tell = this.#maintenance.progress('removeExpiredResponses');
      gone += await this.#maintenance.run(() =>
        this.#core.entries.inBulk(async () => store.deleteExpired?.(now, tell) ?? 0),
      );
    }
    return gone + (await this.#maintenance.watching((watch) => this.#removeUnusable(now, watch)));
  }

  /** What is expired or unreadable, wherever the store did not find it itself. */
  async #removeUnusable(now: number, watch: Watch): Promise<number> {
    const maintenance = this.#maintenance;
    const began = this.#core.entries.changes;
    const unusable = new Map<string, number>();
    const indices = new Map<string, IndexRecord>();
    for await (const { key, record, error, readAt } of maintenance.scan('removeExpiredResponses')) {
      if (record?.kind === 'index') indices.set(key, record);
      else if (record === undefined ? !error.isNewer : (record.expiresAt ?? now + 1) <= now)
        unusable.set(key, readAt);
    }
    // A request may have stored it anew since.
    const isLate = (key: string) => watch.hasChangedSince(key, unusable.get(key) ?? began);
    const deleted = await maintenance.delete([...unusable.keys()], watch, isLate);
    await maintenance.pruneIndices(indices.values(), watch, began);
    return deleted;
  }

  /** Sets `expires` to so long from now, for all responses or the selected ones; resolves with how many. */
  async resetExpiration(expireAfter: ExpireAfter, selector?: Selector): Promise<number> {
    if (expireAfter === undefined || expireAfter === null) {
      throw new CacheOptionError(
        'expireAfter',
        expireAfter,
        'allowed: seconds, a duration object, a Date or a Temporal value',
      );
    }
    const now = this.#core.clock();
    const selected =
      selector === undefined
        ? undefined
        : (await selectEntries(this.#core, this.#maintenance, 'resetExpiration', selector)).keys;
    return redate(
      this.#maintenance,
      'resetExpiration',
      expireAfter,
      () => now,
      ({ key }) => selected === undefined || selected.has(key),
    );
  }

  /**
   * Re-keys every entry under the present settings, and redacts by them what is kept of its request. `rekeyed`: how many
   * responses have the right key now; `left`: how many keep theirs, since a new one would need a value that was redacted
   * or never stored.
   */
  async recreateKeys(): Promise<Rekeyed> {
    return recreateKeys(this.#core, this.#maintenance);
  }

  /**
   * Copies every entry of another cache in, where it replaces what is the same; resolves with how many responses. If the
   * two make keys otherwise, `recreateKeys()` follows.
   */
  async update(other: ResponseCache): Promise<number> {
    if (typeof other !== 'object' || other === null || !(#core in other))
      throw new CacheOptionError('other', other, 'allowed: a ResponseCache');
    this.#maintenance.assertOpen();
    const count = await copyEntries(other.#maintenance, this.#maintenance);
    // Keys of the other's settings would not be found here, and what is secret here may be in clear there.
    if (!this.#core.live.keysAsIn(other.#core.live)) await this.recreateKeys();
    return count;
  }

  /** Stores a response by hand, as if `config` had just brought it. Resolves with what is stored. */
  async save(
    config: AxiosRequestConfig,
    response: AxiosResponse,
    options: { expireAfter?: ExpireAfter } = {},
  ): Promise<CachedResponse> {
    assertKnownOptions(options, ['expireAfter'], 'option of save');
    const { expireAfter } = options;
    assertExpireAfter('expireAfter', expireAfter);
    const request = requestFor(config);
    assertKeyable(this.#core, request);
    const record = await this.#maintenance.run(() =>
      saveResponse(this.#core, request, response, expireAfter),
    );
    return new CachedResponse(record, this.#core.clock);
  }

  /** Waits until every pending write has settled; those that failed were `error` events. */
  async flush(): Promise<void> {
    await this.#core.entries.flush();
  }

  /** Waits for pending writes and closes what the adapter opened itself. Idempotent. */
  async close(): Promise<void> {
    await this.#core.close();
  }

  /** Counters since this cache was made, and the memory in use. */
  stats(): CacheStats {
    const { stats, entries, live } = this.#core;
    return { ...stats, hotBytes: entries.hotBytes, memoBytes: live.current.keyer.memoBytes };
  }

  on(event: CacheEventName, listener: CacheListener): this {
    this.#core.events.on(event, listener);
    return this;
  }

  off(event: CacheEventName, listener: CacheListener): this {
    this.#core.events.off(event, listener);
    return this;
  }
}
