import { currentAge } from './age.js';
import { type RequestDirectives, requestDirectives, responseDirectives } from './cache-control.js';
import {
  forbidsStale,
  isFresh,
  isWithinStaleIfError,
  mayServeStaleWhileRevalidating,
  stalenessOf,
} from './stale.js';
import type { PolicySettings, RequestView, StoredView } from './types.js';
import { hasValidator } from './validators.js';

/** Why the origin is asked. */
export type ForwardReason =
  | 'miss'
  | 'force-refresh'
  | 'refresh'
  | 'always-revalidate'
  | 'request-no-store'
  | 'request-no-cache'
  | 'request-max-age'
  | 'request-min-fresh'
  | 'response-no-cache'
  | 'expired';

/** Why an expired response is served all the same. */
export type StaleReason = 'stale-while-revalidate' | 'stale-if-error' | 'max-stale';

/** What to do with one stored response, or none. */
export type Reuse =
  | { readonly action: 'serve'; readonly fresh: true }
  | {
      readonly action: 'serve';
      readonly fresh: false;
      readonly revalidateInBackground: boolean;
      readonly reason: StaleReason;
    }
  /** Ask the origin with the stored response's validators. */
  | { readonly action: 'revalidate'; readonly reason: ForwardReason }
  /** Ask the origin without condition. */
  | { readonly action: 'fetch'; readonly reason: ForwardReason }
  | { readonly action: 'gateway-timeout' };

const SERVE_FRESH: Reuse = Object.freeze({ action: 'serve', fresh: true });
const GATEWAY_TIMEOUT: Reuse = Object.freeze({ action: 'gateway-timeout' });

/** Decides for the stored response that the request selects (RFC 9111 4); `now` in ms. */
export function decideReuse(
  stored: StoredView | undefined,
  request: RequestView,
  settings: PolicySettings,
  now: number,
): Reuse {
  const directives = requestDirectives(request.headers);
  const isOffline = directives.onlyIfCached || (request.onlyIfCached ?? settings.onlyIfCached);
  if (stored === undefined) return isOffline ? GATEWAY_TIMEOUT : { action: 'fetch', reason: 'miss' };
  const reason = reasonToForward(stored, request, directives, settings, now);
  if (isOffline) return decideOffline(stored, request, directives, settings, now, reason);
  if (reason === undefined) return SERVE_FRESH;
  if (reason === 'force-refresh' || reason === 'request-no-store') return { action: 'fetch', reason };
  const action = hasValidator(stored.headers) ? 'revalidate' : 'fetch';
  if (reason === 'expired' && !(settings.alwaysRevalidate && action === 'revalidate')) {
    const served = serveStale(stored, request, directives, settings, now);
    if (served !== undefined) return served;
  }
  return { action, reason };
}

/** The `fwd` parameter of RFC 9211 for a reason; of `miss` only the caller knows whether it is `uri-miss` or `vary-miss`. */
export function forwardParameter(reason: ForwardReason): 'miss' | 'request' | 'stale' {
  switch (reason) {
    case 'miss':
      return 'miss';
    case 'expired':
    case 'response-no-cache':
      return 'stale';
    case 'force-refresh':
    case 'refresh':
    case 'always-revalidate':
    case 'request-no-store':
    case 'request-no-cache':
    case 'request-max-age':
    case 'request-min-fresh':
      return 'request';
    default:
      return reason satisfies never;
  }
}

/** Undefined: the stored response may be served as fresh. */
function reasonToForward(
  stored: StoredView,
  request: RequestView,
  directives: RequestDirectives,
  settings: PolicySettings,
  now: number,
): ForwardReason | undefined {
  if (request.forceRefresh === true) return 'force-refresh';
  if (directives.noStore) return 'request-no-store';
  if (directives.noCache) return 'request-no-cache';
  if (request.refresh === true) return 'refresh';
  if (settings.cacheControl && responseDirectives(stored.headers, settings.shared).noCache === true) {
    return 'response-no-cache';
  }
  if (!isFresh(stored, now)) return 'expired';
  if (directives.maxAge !== undefined && isOlderThan(directives.maxAge, stored, settings, now))
    return 'request-max-age';
  if (settings.cacheControl && directives.minFresh !== undefined && stored.expiresAt !== undefined) {
    if (stored.expiresAt - now < directives.minFresh * 1000) return 'request-min-fresh';
  }
  if (settings.alwaysRevalidate && hasValidator(stored.headers)) return 'always-revalidate';
  return undefined;
}

