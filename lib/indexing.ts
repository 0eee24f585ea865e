/** Indices: what leads from the key of a URL to its variants, or over redirects to a response elsewhere. */
import type { Core } from './core.js';
import type { Asked } from './keep.js';
import { keptAlive } from './promises.js';
import { headerValue, type IndexEntry, type IndexRecord, type ResponseRecord } from './record/record.js';

/** A URL with more variants than this loses the oldest: a Vary on something random must not grow without bound. */
const MAX_VARIANTS = 100;

export function entryFor(record: ResponseRecord): IndexEntry {
  const entry: IndexEntry = { key: record.key, vary: record.vary, storedAt: record.responseTime };
  const etag = headerValue(record.headers, 'etag');
  if (etag !== undefined) entry.etag = etag;
  if (record.expiresAt !== undefined) entry.expiresAt = record.expiresAt;
  return entry;
}

/** Changes an index in turn, and on what is there now: other variants may have been stored meanwhile. */
export function changeIndex(
  core: Core,
  key: string,
  known: Asked['index'],
  lookedAt: number,
  change: (index: IndexRecord | undefined) => Promise<void>,
): Promise<void> {
  return core.indexing.take(key, async () => {
    const isKnown = known !== 'unread' && !core.indexed.hasHappenedSince(key, lookedAt);
    const record = isKnown ? known : (await keptAlive(core.entries.read(key)))?.record;
    await change(record?.kind === 'index' ? record : undefined);
    core.indexed.note(key, core.nextSequence());
  });
}

/** Replaces the entry for the same variant; drops what the newcomer makes unreachable and what is too much. */
export async function addToIndex(
  core: Core,
  key: string,
  url: string,
  index: IndexRecord | undefined,
  entry: IndexEntry,
): Promise<void> {
  const others =
    entry.vary.length === 0 ? [] : (index?.entries ?? []).filter((old) => !isSameVariant(old, entry));
  const entries = [entry, ...others].slice(0, MAX_VARIANTS);
  const kept = new Set(entries);
  core.entries.remove(
    (index?.entries ?? [])
      .filter((old) => !kept.has(old) && old.redirects === undefined && old.key !== entry.key)
      .map((old) => old.key),
  );
  await core.entries.write({ kind: 'index', key, url, createdAt: index?.createdAt ?? core.clock(), entries });
}

export function isSameVariant(a: IndexEntry, b: IndexEntry): boolean {
  if (a.key === b.key && a.redirects === undefined && b.redirects === undefined) return true;
  return (
    a.vary.length === b.vary.length &&
    a.vary.every(([name, digest], at) => b.vary[at]?.[0] === name && b.vary[at]?.[1] === digest)
  );
}

/** The variants of both; where they have the same, that of the first. */
export function mergedIndex(index: IndexRecord, other: IndexRecord): IndexRecord {
  const others = other.entries.filter((old) => !index.entries.some((entry) => isSameVariant(old, entry)));
  return { ...index, entries: [...index.entries, ...others] };
}

/** Keys of the responses that an index made, not of those it reaches over redirects. */
export function variantsOf(index: IndexRecord): string[] {
  return index.entries.filter(({ redirects }) => redirects === undefined).map(({ key }) => key);
}
