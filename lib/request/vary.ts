/** Variants of one primary key (RFC 9111 4.1): compared by digest, so that no header value is ever stored. */
import type { VaryPair } from '../record/record.js';
import { effectiveAuthorization } from './credentials.js';
import { part, sha256 } from './digest.js';
import { normalizeList } from './headers.js';
import type { CacheRequest } from './request.js';

/** One pair a header that Vary names: sorted, each name once, in lower case. */
export function varyPairs(names: readonly string[], request: CacheRequest, primaryKey: string): VaryPair[] {
  const unique = new Set(names.map((name) => name.trim().toLowerCase()));
  unique.delete('');
  return [...unique].sort().map((name) => [name, varyDigest(name, request, primaryKey)]);
}

/** Whether a stored response was chosen by header values that this request has too. `Vary: *` never matches. */
export function matchesVary(pairs: readonly VaryPair[], request: CacheRequest, primaryKey: string): boolean {
  for (const [name, digest] of pairs) {
    if (name === '*' || varyDigest(name, request, primaryKey) !== digest) return false;
  }
  return true;
}

/** The key under which a variant is stored. */
export function variantKey(primaryKey: string, pairs: readonly VaryPair[]): string {
  let text = `axios-stash/variant${part(primaryKey)}`;
  for (const [name, digest] of pairs) text += part(name) + part(digest);
  return sha256(text);
}

// Salted with the primary key: equal values in two entries can't be told to be equal from the store.
function varyDigest(name: string, request: CacheRequest, primaryKey: string): string {
  // What the adapter adds (user agent, accept-encoding) is in no snapshot: absent stands for that constant.
  const value = name === 'authorization' ? effectiveAuthorization(request) : request.headers[name];
  const normal = value === undefined ? undefined : normalizeList(value);
  return sha256(`axios-stash/vary${part(primaryKey)}${part(name)}${part(normal)}`);
}
