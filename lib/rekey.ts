/** recreateKeys(): every entry under the key that it has by the present settings, and redacted by them. */
import { isDeepStrictEqual } from 'node:util';
import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import type { Core } from './core.js';
import type { Watch } from './entries/watch.js';
import { mergedIndex } from './indexing.js';
import { wasOutdatedSince } from './keep.js';
import type { Maintenance } from './maintenance.js';
import type { IndexEntry, IndexRecord, ResponseRecord, StoredRequest, VaryPair } from './record/record.js';
import { part, sha256 } from './request/digest.js';
import type { CacheRequest } from './request/request.js';
import { snapshotRequest } from './request/snapshot.js';
import { variantKey, varyPairs } from './request/vary.js';
import { withoutRedacted } from './request/without-redacted.js';

export interface Rekeyed {
  rekeyed: number;
  left: number;
}

const REDACTED = /REDACTED/g;

/** Where the response to a request belongs. */
interface Place {
  key: string;
  primaryKey: string;
  vary: VaryPair[];
}

/** A response that has a place; without the response, since all of them may be more than the memory holds. */
interface Move extends Place {
  from: string;
  responseTime: number;
}

export async function recreateKeys(core: Core, maintenance: Maintenance): Promise<Rekeyed> {
  return maintenance.watching((watch) => new Rekeying(core, maintenance, watch).run());
}

class Rekeying {
  readonly #core: Core;
  readonly #maintenance: Maintenance;
  readonly #watch: Watch;
  readonly #began: number;
  readonly #sequence: number;
  readonly #readAt = new Map<string, number>();
  readonly #indices: IndexRecord[] = [];
  /** Where responses are now, by where they were. */
  readonly #moved = new Map<string, string>();
  /** Keys under which nothing may stay but what was put there now. */
  readonly #left = new Set<string>();
  readonly #rebuilt = new Map<string, IndexRecord>();

  constructor(core: Core, maintenance: Maintenance, watch: Watch) {
    this.#core = core;
    this.#maintenance = maintenance;
    this.#watch = watch;
    this.#began = core.entries.changes;
    this.#sequence = core.nextSequence();
  }

