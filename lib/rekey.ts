/** recreateKeys(): every entry under the key that it has by the present settings. */
import { isDeepStrictEqual } from 'node:util';
import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import type { Core } from './core.js';
import type { Watch } from './entries/watch.js';
import { mergedIndex } from './indexing.js';
import { wasOutdatedSince } from './keep.js';
import type { Maintenance } from './maintenance.js';
import type { IndexEntry, IndexRecord, ResponseRecord, StoredRequest, VaryPair } from './record/record.js';
import type { CacheRequest } from './request/request.js';
import { snapshotRequest } from './request/snapshot.js';
import { variantKey, varyPairs } from './request/vary.js';

export interface Rekeyed {
  rekeyed: number;
  left: number;
}

const REDACTED = /REDACTED/g;

/** A response with its new place. */
interface Move {
  record: ResponseRecord;
  key: string;
  primaryKey: string;
  vary: VaryPair[];
}

export async function recreateKeys(core: Core, maintenance: Maintenance): Promise<Rekeyed> {
  return maintenance.watching((watch) => moveAll(core, maintenance, watch));
}

async function moveAll(core: Core, maintenance: Maintenance, watch: Watch): Promise<Rekeyed> {
  const began = core.entries.changes;
  const sequence = core.nextSequence();
  const readAt = new Map<string, number>();
  /** What a request has written or deleted since it was read here: that is its word. */
  const isLate = (key: string): boolean => watch.hasChangedSince(key, readAt.get(key) ?? began);
  const found: Move[] = [];
  const indices: IndexRecord[] = [];
  let left = 0;
  for await (const { key, record, readAt: at } of maintenance.scan('recreateKeys')) {
    readAt.set(key, at);
    if (record?.kind === 'index') indices.push(record);
    if (record?.kind !== 'response') continue;
    const move = await moveOf(core, record);
    if (move !== undefined) found.push(move);
    else {
      left += 1;
      const redacted = redactedAnew(core, record);
      if (!isDeepStrictEqual(redacted, record)) await maintenance.write(redacted, watch, () => isLate(key));
    }
  }
  // Several may come under one key now: the newest is written last.
  found.sort((a, b) => a.record.responseTime - b.record.responseTime);
  const moves: Move[] = [];
  const rebuilt = new Map<string, IndexRecord>();
  for (const move of found) {
    const moved = { ...redactedAnew(core, move.record), key: move.key, vary: move.vary };
    const isSuperseded = () =>
      isLate(move.record.key) || isLate(move.key) || wasOutdatedSince(core, moved, sequence);
    if (!(await maintenance.write(moved, watch, isSuperseded))) continue;
    moves.push(move);
    if (move.vary.length > 0) addEntry(rebuilt, move.primaryKey, move.record, entryOf(move));
    await addRedirects(core, rebuilt, indices, move);
  }
  // So does what is outdated, or has a newer one at its new place.
  const old = new Set(found.map(({ record }) => record.key).filter((key) => !isLate(key)));
  const gone = new Set(old);
  for (const index of indices) {
    // What stays where it is must be found there, beside what has come.
    const entries = index.entries.filter(({ key }) => !old.has(key));
    const known = rebuilt.get(index.key);
    if (known !== undefined) known.entries.push(...entries);
    else if (entries.length === 0) gone.add(index.key);
    else if (entries.length < index.entries.length) rebuilt.set(index.key, { ...index, entries });
  }
  for (const index of rebuilt.values()) {
    await writeIndex(maintenance, watch, index, readAt.get(index.key) ?? began);
  }
  for (const { key } of moves) gone.delete(key);
  await maintenance.delete(
    [...gone].filter((key) => !rebuilt.has(key)),
    watch,
    isLate,
  );
  return { rekeyed: moves.length, left };
}

/** Beside the variants that requests have stored there since `readAt`. */
async function writeIndex(
  maintenance: Maintenance,
  watch: Watch,
  rebuilt: IndexRecord,
  readAt: number,
): Promise<void> {
  let index = rebuilt;
  let since = readAt;
  while (!(await maintenance.write(index, watch, () => watch.hasChangedSince(index.key, since)))) {
    const there = await maintenance.read(rebuilt.key);
    // It was deleted with all that it led to, or a response that does not vary has its place.
    if (there?.record?.kind !== 'index') return;
    since = there.readAt;
    index = mergedIndex(there.record, rebuilt);
  }
}

/** What is kept of its request and of where it led, without what is secret by the present settings. */
function redactedAnew({ live }: Core, record: ResponseRecord): ResponseRecord {
  const { redactor } = live.current;
  const request = redactor.request(requestOf(record.request));
  if (record.request.opaque === true || (record.request.data !== undefined && request.data === undefined))
    request.opaque = true;
  const { url, redirects } = record;
  return { ...record, request, url: redactor.url(url), redirects: redirects.map((hop) => redactor.url(hop)) };
}

/** The new key, or undefined when it hangs on a value that is not stored. */
async function moveOf(core: Core, record: ResponseRecord): Promise<Move | undefined> {
  if (record.request.opaque === true) return undefined;
  const place = await placeOf(core, record, record.request);
  // The same with other values in place of the redacted ones: if that changes the key, the key needs them.
  const other = await placeOf(core, record, withOtherSecrets(record.request));
  if (place === undefined || other === undefined || place.key !== other.key) return undefined;
  return { record, ...place };
}

async function placeOf(
  core: Core,
  record: ResponseRecord,
  stored: StoredRequest,
): Promise<Omit<Move, 'record'> | undefined> {
  try {
    const request = requestOf(stored);
    const primaryKey = await core.live.current.keyer.keyOf(request);
    const names = record.vary.map(([name]) => name);
    const vary = varyPairs(names, request, primaryKey);
    return { primaryKey, vary, key: vary.length === 0 ? primaryKey : variantKey(primaryKey, vary) };
  } catch {
    return undefined;
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

function entryOf({ record, key, vary }: Move): IndexEntry {
  const entry: IndexEntry = { key, vary, storedAt: record.responseTime };
  if (record.expiresAt !== undefined) entry.expiresAt = record.expiresAt;
  return entry;
}

function addEntry(
  rebuilt: Map<string, IndexRecord>,
  key: string,
  record: ResponseRecord,
  entry: IndexEntry,
): void {
  const index = rebuilt.get(key) ?? {
    kind: 'index',
    key,
    url: record.request.url,
    createdAt: record.createdAt,
    entries: [],
  };
  const others = index.entries.filter(
    (other) => other.key !== entry.key || other.redirects !== undefined || entry.redirects !== undefined,
  );
  index.entries = [entry, ...others];
  rebuilt.set(key, index);
}

/** The URLs that redirected to the response lead to it again, varying on what they varied on. */
async function addRedirects(
  core: Core,
  rebuilt: Map<string, IndexRecord>,
  indices: IndexRecord[],
  move: Move,
): Promise<void> {
  const { record } = move;
  for (const index of indices) {
    for (const old of index.entries) {
      // Without a URL that redirected it is an alias by No-Vary-Search, which the next response makes anew.
      if (old.key !== record.key || !old.redirects?.length) continue;
      const request = requestOf({ ...record.request, url: index.url });
      const key = await core.live.current.keyer.keyOf(request);
      const vary = varyPairs(
        old.vary.map(([name]) => name),
        request,
        key,
      );
      addEntry(
        rebuilt,
        key,
        { ...record, request: { ...record.request, url: index.url } },
        { ...old, key: move.key, vary },
      );
    }
  }
}
