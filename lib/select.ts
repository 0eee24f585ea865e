/** Which stored response may answer a request: at most two reads, the second only over an index. */

import type { Caller } from './caller.js';
import type { Entries } from './entries/entries.js';
import type { Loaded } from './entries/hot.js';
import { andThen, keptAlive } from './promises.js';
import type { IndexEntry, IndexRecord, ResponseRecord } from './record/record.js';
import { decidesRedirects } from './request/redirect.js';
import type { CacheRequest } from './request/request.js';
import { matchesVary } from './request/vary.js';
import type { MaybePromise } from './stores/store.js';

/** A stored response that matches the request, with what its hits share. */
export interface Selected {
  record: ResponseRecord;
  loaded: Loaded;
  /** The URLs that redirected on the way to it from the requested one. */
  redirects: readonly string[];
}

export interface Selection {
  selected: Selected | undefined;
  /** Why nothing was selected, in RFC 9211's words. */
  miss: 'uri-miss' | 'vary-miss';
  /** What the key holds besides; the next write to the key builds on it. */
  index: IndexRecord | undefined;
}

const NO_REDIRECTS: readonly string[] = [];
const NOTHING: Selection = { selected: undefined, miss: 'uri-miss', index: undefined };

export function select(
  entries: Entries,
  request: CacheRequest,
  key: string,
  caller: Caller,
  /** With `cacheControl`: the moment against which redirects expire. Without, a redirect lives as long as its target. */
  redirectsExpireBy: number | undefined,
): MaybePromise<Selection> {
  const loaded = read(entries, key, caller);
  return loaded instanceof Promise
    ? selectLate(entries, request, caller, redirectsExpireBy, loaded)
    : selectFrom(entries, request, caller, redirectsExpireBy, loaded);
}

async function selectLate(
  entries: Entries,
  request: CacheRequest,
  caller: Caller,
  redirectsExpireBy: number | undefined,
  loaded: Promise<Loaded | undefined>,
): Promise<Selection> {
  return selectFrom(entries, request, caller, redirectsExpireBy, await loaded);
}

function selectFrom(
  entries: Entries,
  request: CacheRequest,
  caller: Caller,
  redirectsExpireBy: number | undefined,
  loaded: Loaded | undefined,
): MaybePromise<Selection> {
  if (loaded === undefined) return NOTHING;
  const { record } = loaded;
  if (record.kind === 'response') {
    return { selected: { record, loaded, redirects: NO_REDIRECTS }, miss: 'uri-miss', index: undefined };
  }
  const entry = matchingEntry(record, request, redirectsExpireBy);
  if (entry === undefined) return { selected: undefined, miss: 'vary-miss', index: record };
  return selectVariant(record, entry, read(entries, entry.key, caller));
}

function selectVariant(
  index: IndexRecord,
  entry: IndexEntry,
  read: MaybePromise<Loaded | undefined>,
): MaybePromise<Selection> {
  return andThen(read, (variant): Selection => {
    // The target of an index is a response; if the place has become an index itself, the chain must be walked anew.
    if (variant?.record.kind !== 'response') return { selected: undefined, miss: 'uri-miss', index };
    const { record } = variant;
    const redirects = entry.redirects ?? NO_REDIRECTS;
    return { selected: { record, loaded: variant, redirects }, miss: 'uri-miss', index };
  });
}

function read(entries: Entries, key: string, caller: Caller): MaybePromise<Loaded | undefined> {
  const loaded = entries.read(key);
  return loaded instanceof Promise ? keptAlive(caller.wait(loaded)) : loaded;
}

/** RFC 9111 4.1: of those whose varied headers match, the latest. A redirect that may no longer be reused is none. */
export function matchingEntry(
  index: IndexRecord,
  request: CacheRequest,
  now: number | undefined,
): IndexEntry | undefined {
  let best: IndexEntry | undefined;
  for (const entry of index.entries) {
    if (best !== undefined && entry.storedAt <= best.storedAt) continue;
    if (entry.redirects !== undefined && decidesRedirects(request)) continue;
    if (now !== undefined && entry.redirects !== undefined && (entry.expiresAt ?? now) <= now) continue;
    if (matchesVary(entry.vary, request, index.key)) best = entry;
  }
  return best;
}
