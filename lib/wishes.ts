/** What one request says to the cache: its own options over the adapter's, validated. */
import type { InternalAxiosRequestConfig } from 'axios';
import type { CacheRequestConfig } from './axios.js';
import { CacheOptionError } from './errors.js';
import { assertExpireAfter, assertStaleLimit } from './policy/expiry.js';
import type { ExpiryLevels } from './policy/freshness.js';
import type { RequestView } from './policy/types.js';
import { headersWithAuthorization } from './request/credentials.js';
import { own } from './request/own.js';
import type { CacheRequest } from './request/request.js';
import type { Settings } from './settings.js';

const LIMITS = ['staleIfError', 'staleWhileRevalidate'] as const;
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
  const expireAfter = own(config, 'expireAfter');
  if (expireAfter !== undefined) {
    assertExpireAfter('expireAfter', expireAfter);
    wishes.expireAfter = expireAfter;
  }
  for (const name of LIMITS) {
    const limit = own(config, name);
    if (limit === undefined || limit === null) continue;
    assertStaleLimit(name, limit);
    wishes[name] = limit;
  }
  for (const name of FLAGS) {
    const flag = own(config, name);
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
    // A shared cache must know of credentials however they are sent (RFC 9111 3.5).
    headers: isShared ? headersWithAuthorization(request) : request.headers,
    refresh: wishes.refresh,
    forceRefresh: wishes.forceRefresh,
    onlyIfCached: wishes.onlyIfCached,
    staleIfError: wishes.staleIfError,
    staleWhileRevalidate: wishes.staleWhileRevalidate,
  };
}

export function expiryLevels(
  request: CacheRequest,
  wishes: CacheRequestConfig,
  settings: Settings,
): ExpiryLevels {
  const { levels, urlExpiry } = settings;
  if (wishes.expireAfter === undefined && urlExpiry === undefined) return levels;
  return { request: wishes.expireAfter, url: urlExpiry?.(request.url)?.expireAfter, adapter: levels.adapter };
}

/** The same for a URL that a redirect led to: patterns are of URLs, and one of its own may forbid to keep it. */
export function hopLevels(levels: ExpiryLevels, hop: CacheRequest, { urlExpiry }: Settings): ExpiryLevels {
  return urlExpiry === undefined ? levels : { ...levels, url: urlExpiry(hop.url)?.expireAfter };
}
