/** recreateKeys(): every entry under the key that it has by the present settings. */
import { isDeepStrictEqual } from 'node:util';
import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import type { Core } from './core.js';
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
  const found: (Move & { readAt: number })[] = [];
  const indices: IndexRecord[] = [];
  let left = 0;
  for await (const { record, readAt } of maintenance.scan('recreateKeys')) {
    if (record?.kind === 'index') indices.push(record);
    if (record?.kind !== 'response') continue;
    const move = await moveOf(core, record);
    if (move !== undefined) found.push({ ...move, readAt });
    else {
      left += 1;
      const redacted = redactedAnew(core, record);
      if (!isDeepStrictEqual(redacted, record)) await maintenance.write(redacted, readAt);
    }
  }
  // What a request has changed meanwhile is its word.
  const moves = found.filter(({ record, readAt }) => !core.entries.hasChangedSince(record.key, readAt));
  // Several may come under one key now: the newest is written last.
  moves.sort((a, b) => a.record.responseTime - b.record.responseTime);
  const rebuilt = new Map<string, IndexRecord>();
  for (const move of moves) {
    await maintenance.write({ ...redactedAnew(core, move.record), key: move.key, vary: move.vary });
    if (move.vary.length > 0) addEntry(rebuilt, move.primaryKey, move.record, entryOf(move));
    await addRedirects(core, rebuilt, indices, move);
  }
  const moved = new Set(moves.map(({ record }) => record.key));
  const gone = new Set(moved);
  for (const index of indices) {
    // What stays where it is must be found there, beside what has come.
    const entries = index.entries.filter(({ key }) => !moved.has(key));
    const known = rebuilt.get(index.key);
    if (known !== undefined) known.entries.push(...entries);
    else if (entries.length === 0) gone.add(index.key);
    else if (entries.length < index.entries.length) rebuilt.set(index.key, { ...index, entries });
  }
  for (const index of rebuilt.values()) await maintenance.write(index);
  for (const { key } of moves) gone.delete(key);
  await maintenance.delete([...gone].filter((key) => !rebuilt.has(key)));
  return { rekeyed: moves.length, left };
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
