/** Which stored response may answer a request: at most two reads, the second only over an index. */

import type { Caller } from './caller.js';
import type { Entries } from './entries.js';
import type { Loaded } from './hot.js';
import { keptAlive } from './promises.js';
import type { IndexEntry, IndexRecord, ResponseRecord } from './record/record.js';
import type { CacheRequest } from './request/request.js';
import { matchesVary } from './request/vary.js';

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

const NOTHING: Selection = { selected: undefined, miss: 'uri-miss', index: undefined };

export async function select(
  entries: Entries,
  request: CacheRequest,
  key: string,
  caller: Caller,
  /** With `cacheControl`: the moment against which redirects expire. Without, a redirect lives as long as its target. */
  redirectsExpireBy: number | undefined,
): Promise<Selection> {
  const read = entries.read(key);
  const loaded = read instanceof Promise ? await keptAlive(caller.wait(read)) : read;
  if (loaded === undefined) return NOTHING;
  const { record } = loaded;
  if (record.kind === 'response') {
    return { selected: { record, loaded, redirects: [] }, miss: 'uri-miss', index: undefined };
  }
  const entry = matchingEntry(record, request, redirectsExpireBy);
  if (entry === undefined) return { selected: undefined, miss: 'vary-miss', index: record };
  const second = entries.read(entry.key);
  const variant = second instanceof Promise ? await keptAlive(caller.wait(second)) : second;
  // The target of an index is a response; if the place has become an index itself, the chain must be walked anew.
  if (variant?.record.kind !== 'response') return { selected: undefined, miss: 'uri-miss', index: record };
  return {
    selected: { record: variant.record, loaded: variant, redirects: entry.redirects ?? [] },
    miss: 'uri-miss',
    index: record,
  };
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
    if (now !== undefined && entry.redirects !== undefined && (entry.expiresAt ?? now) <= now) continue;
    if (matchesVary(entry.vary, request, index.key)) best = entry;
  }
  return best;
}
