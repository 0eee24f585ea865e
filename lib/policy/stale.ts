import { requestDirectives, responseDirectives } from './cache-control.js';
import { staleLimitMs } from './expiry.js';
import { isHeuristicallyCacheable } from './status.js';
import type { PolicySettings, ReceivedView, RequestView, StaleLimit, StoredView } from './types.js';

/** How asking the origin went wrong: no response at all, or one with this status. */
export type Failure = { readonly kind: 'network' } | { readonly kind: 'status'; readonly status: number };

/** ms since the entry expired; 0 while it is fresh. */
export function stalenessOf(stored: StoredView, now: number): number {
  return stored.expiresAt === undefined ? 0 : Math.max(0, now - stored.expiresAt);
}

export function isFresh(stored: StoredView, now: number): boolean {
  return stored.expiresAt === undefined || now < stored.expiresAt;
}

/** Whether the origin forbids that it be served stale, whatever the caller says (RFC 9111 4.2.4). */
export function forbidsStale(stored: StoredView, settings: PolicySettings): boolean {
  if (!settings.cacheControl) return false;
  const directives = responseDirectives(stored.headers, settings.shared);
  if (directives.mustRevalidate || directives.noCache === true) return true;
  return settings.shared && (directives.proxyRevalidate || directives.sMaxage !== undefined);
}

/** `staleIfError` and RFC 5861 4: whether the stored response stands in for a failure. */
export function mayServeStaleOnError(
  stored: StoredView,
  request: RequestView,
  failure: Failure,
  settings: PolicySettings,
  now: number,
): boolean {
  if (request.forceRefresh === true || !isFailure(failure, settings)) return false;
  const directives = requestDirectives(request.headers);
  if (directives.noCache || directives.noStore) return false;
  return isWithinStaleIfError(stored, request, settings, now);
}

/** Whether the stored response would stand in if the origin failed now. */
export function isWithinStaleIfError(
  stored: StoredView,
  request: RequestView,
  settings: PolicySettings,
  now: number,
): boolean {
  if (isForbidden(stored, settings, now)) return false;
  const option = request.staleIfError ?? settings.staleIfError;
  if (option !== false) return isWithin(option, stored, now);
  if (!settings.cacheControl || request.staleIfError === false) return false;
  const byResponse = responseDirectives(stored.headers, settings.shared).staleIfError ?? 0;
  const byRequest = requestDirectives(request.headers).staleIfError ?? 0;
  return isWithin(Math.max(byResponse, byRequest), stored, now);
}

/** `staleWhileRevalidate` and RFC 5861 3: whether the stale response is served while a new one is fetched. */
export function mayServeStaleWhileRevalidating(
  stored: StoredView,
  request: RequestView,
  settings: PolicySettings,
  now: number,
): boolean {
  const option = request.staleWhileRevalidate ?? settings.staleWhileRevalidate;
  if (option === false && (!settings.cacheControl || request.staleWhileRevalidate === false)) return false;
  if (isForbidden(stored, settings, now)) return false;
  const limit =
    option === false ? responseDirectives(stored.headers, settings.shared).staleWhileRevalidate : option;
  return limit !== undefined && isWithin(limit, stored, now);
}

/** RFC 5861: whether the response would ever be served although it has expired, by what it or the user says. */
export function mayEverBeStale(
  request: RequestView,
  received: ReceivedView,
  settings: PolicySettings,
): boolean {
  const { responseTime } = received;
  const stored = { ...received, createdAt: responseTime, expiresAt: responseTime };
  const now = responseTime + 1; // just past the end of its freshness, when the limits begin
  return (
    isWithinStaleIfError(stored, request, settings, now) ||
    mayServeStaleWhileRevalidating(stored, request, settings, now)
  );
}

/** A response that must be revalidated once stale may stand in while fresh; one with no-cache never. */
function isForbidden(stored: StoredView, settings: PolicySettings, now: number): boolean {
  if (!forbidsStale(stored, settings)) return false;
  return !isFresh(stored, now) || responseDirectives(stored.headers, settings.shared).noCache === true;
}

/** RFC 5861: up to and including the limit; a limit of 0 is none. */
function isWithin(limit: StaleLimit, stored: StoredView, now: number): boolean {
  const allowed = staleLimitMs(limit);
  return allowed > 0 && stalenessOf(stored, now) <= allowed;
}

/** 4xx and 5xx that are not themselves an answer to be kept. */
function isFailure(failure: Failure, { allowableCodes, cacheControl }: PolicySettings): boolean {
  if (failure.kind === 'network') return true;
  if (failure.status < 400) return false;
  if (allowableCodes !== undefined) return !allowableCodes.has(failure.status);
  // RFC 9111 decides what is kept: "404 Not Found" and its like are then answers.
  return !cacheControl || !isHeuristicallyCacheable(failure.status);
}