/** RFC 9111 5.2.1.1. `max-age=0` is a reload: never young enough, save RFC 8246's immutable, which a reload leaves alone. */
function isOlderThan(maxAge: number, stored: StoredView, settings: PolicySettings, now: number): boolean {
  if (maxAge === 0)
    return !settings.cacheControl || !responseDirectives(stored.headers, settings.shared).immutable;
  // Without cacheControl the origin's Date and Age are not gone by.
  const age = settings.cacheControl ? currentAge(stored, now) : (now - stored.responseTime) / 1000;
  return age > maxAge;
}

/** Of an expired response. */
function serveStale(
  stored: StoredView,
  request: RequestView,
  directives: RequestDirectives,
  settings: PolicySettings,
  now: number,
): Reuse | undefined {
  if (isWithinMaxStale(stored, directives, settings, now)) return stale('max-stale', false);
  // RFC 9111 5.2.1.1, 5.2.1.3: who asks for young or fresh responses does not want stale ones.
  if (directives.maxAge !== undefined || (settings.cacheControl && directives.minFresh !== undefined))
    return undefined;
  const isAllowed = mayServeStaleWhileRevalidating(stored, request, settings, now);
  return isAllowed ? stale('stale-while-revalidate', true) : undefined;
}

/** RFC 9111 5.2.1.2. */
function isWithinMaxStale(
  stored: StoredView,
  directives: RequestDirectives,
  settings: PolicySettings,
  now: number,
): boolean {
  const { maxAge, maxStale, minFresh } = directives;
  if (!settings.cacheControl || maxStale === undefined || minFresh !== undefined) return false;
  if (maxAge !== undefined && currentAge(stored, now) > maxAge) return false;
  if (forbidsStale(stored, settings)) return false;
  return maxStale === true || stalenessOf(stored, now) <= maxStale * 1000;
}

/**
 * RFC 9111 5.2.1.7: what is stored if it meets the request's other constraints, else 504. Nothing can be revalidated,
 * so `refresh`, `alwaysRevalidate` and `no-store` do not count; `forceRefresh` and `no-cache` are against using it.
 */
function decideOffline(
  stored: StoredView,
  request: RequestView,
  directives: RequestDirectives,
  settings: PolicySettings,
  now: number,
  reason: ForwardReason | undefined,
): Reuse {
  const constraint = reasonUnderConstraints(stored, directives, settings, now, reason);
  if (constraint === undefined) return SERVE_FRESH;
  if (constraint !== 'expired') return GATEWAY_TIMEOUT;
  const served = serveStale(stored, request, directives, settings, now);
  if (served?.action === 'serve' && !served.fresh) return stale(served.reason, false);
  // No origin can be asked: as good as one that fails.
  return directives.maxAge === undefined && isWithinStaleIfError(stored, request, settings, now)
    ? stale('stale-if-error', false)
    : GATEWAY_TIMEOUT;
}

const ABOUT_ASKING = new Set<ForwardReason | undefined>(['refresh', 'always-revalidate', 'request-no-store']);
const PLAIN: RequestView = Object.freeze({ method: 'GET', headers: Object.freeze({}) });

/** The reason, looking past those that only say that the origin be asked. */
function reasonUnderConstraints(
  stored: StoredView,
  directives: RequestDirectives,
  settings: PolicySettings,
  now: number,
  reason: ForwardReason | undefined,
): ForwardReason | undefined {
  if (!ABOUT_ASKING.has(reason)) return reason;
  const constraints = { ...directives, noStore: false };
  return reasonToForward(stored, PLAIN, constraints, { ...settings, alwaysRevalidate: false }, now);
}

function stale(reason: StaleReason, revalidateInBackground: boolean): Reuse {
  return { action: 'serve', fresh: false, revalidateInBackground, reason };
}
