/** What a 304 makes of the stored response that it confirmed. */
import type { Core } from './core.js';
import type { Received } from './forward.js';
import { addToIndex, changeIndex, entryFor, variantsOf } from './indexing.js';
import { type Asked, levelsOf, wasOutdatedSince } from './keep.js';
import { expirationOf } from './policy/freshness.js';
import { freshenHeaders } from './policy/revalidation.js';
import { isStorable } from './policy/storable.js';
import { varyNames } from './policy/vary.js';
import type { IndexEntry, ResponseRecord } from './record/record.js';
import { variantKey, varyPairs } from './request/vary.js';

/** A confirmed response, and why it was not stored as it is now, if it was not. */
export interface Freshened {
  record: ResponseRecord;
  reason: string | undefined;
}

/** A 304's news: the stored headers freshened (RFC 9111 4.3.4), the expiry fixed anew. */
export async function freshen(
  core: Core,
  asked: Asked,
  stored: ResponseRecord,
  received: Received,
): Promise<Freshened> {
  const { settings, view } = asked;
  const headers = freshenHeaders(stored.headers, received.headers, settings.policy);
  const { requestTime, responseTime } = received;
  const refreshed: ResponseRecord = { ...stored, headers, requestTime, responseTime };
  const whole = { status: stored.status, headers, requestTime, responseTime };
  const expiration = expirationOf(whole, levelsOf(asked, received), settings.policy);
  if (expiration.doNotCache) return { record: refreshed, reason: 'DO_NOT_CACHE' };
  delete refreshed.expiresAt;
  if (expiration.expiresAt !== undefined) refreshed.expiresAt = expiration.expiresAt;
  if (settings.readOnly) return { record: refreshed, reason: 'readOnly' };
  const names = varyNames(headers);
  if (names === '*' || (!variesAsBefore(stored, names) && received.chain.length > 1)) {
    // No request is sure to be like the one just answered; a redirect's aliases find it anew.
    core.entries.remove([stored.key]);
    return { record: refreshed, reason: 'Vary changed' };
  }
  const verdict = isStorable(view, whole, expiration.expiresAt, settings.policy);
  if (!verdict.storable) return { record: refreshed, reason: verdict.reason };
  // What a 304 confirmed before an unsafe request changed the URL, or before something newer came, holds no longer.
  if (wasOutdatedSince(core, refreshed, received.sequence))
    return { record: refreshed, reason: 'invalidated meanwhile' };
  if (core.stored.hasHappenedSince(stored.key, received.sequence))
    return { record: refreshed, reason: 'superseded meanwhile' };
  core.stored.note(stored.key, received.sequence);
  if (!variesAsBefore(stored, names))
    return { record: await move(core, asked, refreshed, names), reason: undefined };
  const isWritten = await core.entries.write(refreshed);
  if (isWritten) await redateIndex(core, asked, refreshed);
  return { record: refreshed, reason: isWritten ? undefined : 'store failed' };
}

function variesAsBefore({ vary }: ResponseRecord, names: readonly string[]): boolean {
  return vary.length === names.length && vary.every(([name]) => names.includes(name));
}

/** It varies on something else now, and answers requests like the one that brought the 304: that is another place. */
async function move(
  core: Core,
  asked: Asked,
  record: ResponseRecord,
  names: readonly string[],
): Promise<ResponseRecord> {
  const { key: primaryKey, index, lookedAt } = asked;
  const vary = varyPairs(names, asked.request, primaryKey);
  const key = vary.length === 0 ? primaryKey : variantKey(primaryKey, vary);
  const moved: ResponseRecord = { ...record, key, vary };
  await core.entries.write(moved);
  if (vary.length === 0) {
    if (index !== undefined && index !== 'unread') core.entries.remove(variantsOf(index));
    return moved;
  }
  // Where it was alone, the index takes its place.
  if (record.key !== primaryKey) core.entries.remove([record.key]);
  await changeIndex(core, primaryKey, index, lookedAt, (now) => {
    const others = now && { ...now, entries: now.entries.filter((entry) => entry.key !== record.key) };
    return addToIndex(core, primaryKey, record.request.url, others, entryFor(moved));
  });
  return moved;
}

/** An index must not expire before what it leads to. */
async function redateIndex(core: Core, asked: Asked, record: ResponseRecord): Promise<void> {
  const { key, index, lookedAt, settings } = asked;
  if (index === undefined || index === 'unread') return;
  await changeIndex(core, key, index, lookedAt, async (now) => {
    if (now === undefined) return;
    const entries = now.entries.map((entry) => {
      if (entry.key !== record.key) return entry;
      if (entry.redirects === undefined) return entryFor(record);
      // By RFC 9111 a redirect has a freshness of its own, else it lives as long as its target.
      return settings.policy.cacheControl ? entry : redated(entry, record.expiresAt);
    });
    await core.entries.write({ ...now, entries });
  });
}

function redated(entry: IndexEntry, expiresAt: number | undefined): IndexEntry {
  const { expiresAt: _, ...undated } = entry;
  return expiresAt === undefined ? undated : { ...undated, expiresAt };
}
