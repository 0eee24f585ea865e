/** Asking the origin which of the stored variants answers a request that none was stored for (RFC 9111 4.1, 4.3.1). */
import type { Core } from './core.js';
import type { Received } from './forward.js';
import { type Asked, keep, planStorage } from './keep.js';
import { requestDirectives } from './policy/cache-control.js';
import { callerIsConditional, freshenHeaders, isSameEtag, isStrongEtag } from './policy/revalidation.js';
import { keptAlive } from './promises.js';
import { headerValue, type IndexEntry, type ResponseRecord } from './record/record.js';

/** More than this are not offered: the field has to fit into what origins take of headers. */
const MAX_OFFERED = 20;

/** The variants whose entity tags tell them apart, newest first; none where the request is not to be conditional. */
export function offeredVariants({ index, request, settings }: Asked): readonly IndexEntry[] {
  if (!settings.policy.cacheControl || index === undefined || index === 'unread') return [];
  if (request.method !== 'GET' || callerIsConditional(request.headers)) return [];
  if (requestDirectives(request.headers).noStore) return [];
  return index.entries
    .filter(({ etag, redirects }) => redirects === undefined && etag !== undefined && isStrongEtag(etag))
    .sort((a, b) => b.storedAt - a.storedAt)
    .slice(0, MAX_OFFERED);
}

export function offer(variants: readonly IndexEntry[]): Record<string, string> | undefined {
  if (variants.length === 0) return undefined;
  return { 'If-None-Match': [...new Set(variants.map(({ etag }) => etag))].join(', ') };
}

/** A stored variant that a 304 chose for a request, stored for it too; and why it was not, if it was not. */
export interface Adopted {
  record: ResponseRecord;
  reason: string | undefined;
}

/** Undefined: the 304 chose none, or none that is still there. It has to name the one it means (RFC 9110 15.4.5). */
export async function adopt(
  core: Core,
  asked: Asked,
  offered: readonly IndexEntry[],
  received: Received,
): Promise<Adopted | undefined> {
  const chosen = headerValue(received.headers, 'etag');
  if (chosen === undefined || received.chain.length > 1) return undefined;
  const entry = offered.find(({ etag }) => etag !== undefined && isSameEtag(etag, chosen));
  if (entry === undefined) return undefined;
  const variant = (await keptAlive(core.entries.read(entry.key)))?.record;
  if (variant?.kind !== 'response') return undefined;
  // It may have been replaced since the index was read.
  if (!isSameEtag(headerValue(variant.headers, 'etag') ?? '', chosen)) return undefined;

  const { status, statusText, body: bytes, bodyType, flavour } = variant;
  const headers = freshenHeaders(variant.headers, received.headers, asked.settings.policy);
  const whole: Received = { ...received, status, statusText, headers };
  const plan = planStorage(asked, whole);
  const kept = plan.store
    ? await keep(core, asked, whole, { bytes, bodyType, flavour }, plan.expiresAt)
    : { record: undefined, reason: plan.reason };
  if (kept.record !== undefined) return { record: kept.record, reason: undefined };
  const { requestTime, responseTime } = received;
  return {
    record: { ...variant, headers, requestTime, responseTime, expiresAt: responseTime },
    reason: kept.reason,
  };
}
