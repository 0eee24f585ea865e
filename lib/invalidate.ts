/** What an unsafe request makes outdated is removed. */
import type { Core } from './core.js';
import type { Received } from './forward.js';
import { invalidateGroups } from './groups.js';
import type { Asked } from './keep.js';
import { invalidatedUrls } from './policy/invalidation.js';
import { keptAlive } from './promises.js';
import { headersWithAuthorization } from './request/credentials.js';
import type { CacheRequest } from './request/request.js';
import { searchKey } from './search-rules.js';

/**
 * RFC 9111 4.4: after an unsafe request that did not fail, what is stored of its URL, and of `Location` and
 * `Content-Location` on the same origin, no longer holds.
 */
export async function invalidate(
  core: Core,
  asked: Pick<Asked, 'request' | 'settings'>,
  status: number,
  headers: Received['headers'],
): Promise<void> {
  const { request, settings } = asked;
  if (settings.readOnly) return;
  // Credentials make the same key however they are sent; here they are a header.
  const config = { ...request.config };
  delete config.auth;
  if (settings.policy.cacheControl) invalidateGroups(core, request, status, headers);
  for (const url of invalidatedUrls(request.method, request.url, status, headers)) {
    const redacted = settings.redactor.url(url);
    core.noteInvalidation(redacted);
    const keys = new Set<string>();
    for (const method of ['GET', 'HEAD']) {
      for (const sent of settings.keyer.withFewerSecrets(headersWithAuthorization(request))) {
        const read: CacheRequest = { method, url, headers: bodyless(sent), data: undefined, config };
        try {
          keys.add(await settings.keyer.keyOf(read));
          const alias = searchKey(core, read, settings);
          if (alias !== undefined) keys.add(alias);
        } catch {
          // An own key function that can't make a key of it has stored nothing under one either.
        }
      }
    }
    for (const key of core.plainKeysOf(redacted)) keys.add(key);
    for (const key of await core.entries.keysByUrl(redacted)) keys.add(key);
    await removeWithVariants(core, [...keys], redacted);
  }
}

async function removeWithVariants(core: Core, keys: string[], url: string): Promise<void> {
  const met = new Set<string>();
  // All at once: over a store that hangs the caller waits for one timeout, not for one a key.
  const found = await Promise.all(
    keys.map(async (key) => ({ key, loaded: await keptAlive(core.entries.read(key)) })),
  );
  for (const { key, loaded } of found) {
    if (loaded === undefined) continue;
    met.add(key);
    if (loaded.record.kind !== 'index') continue;
    for (const entry of loaded.record.entries) met.add(entry.key);
  }
  // Also what can't be read just now, for it may be readable again later.
  core.entries.remove([...new Set([...keys, ...met])]);
  for (const key of met) core.events.emit('invalidated', { key, url, reason: 'unsafe method' });
}

function bodyless(headers: CacheRequest['headers']): CacheRequest['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('content-')));
}
