import { headerValue } from '../record/record.js';
import { initialAge, originOf } from './age.js';
import { MAX_DELTA, responseDirectives } from './cache-control.js';
import { expiryMoment } from './expiry.js';
import { parseHttpDate } from './http-date.js';
import { isHeuristicallyCacheable } from './status.js';
import { DO_NOT_CACHE, type ExpireAfter, type PolicySettings, type ReceivedView } from './types.js';

/** What the user said about expiry, at each level; undefined or null where nothing was said. */
export interface ExpiryLevels {
  readonly request: ExpireAfter;
  /** Of the first URL pattern that matches. */
  readonly url: ExpireAfter;
  readonly adapter: ExpireAfter;
}

/** Which level decided; `none`: nothing was said, so it never expires, or with `cacheControl` is stale at once. */
export type ExpirationSource = 'request' | 'response' | 'url' | 'adapter' | 'heuristic' | 'none';

export type Expiration =
  /** `expiresAt` in ms since the epoch; undefined: never. */
  | { readonly doNotCache: false; readonly expiresAt: number | undefined; readonly source: ExpirationSource }
  | { readonly doNotCache: true };

const NOT_CACHED: Expiration = Object.freeze({ doNotCache: true });

/** RFC 9111 4.2.2: the fraction of the time since the last modification. */
const HEURISTIC_FRACTION = 0.1;

/** Whether the user wants the request past the cache both ways, whatever the response says. */
export function isDoNotCache(levels: ExpiryLevels): boolean {
  return (levels.request ?? levels.url ?? levels.adapter) === DO_NOT_CACHE;
}

/** When the response expires: fixed here, once, when it is stored or revalidated. */
export function expirationOf(
  received: ReceivedView,
  levels: ExpiryLevels,
  settings: PolicySettings,
): Expiration {
  if (isDoNotCache(levels)) return NOT_CACHED;
  const { request, url, adapter } = levels;
  if (isGiven(request)) return byUser(request, received, 'request');
  if (settings.cacheControl) {
    const lifetime = explicitLifetime(received, settings.shared);
    if (lifetime !== undefined) return byLifetime(lifetime, received, 'response');
  }
  if (isGiven(url)) return byUser(url, received, 'url');
  if (isGiven(adapter)) return byUser(adapter, received, 'adapter');
  if (!settings.cacheControl) return { doNotCache: false, expiresAt: undefined, source: 'none' };
  const lifetime = heuristicLifetime(received, settings.shared);
  if (lifetime !== undefined) return byLifetime(lifetime, received, 'heuristic');
  return { doNotCache: false, expiresAt: received.responseTime, source: 'none' };
}

/** Seconds for which the origin says the response is fresh (RFC 9111 4.2.1); undefined: it says nothing. */
export function explicitLifetime(received: ReceivedView, shared: boolean): number | undefined {
  const { headers, responseTime } = received;
  const directives = responseDirectives(headers, shared);
  if (shared && directives.sMaxage !== undefined) return directives.sMaxage;
  if (directives.maxAge !== undefined) return directives.maxAge;
  if (directives.targeted) return undefined;
  const expires = headerValue(headers, 'expires');
  if (expires === undefined) return undefined;
  const moment = parseHttpDate(expires, responseTime);
  // RFC 9111 5.3: an invalid date, "0" above all, is a time in the past.
  if (moment === undefined) return 0;
  const date = originOf(headers, responseTime).date ?? responseTime;
  return Math.min(MAX_DELTA, Math.max(0, (moment - date) / 1000));
}

/** Seconds, where RFC 9111 4.2.2 allows a guess and Last-Modified gives something to guess from. */
function heuristicLifetime(
  { headers, status, responseTime }: ReceivedView,
  shared: boolean,
): number | undefined {
  if (!isHeuristicallyCacheable(status) && !responseDirectives(headers, shared).public) return undefined;
  const lastModified = parseHttpDate(headerValue(headers, 'last-modified'), responseTime);
  if (lastModified === undefined) return undefined;
  const date = originOf(headers, responseTime).date ?? responseTime;
  return date > lastModified ? ((date - lastModified) / 1000) * HEURISTIC_FRACTION : undefined;
}

/** The moment at which the age reaches the lifetime (RFC 9111 4.2). */
function byLifetime(lifetime: number, received: ReceivedView, source: ExpirationSource): Expiration {
  const expiresAt = Math.round(received.responseTime + (lifetime - initialAge(received)) * 1000);
  return { doNotCache: false, expiresAt, source };
}

type Given = Exclude<ExpireAfter, typeof DO_NOT_CACHE | null | undefined>;

function byUser(expireAfter: Given, received: ReceivedView, source: ExpirationSource): Expiration {
  return { doNotCache: false, expiresAt: expiryMoment(expireAfter, received.responseTime), source };
}

function isGiven(value: ExpireAfter): value is Given {
  return value !== undefined && value !== null && value !== DO_NOT_CACHE;
}
