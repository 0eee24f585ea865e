/** ResponseCache: inspection and maintenance of what is stored. */
import type { AxiosRequestConfig, AxiosResponse } from 'axios';
import { dispatchable, finalUrl } from './axios.js';
import { CachedResponse, type InvalidEntry } from './cached-response.js';
import { Caller } from './caller.js';
import type { Core } from './core.js';
import { CacheOptionError } from './errors.js';
import type { CacheEventName, CacheListener } from './events.js';
import { saveResponse } from './keep.js';
import { Maintenance } from './maintenance.js';
import { assertExpireAfter, expiryMoment } from './policy/expiry.js';
import { DO_NOT_CACHE, type ExpireAfter } from './policy/types.js';
import type { IndexRecord, ResponseRecord } from './record/record.js';
import { type Rekeyed, recreateKeys } from './rekey.js';
import type { CacheRequest } from './request/request.js';
import { snapshotRequest } from './request/snapshot.js';
import { select } from './select.js';
import {
  type CompiledSelector,
  compileSelector,
  type OlderThan,
  olderThanMoment,
  type Selector,
} from './selector.js';
import type { CacheStats } from './stats.js';

/** A key, a URL, or an axios request config. */
export type Lookup = string | AxiosRequestConfig;

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
    const found = await this.#find(lookup);
    return found && new CachedResponse(found, this.#core.clock);
  }

  /** Whether `get` would find something. */
  async has(lookup: Lookup): Promise<boolean> {
    return (await this.#find(lookup)) !== undefined;
  }

  async #find(lookup: Lookup): Promise<ResponseRecord | undefined> {
    if (typeof lookup === 'string') {
      const record = (await this.#maintenance.run(() => this.#maintenance.read(lookup)))?.record;
      if (record?.kind !== 'index') return record;
      const newest = [...record.entries].sort((a, b) => b.storedAt - a.storedAt)[0];
      const target = newest && (await this.#maintenance.read(newest.key))?.record;
      return target?.kind === 'response' ? target : undefined;
    }
    const request = this.#request(lookup);
    return this.#maintenance.run(async () => {
      const key = await this.#core.live.current.keyer.keyOf(request);
      const { selected } = await select(
        this.#core.entries,
        request,
        key,
        new Caller(request.config),
        undefined,
      );
      return selected && { ...selected.record, redirects: [...selected.redirects] };
    });
  }

  #request(config: AxiosRequestConfig): CacheRequest {
    if (typeof config !== 'object' || config === null) {
      throw new CacheOptionError('lookup', config, 'allowed: a key, { url } or an axios request config');
    }
    const ready = dispatchable(config);
    return snapshotRequest(ready, finalUrl(ready));
  }

  /** The key that a request with this config has. Give the whole config: defaults of an instance are not known here. */
  createKey(config: AxiosRequestConfig): string {
    const key = this.#core.live.current.keyer.keyOf(this.#request(config));
    if (typeof key === 'string') return key;
    key.catch(() => {});
    throw new CacheOptionError(
      'config.data',
      config.data,
      'a body that holds a Blob can only be read asynchronously',
    );
  }

  /** Deletes what a selector selects; resolves with how many responses went. `delete({})` deletes nothing. */
  async delete(selector: Selector): Promise<number> {
    const { deleted, indices } = await this.#select(this.#compile(selector));
    await this.#maintenance.delete([...deleted]);
    await this.#maintenance.pruneIndices(indices, deleted);
    return deleted.size;
  }

  #compile(selector: Selector): CompiledSelector {
    const { clock, live } = this.#core;
    return compileSelector(selector, {
      clock,
      storedUrl: (url) => live.current.redactor.url(URL.canParse(url) ? new URL(url).href : url),
    });
  }

  /** Keys of the selected responses, and the indices met on the way. */
  async #select(selector: CompiledSelector): Promise<{ deleted: Set<string>; indices: IndexRecord[] }> {
    const deleted = new Set<string>();
    const indices: IndexRecord[] = [];
    if (selector.isEmpty) return { deleted, indices };
    const direct = await this.#directKeys(selector, indices);
    const candidates = direct === undefined ? this.#maintenance.scan() : this.#read(direct);
    for await (const { key, record } of candidates) {
      if (record === undefined) {
        // What can't be read meets conditions on its key alone.
        if (selector.invalid !== false && !selector.asksContent) deleted.add(key);
      } else if (record.kind === 'index') {
        indices.push(record);
      } else if (selector.invalid !== true && selector.meets(record)) {
        deleted.add(key);
      }
    }
    return { deleted, indices };
  }

  /** The keys that `keys` and `requests` name, those behind an index too; undefined when neither is given. */
  async #directKeys(selector: CompiledSelector, indices: IndexRecord[]): Promise<Set<string> | undefined> {
    const { keyer } = this.#core.live.current;
    const lists: (readonly string[])[] = [];
    if (selector.keys !== undefined) lists.push(selector.keys);
    if (selector.requests !== undefined) {
      lists.push(await Promise.all(selector.requests.map((config) => keyer.keyOf(this.#request(config)))));
    }
    if (lists.length === 0) return undefined;
    const expanded = await this.#maintenance.run(() =>
      Promise.all(lists.map((keys) => this.#expand(keys, indices))),
    );
    const [first = new Set<string>(), ...others] = expanded;
    return new Set([...first].filter((key) => others.every((other) => other.has(key))));
  }

  async #expand(keys: readonly string[], indices: IndexRecord[]): Promise<Set<string>> {
    const expanded = new Set<string>();
    for (const key of keys) {
      expanded.add(key);
      const record = (await this.#maintenance.read(key))?.record;
      if (record?.kind !== 'index') continue;
      indices.push(record);
      for (const entry of record.entries) expanded.add(entry.key);
    }
    return expanded;
  }

  async *#read(keys: Iterable<string>) {
    for (const key of keys) {
      const scanned = await this.#maintenance.read(key);
      if (scanned !== undefined) yield scanned;
    }
  }

  /** Deletes everything of this cache, and nothing of anybody else's. */
  async clear(): Promise<void> {
    await this.#maintenance.run(() => this.#core.entries.store.clear());
    this.#core.entries.forget();
  }

  /** Keys of all readable responses. */
  async *keys(): AsyncGenerator<string> {
    for await (const { key } of this.#maintenance.responses()) yield key;
  }

  /** All readable responses. */
  async *values(): AsyncGenerator<CachedResponse> {
    for await (const record of this.#maintenance.responses())
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
    const { valid = true, expired = true, invalid = false, olderThan } = options;
    const before =
      olderThan === undefined ? Number.POSITIVE_INFINITY : olderThanMoment(olderThan, this.#core.clock());
    for await (const { key, record, error } of this.#maintenance.scan()) {
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
    for await (const { url } of this.#maintenance.responses()) urls.add(url);
    return [...urls].sort();
  }

  /** How many responses: all, with `expired: true` only expired ones, with `expired: false` only the others. */
  async count(options: { expired?: boolean | undefined } = {}): Promise<number> {
    const { expired } = options;
    const now = this.#core.clock();
    const { store } = this.#core.entries;
    if (store.count !== undefined) {
      const filter = expired === undefined ? { now } : { now, expired };
      return this.#maintenance.run(() => store.count?.(filter) ?? 0);
    }
    let count = 0;
    for await (const { expiresAt } of this.#maintenance.responses()) {
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
      for await (const key of store.keys()) bytes += (await store.get(key))?.byteLength ?? 0;
      return bytes;
    });
  }

  /**
   * Deletes expired and unreadable entries; resolves with how many went. With `expireAfter`, every readable entry
   * first expires that long after it was created.
   */
  async removeExpiredResponses(options: { expireAfter?: ExpireAfter } = {}): Promise<number> {
    const { expireAfter } = options;
    if (expireAfter !== undefined && expireAfter !== null) {
      await this.#redate(
        expireAfter,
        ({ createdAt }) => createdAt,
        () => true,
      );
    }
    const now = this.#core.clock();
    const { store } = this.#core.entries;
    let gone = 0;
    if (store.deleteExpired !== undefined) {
      gone += await this.#maintenance.run(() => store.deleteExpired?.(now) ?? 0);
      this.#core.entries.forget();
    }
    const deleted = new Set<string>();
    const indices: IndexRecord[] = [];
    for await (const { key, record } of this.#maintenance.scan()) {
      if (record?.kind === 'index') indices.push(record);
      else if (record === undefined || (record.expiresAt !== undefined && record.expiresAt <= now))
        deleted.add(key);
    }
    await this.#maintenance.delete([...deleted]);
    await this.#maintenance.pruneIndices(indices, deleted);
    return gone + deleted.size;
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
    const selected = selector && (await this.#select(this.#compile(selector))).deleted;
    return this.#redate(
      expireAfter,
      () => now,
      ({ key }) => selected === undefined || selected.has(key),
    );
  }

  async #redate(
    expireAfter: NonNullable<ExpireAfter>,
    from: (record: ResponseRecord) => number,
    isMeant: (record: ResponseRecord) => boolean,
  ): Promise<number> {
    assertExpireAfter('expireAfter', expireAfter);
    if (expireAfter === DO_NOT_CACHE) {
      throw new CacheOptionError(
        'expireAfter',
        expireAfter,
        'DO_NOT_CACHE says nothing about what is stored already',
      );
    }
    let count = 0;
    const moments = new Map<string, number | undefined>();
    const indices: IndexRecord[] = [];
    for await (const { record } of this.#maintenance.scan()) {
      if (record?.kind === 'index') indices.push(record);
      if (record?.kind !== 'response' || !isMeant(record)) continue;
      const { expiresAt: _, ...undated } = record;
      const expiresAt = expiryMoment(expireAfter, from(record));
      moments.set(record.key, expiresAt);
      await this.#maintenance.write(expiresAt === undefined ? undated : { ...undated, expiresAt });
      count += 1;
    }
    for (const index of indices) await this.#redateIndex(index, moments);
    return count;
  }

  /** An index must not expire before what it leads to. */
  async #redateIndex(index: IndexRecord, moments: ReadonlyMap<string, number | undefined>): Promise<void> {
    if (!index.entries.some(({ key }) => moments.has(key))) return;
    const entries = index.entries.map((entry) => {
      if (!moments.has(entry.key)) return entry;
      const { expiresAt: _, ...undated } = entry;
      const expiresAt = moments.get(entry.key);
      return expiresAt === undefined ? undated : { ...undated, expiresAt };
    });
    await this.#maintenance.write({ ...index, entries });
  }

  /**
   * Re-keys every entry under the present settings. `rekeyed`: how many responses have the right key now; `left`: how
   * many stay as they are, since their key would need a value that was redacted or never stored.
   */
  async recreateKeys(): Promise<Rekeyed> {
    return recreateKeys(this.#core, this.#maintenance);
  }

  /** Copies every entry of another cache in; resolves with how many responses. */
  async update(other: ResponseCache): Promise<number> {
    if (!(other instanceof ResponseCache))
      throw new CacheOptionError('other', other, 'allowed: a ResponseCache');
    let count = 0;
    for await (const { record } of other.#maintenance.scan()) {
      if (record === undefined) continue;
      await this.#maintenance.run(() => this.#maintenance.write(record));
      if (record.kind === 'response') count += 1;
    }
    return count;
  }

  /** Stores a response by hand, as if `config` had just brought it. Resolves with what is stored. */
  async save(
    config: AxiosRequestConfig,
    response: AxiosResponse,
    options: { expireAfter?: ExpireAfter } = {},
  ): Promise<CachedResponse> {
    const { expireAfter } = options;
    assertExpireAfter('expireAfter', expireAfter);
    const request = this.#request(config);
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

  /** Counters since this cache was made. */
  stats(): CacheStats {
    return { ...this.#core.stats };
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