  async run(): Promise<Rekeyed> {
    const moves: Move[] = [];
    let left = 0;
    for await (const { key, record, readAt } of this.#maintenance.scan('recreateKeys')) {
      this.#readAt.set(key, readAt);
      if (record?.kind === 'index') this.#indices.push(record);
      if (record?.kind !== 'response') continue;
      const place = await placeOf(this.#core, record.request, record.vary);
      if (place !== undefined) {
        moves.push({ from: key, responseTime: record.responseTime, ...place });
      } else {
        left += 1;
        await this.#leave(key, record);
      }
    }
    await this.#moveAll(moves);
    await this.#writeIndices();
    const now = new Set(this.#moved.values());
    const gone = [...this.#left].filter((key) => !now.has(key) && !this.#rebuilt.has(key));
    await this.#maintenance.delete(gone, this.#watch, this.#isLate);
    return { rekeyed: this.#moved.size, left };
  }

  /** What a request has written or deleted since it was read here: that is its word. */
  readonly #isLate = (key: string): boolean =>
    this.#watch.hasChangedSince(key, this.#readAt.get(key) ?? this.#began);

  /** A response whose place hangs on what is not stored stays where it is, unless that is somebody else's place now. */
  async #leave(key: string, record: ResponseRecord): Promise<void> {
    const redacted = redactedAnew(this.#core, record);
    if (!(await isMisplaced(this.#core, key, record.request, record.vary))) {
      if (!isDeepStrictEqual(redacted, record))
        await this.#maintenance.write(redacted, this.#watch, () => this.#isLate(key));
      return;
    }
    // Out of every request's reach, until settings come back under which it has a place.
    const aside = sha256(`axios-stash/left${part(key)}`);
    const isLate = () => this.#isLate(key) || this.#isLate(aside);
    if (await this.#maintenance.write({ ...redacted, key: aside }, this.#watch, isLate)) this.#left.add(key);
  }

  async #moveAll(moves: Move[]): Promise<void> {
    // Several may come under one key now: the newest is written last.
    moves.sort((a, b) => a.responseTime - b.responseTime);
    const waiting = new Set(moves.map(({ from }) => from));
    /** Those in whose place another was put before it was their turn. */
    const displaced = new Map<string, ResponseRecord | undefined>();
    for (const move of moves) {
      const record = displaced.has(move.from) ? displaced.get(move.from) : await this.#responseAt(move.from);
      displaced.delete(move.from);
      waiting.delete(move.from);
      if (waiting.has(move.key)) displaced.set(move.key, await this.#responseAt(move.key));
      if (record !== undefined) await this.#move(record, move);
    }
    // What is outdated, or has a newer one at its new place, goes too.
    for (const { from } of moves) if (!this.#isLate(from)) this.#left.add(from);
  }

  async #responseAt(key: string): Promise<ResponseRecord | undefined> {
    const record = (await this.#maintenance.read(key))?.record;
    return record?.kind === 'response' ? record : undefined;
  }

  async #move(record: ResponseRecord, { from, key, primaryKey, vary }: Move): Promise<void> {
    const moved = { ...redactedAnew(this.#core, record), key, vary };
    const isSuperseded = () =>
      this.#isLate(from) || this.#isLate(key) || wasOutdatedSince(this.#core, moved, this.#sequence);
    if (!(await this.#maintenance.write(moved, this.#watch, isSuperseded))) return;
    this.#moved.set(from, key);
    if (vary.length > 0) this.#addEntry(primaryKey, moved.request.url, moved.createdAt, entryOf(moved));
  }

  async #writeIndices(): Promise<void> {
    for (const index of this.#indices) await this.#addAliases(index);
    for (const index of this.#indices) {
      const known = this.#rebuilt.get(index.key);
      // What stays where it is must be found there, beside what has come.
      const entries: IndexEntry[] = [];
      for (const entry of index.entries) entries.push(...(await this.#staying(index.key, entry)));
      const staying = redactedIndex(this.#core, { ...index, entries });
      if (known !== undefined) known.entries.push(...staying.entries);
      else if (entries.length === 0) this.#left.add(index.key);
      else if (!isDeepStrictEqual(staying, index)) this.#rebuilt.set(index.key, staying);
    }
    for (const index of this.#rebuilt.values()) await this.#writeIndex(index);
  }

  async #staying(at: string, entry: IndexEntry): Promise<IndexEntry[]> {
    const { redirects, request, vary } = entry;
    const key = this.#keyNow(entry);
    if (redirects === undefined) return key === entry.key && !this.#left.has(key) ? [entry] : [];
    // Without a URL that redirected it is an alias by No-Vary-Search, which the next response makes anew.
    if (key === undefined || redirects.length === 0 || request === undefined) return [];
    if ((await placeOf(this.#core, request, vary)) !== undefined) return [];
    return (await isMisplaced(this.#core, at, request, [])) ? [] : [{ ...entry, key }];
  }

  /** Of the response that an entry leads to; undefined: it went, or is out of reach. */
  #keyNow({ key }: IndexEntry): string | undefined {
    return this.#moved.get(key) ?? (this.#left.has(key) ? undefined : key);
  }

  /** The requests that were redirected to a response lead to it again, each by what was sent for it. */
  async #addAliases(index: IndexRecord): Promise<void> {
    for (const entry of index.entries) {
      if (!entry.redirects?.length || entry.request === undefined) continue;
      const place = await placeOf(this.#core, entry.request, entry.vary);
      const key = this.#keyNow(entry);
      if (place === undefined || key === undefined) continue;
      const [alias] = redactedIndex(this.#core, { ...index, entries: [entry] }).entries;
      if (alias === undefined) continue;
      const url = this.#core.live.current.redactor.url(index.url);
      this.#addEntry(place.primaryKey, url, index.createdAt, { ...alias, key, vary: place.vary });
    }
  }

  #addEntry(key: string, url: string, createdAt: number, entry: IndexEntry): void {
    const index = this.#rebuilt.get(key) ?? { kind: 'index', key, url, createdAt, entries: [] };
    const others = index.entries.filter(
      (other) => other.key !== entry.key || other.redirects !== undefined || entry.redirects !== undefined,
    );
    index.entries = [entry, ...others];
    this.#rebuilt.set(key, index);
  }

  /** Beside the variants that requests have stored there meanwhile. */
  async #writeIndex(rebuilt: IndexRecord): Promise<void> {
    const { key } = rebuilt;
    let index = rebuilt;
    let since = this.#readAt.get(key) ?? this.#began;
    while (
      !(await this.#maintenance.write(index, this.#watch, () => this.#watch.hasChangedSince(key, since)))
    ) {
      const there = await this.#maintenance.read(key);
      // It was deleted with all that it led to, or a response that does not vary has its place.
      if (there?.record?.kind !== 'index') return;
      since = there.readAt;
      index = mergedIndex(there.record, rebuilt);
    }
  }
}

/** What is kept of its request and of where it led, without what is secret by the present settings. */
function redactedAnew(core: Core, record: ResponseRecord): ResponseRecord {
  const { redactor } = core.live.current;
  const { url, redirects } = record;
  return {
    ...record,
    request: requestAnew(core, record.request),
    url: redactor.url(url),
    redirects: redirects.map((hop) => redactor.url(hop)),
  };
}

function requestAnew({ live }: Core, stored: StoredRequest): StoredRequest {
  const request = live.current.redactor.request(requestOf(stored));
  if (stored.opaque === true || (stored.data !== undefined && request.data === undefined))
    request.opaque = true;
  return request;
}

function redactedIndex(core: Core, index: IndexRecord): IndexRecord {
  const { redactor } = core.live.current;
  const entries = index.entries.map((entry) => {
    const { redirects, request } = entry;
    if (redirects === undefined) return entry;
    const redacted = { ...entry, redirects: redirects.map((hop) => redactor.url(hop)) };
    return request === undefined ? redacted : { ...redacted, request: requestAnew(core, request) };
  });
  return { ...index, url: redactor.url(index.url), entries };
}

/** Where what answered the request belongs, or undefined when that hangs on a value that is not stored. */
async function placeOf(
  core: Core,
  request: StoredRequest,
  vary: readonly VaryPair[],
): Promise<Place | undefined> {
  if (request.opaque === true) return undefined;
  const place = await placeAsIf(core, request, vary);
  // The same with other values in place of the redacted ones: if that changes the key, the key needs them.
  const other = await placeAsIf(core, withOtherSecrets(request), vary);
  return place === undefined || other === undefined || place.key !== other.key ? undefined : place;
}

async function placeAsIf(
  core: Core,
  stored: StoredRequest,
  before: readonly VaryPair[],
): Promise<Place | undefined> {
  try {
    const request = requestOf(stored);
    const primaryKey = await core.live.current.keyer.keyOf(request);
    const names = before.map(([name]) => name);
    const vary = varyPairs(names, request, primaryKey);
    return { primaryKey, vary, key: keyIn(primaryKey, vary) };
  } catch {
    return undefined;
  }
}

function keyIn(primaryKey: string, vary: VaryPair[]): string {
  return vary.length === 0 ? primaryKey : variantKey(primaryKey, vary);
}

/**
 * Whether the key is that of the request without its secrets, by the present settings: what is there was stored while they
 * were ignored, and would be everybody's now.
 */
async function isMisplaced(
  { live }: Core,
  key: string,
  request: StoredRequest,
  vary: VaryPair[],
): Promise<boolean> {
  try {
    return key === keyIn(await live.current.keyer.keyOf(requestOf(withoutRedacted(request))), vary);
  } catch {
    return false; // an own key function that can't make a key of it
  }
}

function requestOf({ method, url, headers, data }: StoredRequest): CacheRequest {
  const config: InternalAxiosRequestConfig = {
    method: method.toLowerCase(),
    url,
    headers: new AxiosHeaders(Object.fromEntries(headers) as Record<string, string>),
    ...(data !== undefined && { data }),
  };
  return snapshotRequest(config, url);
}

function withOtherSecrets(stored: StoredRequest): StoredRequest {
  return JSON.parse(JSON.stringify(stored).replace(REDACTED, 'ANOTHER')) as StoredRequest;
}

function entryOf({ key, vary, responseTime, expiresAt }: ResponseRecord): IndexEntry {
  const entry: IndexEntry = { key, vary, storedAt: responseTime };
  if (expiresAt !== undefined) entry.expiresAt = expiresAt;
  return entry;
}
