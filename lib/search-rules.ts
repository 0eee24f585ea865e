/** No-Vary-Search: a second key for responses that do not vary on all of the query, beside that of their own URL. */
import type { Core } from './core.js';
import { addToIndex, changeIndex } from './indexing.js';
import type { Asked } from './keep.js';
import { parseUrl } from './parse-url.js';
import { type SearchVariance, searchVariance, withoutIgnored } from './policy/search.js';
import type { ResponseRecord } from './record/record.js';
import { part, sha256 } from './request/digest.js';
import type { CacheRequest } from './request/request.js';
import { varyPairs } from './request/vary.js';

const PROBE = 'http://localhost/?';

/** More paths than this are not remembered. */
const MAX_PATHS = 1000;

/**
 * What the newest response of a path said. Kept in memory only: a store is asked for a key, and which one that is has to
 * be known before; what is forgotten costs a request, and is learnt from it again.
 */
export class SearchRules {
  readonly #rules = new Map<string, SearchVariance>();

  /** Asked on each miss. */
  get isEmpty(): boolean {
    return this.#rules.size === 0;
  }

  note(url: string, variance: SearchVariance): void {
    const path = pathOf(url);
    if (path === undefined) return;
    this.#rules.delete(path);
    this.#rules.set(path, variance);
    if (this.#rules.size <= MAX_PATHS) return;
    for (const oldest of this.#rules.keys()) {
      this.#rules.delete(oldest);
      return;
    }
  }

  of(url: string): SearchVariance | undefined {
    const path = pathOf(url);
    return path === undefined ? undefined : this.#rules.get(path);
  }
}

function pathOf(url: string): string | undefined {
  const parsed = parseUrl(url);
  return parsed && `${parsed.origin}${parsed.pathname}`;
}

/**
 * The key that all URLs share which the path's newest rule takes for one; undefined where there is no rule, or where the
 * user's own function makes the keys. The rule is part of it: under another rule other URLs are one.
 */
export function searchKey(
  core: Core,
  request: CacheRequest,
  settings: Asked['settings'],
): string | undefined {
  const variance = core.searchRules.isEmpty ? undefined : core.searchRules.of(request.url);
  if (variance === undefined || settings.keyer.plainKeyOf('GET', request.url) === undefined) return undefined;
  // One user never gets another's response, not even where the origin takes their tokens for nothing.
  const isSecret = (piece: string): boolean => settings.redactor.url(PROBE + piece) !== PROBE + piece;
  const key = settings.keyer.keyOf({ ...request, url: withoutIgnored(request.url, variance, isSecret) });
  // A body of Blobs alone is read later; such a request goes by its own URL.
  if (key instanceof Promise) {
    key.catch(() => {});
    return undefined;
  }
  return sha256(`axios-stash/search${part(key)}${part(variance.kind)}${variance.names.map(part).join('')}`);
}

/** Learns what a stored response says of its query, and has the URLs that are one by that lead to it. */
export async function keepSearchAlias(
  core: Core,
  asked: Asked,
  record: ResponseRecord,
  names: readonly string[],
): Promise<void> {
  const { request, settings } = asked;
  const variance = searchVariance(record.headers);
  if (variance === undefined) return;
  core.searchRules.note(request.url, variance);
  const key = searchKey(core, request, settings);
  if (key === undefined) return;
  // Reached over no redirect, yet an alias: it neither owns the response nor counts as a variant.
  const entry = {
    key: record.key,
    vary: varyPairs(names, request, key),
    redirects: [],
    storedAt: record.responseTime,
  };
  await changeIndex(core, key, 'unread', asked.lookedAt, (index) =>
    addToIndex(core, key, record.request.url, index, {
      ...entry,
      ...(record.expiresAt !== undefined && { expiresAt: record.expiresAt }),
    }),
  );
}
