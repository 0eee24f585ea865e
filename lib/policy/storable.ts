import { type HeaderList, headerValue } from '../record/record.js';
import { requestDirectives, responseDirectives } from './cache-control.js';
import { explicitLifetime } from './freshness.js';
import { mayEverBeStale } from './stale.js';
import { isHeuristicallyCacheable, isUnderstood, isWholeResponse } from './status.js';
import type { PolicySettings, ReceivedView, RequestView } from './types.js';
import { hasValidator } from './validators.js';
import { varyNames } from './vary.js';

/** Why a response is not stored. */
export type NotStorableReason =
  | 'request-no-store'
  | 'range'
  | 'status'
  | 'vary-star'
  | 'no-store'
  | 'private'
  | 'must-understand'
  | 'authorization'
  | 'no-freshness'
  | 'never-reusable';

export type Storability =
  | { readonly storable: true }
  | { readonly storable: false; readonly reason: NotStorableReason };

const STORABLE: Storability = Object.freeze({ storable: true });

/** RFC 9111 3.1 with RFC 9110 7.6.1: fields of the connection, and of the proxy on it. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** What the cache itself goes by: an origin that names one of these in Connection or no-cache="..." is in error. */
const NEVER_DROPPED = new Set(['age', 'cache-control', 'cdn-cache-control', 'date', 'expires', 'vary']);

/** Whether the response may be stored. `expiresAt` is what `expirationOf` gave. */
export function isStorable(
  request: RequestView,
  received: ReceivedView,
  expiresAt: number | undefined,
  settings: PolicySettings,
): Storability {
  const reason = reasonNotToStore(request, received, expiresAt, settings);
  return reason === undefined ? STORABLE : { storable: false, reason };
}

/**
 * The headers as they are to be stored. With `cacheControl`: without those of the connection (RFC 9111 3.1), and those
 * that no-cache="..." or, in a shared cache, private="..." names (5.2.2.4, 5.2.2.7). Else, and where there is nothing
 * to leave out, the very list given.
 */
export function storableHeaders(headers: HeaderList, settings: PolicySettings): HeaderList {
  if (!settings.cacheControl) return headers;
  const named = namedFields(headers, settings.shared);
  const isDropped = ([field]: HeaderList[number]) => {
    const name = field.toLowerCase();
    return HOP_BY_HOP.has(name) || (named.has(name) && !NEVER_DROPPED.has(name));
  };
  return headers.some(isDropped) ? headers.filter((field) => !isDropped(field)) : headers;
}

function reasonNotToStore(
  request: RequestView,
  received: ReceivedView,
  expiresAt: number | undefined,
  settings: PolicySettings,
): NotStorableReason | undefined {
  if (requestDirectives(request.headers).noStore) return 'request-no-store';
  if (request.headers.range !== undefined) return 'range';
  if (!isWholeResponse(received.status)) return 'status';
  if (!isAllowedCode(received.status, settings)) return 'status';
  if (varyNames(received.headers) === '*') return 'vary-star';
  if (settings.cacheControl) {
    const reason = reasonOfRfc9111(request, received, settings);
    if (reason !== undefined) return reason;
  }
  if (hasValidator(received.headers)) return undefined;
  return isNeverReusable(request, received, expiresAt, settings) ? 'never-reusable' : undefined;
}

function isAllowedCode(status: number, { allowableCodes, cacheControl }: PolicySettings): boolean {
  return allowableCodes === undefined ? cacheControl || status === 200 : allowableCodes.has(status);
}

/** RFC 9111 3. The status codes that the user names are the user's to answer for. */
function reasonOfRfc9111(
  request: RequestView,
  received: ReceivedView,
  { shared, allowableCodes }: PolicySettings,
): NotStorableReason | undefined {
  const { headers, status } = received;
  const directives = responseDirectives(headers, shared);
  if (directives.mustUnderstand) {
    // 5.2.2.3: once understood, it puts the no-store that comes with it out of force.
    if (!isUnderstood(status)) return 'must-understand';
  } else if (directives.noStore) {
    return 'no-store';
  }
  if (shared) {
    if (directives.private === true) return 'private';
    // 3.5
    const isShareable = directives.mustRevalidate || directives.public || directives.sMaxage !== undefined;
    if (request.headers.authorization !== undefined && !isShareable) return 'authorization';
  }
  const isCacheable =
    allowableCodes !== undefined ||
    isHeuristicallyCacheable(status) ||
    directives.public ||
    (!shared && directives.private !== false) ||
    explicitLifetime(received, shared) !== undefined;
  return isCacheable ? undefined : 'no-freshness';
}

/** Without a validator: what is expired from the first moment, or has to be revalidated each time, is dead weight. */
function isNeverReusable(
  request: RequestView,
  received: ReceivedView,
  expiresAt: number | undefined,
  settings: PolicySettings,
): boolean {
  if (!settings.cacheControl) return expiresAt === received.responseTime;
  if (responseDirectives(received.headers, settings.shared).noCache === true) return true;
  if (mayEverBeStale(request, received, settings)) return false;
  // Equal, not at or before: `expireAfter: 0`; other moments in the past are stored as asked for.
  if (expiresAt === received.responseTime) return true;
  // max-age=0 and the like end up before responseTime when the response was old or slow on its way.
  const isPast = expiresAt !== undefined && expiresAt < received.responseTime;
  return isPast && explicitLifetime(received, settings.shared) === 0;
}

function namedFields(headers: HeaderList, shared: boolean): ReadonlySet<string> {
  const names = new Set<string>();
  for (const name of headerValue(headers, 'connection')?.split(',') ?? [])
    names.add(name.trim().toLowerCase());
  const directives = responseDirectives(headers, shared);
  for (const list of [directives.noCache, shared && directives.private]) {
    if (typeof list === 'boolean') continue;
    for (const name of list) names.add(name);
  }
  return names;
}
