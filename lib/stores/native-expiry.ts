import { CacheOptionError } from '../errors.js';

/** Seconds for which an expired entry stays, so that it can be revalidated or served stale. */
export const DEFAULT_TTL_OFFSET = 3600;

/** The option `ttlOffset` in milliseconds, checked. */
export function ttlOffsetOf(ttlOffset: unknown): number {
  if (ttlOffset === undefined) return DEFAULT_TTL_OFFSET * 1000;
  if (typeof ttlOffset !== 'number' || !(ttlOffset >= 0) || ttlOffset > 1e11) {
    throw new CacheOptionError('ttlOffset', ttlOffset, 'allowed: a number of seconds, 0 or more');
  }
  return ttlOffset * 1000;
}

/**
 * In how many milliseconds, at least 1, the store may drop an entry by itself: `offset` after its expiry, or after
 * now when it is expired already. Undefined: never.
 */
export function lifetimeOf(
  expiresAt: number | undefined,
  offset: number,
  now = Date.now(),
): number | undefined {
  if (expiresAt === undefined || !Number.isFinite(expiresAt)) return undefined;
  return Math.max(1, Math.ceil(Math.max(expiresAt - now, 0) + offset));
}
