/** What one request says to the cache: its own options over the adapter's, validated. */
import type { InternalAxiosRequestConfig } from 'axios';
import type { CacheRequestConfig } from './axios.js';
import { CacheOptionError } from './errors.js';
import { assertExpireAfter, assertStaleLimit } from './policy/expiry.js';
import type { ExpiryLevels } from './policy/freshness.js';
import type { RequestView } from './policy/types.js';
import { effectiveAuthorization } from './request/credentials.js';
import type { CacheRequest } from './request/request.js';
import type { Settings } from './settings.js';

const FLAGS = ['refresh', 'forceRefresh', 'onlyIfCached', 'cache'] as const;

/** The request's own options. Own properties only: a polluted prototype is nobody's wish. Throws `CacheOptionError`. */
export function wishesOf(config: InternalAxiosRequestConfig): CacheRequestConfig {
  // Each of them own, else reading one that was not given would meet the prototype after all.
  const wishes: CacheRequestConfig = {
    expireAfter: undefined,
    refresh: undefined,
    forceRefresh: undefined,
    onlyIfCached: undefined,
    staleIfError: undefined,
    staleWhileRevalidate: undefined,
    cache: undefined,
  };
  if (Object.hasOwn(config, 'expireAfter')) {
    assertExpireAfter('expireAfter', config.expireAfter);
    wishes.expireAfter = config.expireAfter;
  }
  for (const name of ['staleIfError', 'staleWhileRevalidate'] as const) {
    const limit = Object.hasOwn(config, name) ? config[name] : undefined;
    if (limit === undefined || limit === null) continue;
    assertStaleLimit(name, limit);
    wishes[name] = limit;
  }
  for (const name of FLAGS) {
    const flag: unknown = Object.hasOwn(config, name) ? config[name] : undefined;
    if (flag === undefined || flag === null) continue;
    if (typeof flag !== 'boolean') throw new CacheOptionError(name, flag, 'allowed: true or false');
    wishes[name] = flag;
  }
  return wishes;
}

/** What the policy is to know of the request. */
export function viewOf(request: CacheRequest, wishes: CacheRequestConfig, isShared: boolean): RequestView {
  return {
    method: request.method,
    headers: isShared ? withAuthorization(request) : request.headers,
    refresh: wishes.refresh,
    forceRefresh: wishes.forceRefresh,
    onlyIfCached: wishes.onlyIfCached,
    staleIfError: wishes.staleIfError,
    staleWhileRevalidate: wishes.staleWhileRevalidate,
  };
}

/** A shared cache must know of credentials however they are sent (RFC 9111 3.5). */
function withAuthorization(request: CacheRequest): RequestView['headers'] {
  const authorization = effectiveAuthorization(request);
  return authorization === undefined ? request.headers : { ...request.headers, authorization };
}

export function expiryLevels(
  request: CacheRequest,
  wishes: CacheRequestConfig,
  settings: Settings,
): ExpiryLevels {
  const byUrl = settings.urlExpiry?.(request.url);
  return {
    request: wishes.expireAfter,
    url: byUrl?.expireAfter,
    adapter: settings.policy.cacheControl ? settings.givenExpireAfter : settings.expireAfter,
  };
}
