import { type HeaderList, headerValue } from '../record/record.js';
import { originOf } from './age.js';
import { parseHttpDate } from './http-date.js';
import { storableHeaders } from './storable.js';
import type { PolicySettings, StoredView } from './types.js';
import { validatorsOf } from './validators.js';

/** RFC 9111 3.2, and what describes the stored bytes: a 304 has none, so it can't change what is said of them. */
const NOT_FRESHENED = new Set(['content-encoding', 'content-length', 'content-md5', 'content-range', 'etag']);

/** Origin-side preconditions: RFC 9111 4.3.2 keeps caches from evaluating them. */
const ORIGIN_CONDITIONS = ['if-match', 'if-unmodified-since', 'if-range'] as const;

/**
 * Of the message that brought them, and that was another (RFC 9111 5.1; RFC 9110 6.6.1: what comes without Date is dated
 * when it comes). An age counted from the old date would have the response stale for ever.
 */
const OF_ITS_MESSAGE = new Set(['age', 'date']);

/** Conditional request headers; both where the response has both (RFC 9110 13.1.3: If-None-Match wins at the origin). */
export interface ConditionalHeaders {
  'If-None-Match'?: string;
  'If-Modified-Since'?: string;
}

/**
 * The headers that ask the origin whether the stored response still holds (RFC 9111 4.3.1); undefined when it has no
 * validator.
 */
export function conditionalHeaders(stored: Pick<StoredView, 'headers'>): ConditionalHeaders | undefined {
  const { etag, lastModified } = validatorsOf(stored.headers);
  if (etag === undefined && lastModified === undefined) return undefined;
  const conditional: ConditionalHeaders = {};
  if (etag !== undefined) conditional['If-None-Match'] = etag;
  if (lastModified !== undefined) conditional['If-Modified-Since'] = lastModified;
  return conditional;
}

/**
 * The stored headers after a 304 (RFC 9111 3.2, 4.3.4): its fields replace those of the same name, save what can't be
 * stored and what describes the stored bytes. A new list; the given ones stay as they are.
 */
export function freshenHeaders(stored: HeaderList, update: HeaderList, settings: PolicySettings): HeaderList {
  const pending = new Map<string, HeaderList>();
  for (const field of storableHeaders(update, { ...settings, cacheControl: true })) {
    const name = field[0].toLowerCase();
    if (NOT_FRESHENED.has(name)) continue;
    const fields = pending.get(name);
    if (fields === undefined) pending.set(name, [field]);
    else fields.push(field);
  }
  const replaced = new Set<string>();
  const freshened: HeaderList = [];
  for (const field of stored) {
    const name = field[0].toLowerCase();
    const fields = pending.get(name);
    if (fields !== undefined) {
      freshened.push(...fields);
      pending.delete(name);
      replaced.add(name);
    } else if (!replaced.has(name) && !OF_ITS_MESSAGE.has(name)) {
      freshened.push(field);
    }
  }
  for (const fields of pending.values()) freshened.push(...fields);
  // The 304 may itself name fields that must not be kept.
  return storableHeaders(freshened, settings);
}

/** Whether the caller asks with a condition of its own that a cache may answer; `headers` by lower-case name. */
export function callerIsConditional(headers: Readonly<Record<string, string>>): boolean {
  return headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined;
}

/** Whether the caller's condition is for the origin alone: such a request goes past the cache. */
export function callerConditionIsForOrigin(headers: Readonly<Record<string, string>>): boolean {
  return ORIGIN_CONDITIONS.some((name) => headers[name] !== undefined);
}

/** Whether a fresh entry answers the caller's condition with 304 (RFC 9111 4.3.2); if not, it is served whole. */
export function answersCallersCondition(
  headers: Readonly<Record<string, string>>,
  stored: StoredView,
): boolean {
  // RFC 9110 13.2.1: conditions count only where the plain answer would be a success.
  if (stored.status < 200 || stored.status > 299) return false;
  const ifNoneMatch = headers['if-none-match'];
  // RFC 9110 13.1.3: with If-None-Match, If-Modified-Since is ignored.
  if (ifNoneMatch !== undefined) return matchesEtag(ifNoneMatch, stored.headers);
  const ifModifiedSince = parseHttpDate(headers['if-modified-since'], stored.responseTime);
  return ifModifiedSince !== undefined && lastChanged(stored) <= ifModifiedSince;
}

/** What describes the body, and so is of no use without it. */
const ABOUT_THE_BODY = new Set([
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-range',
  'content-type',
]);

/** The headers of a 304 that a cache gives (RFC 9110 15.4.5): Last-Modified only where no ETag says more. */
export function notModifiedHeaders(headers: HeaderList): HeaderList {
  const hasEtag = headerValue(headers, 'etag') !== undefined;
  return headers.filter(([field]) => {
    const name = field.toLowerCase();
    return !ABOUT_THE_BODY.has(name) && !(hasEtag && name === 'last-modified');
  });
}

const ENTITY_TAG = /(?:W\/)?"[^"]*"/g;
const STRICT_ENTITY_TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;

/** Whether the entity tag can stand in a list of them (RFC 9110 8.8.3); alone, it may be sent back as it came. */
export function isSendableEtag(etag: string): boolean {
  return STRICT_ENTITY_TAG.test(etag);
}

/** Whether it is of one representation only: a weak tag may be that of all variants (RFC 9110 8.8.1). */
export function isStrongEtag(etag: string): boolean {
  return isSendableEtag(etag) && !etag.startsWith('W/');
}

/** Weak comparison (RFC 9110 8.8.3.2). */
export function isSameEtag(a: string, b: string): boolean {
  return withoutWeakness(a) === withoutWeakness(b);
}

/** Weak comparison (RFC 9110 8.8.3.2). */
function matchesEtag(ifNoneMatch: string, headers: HeaderList): boolean {
  const list = ifNoneMatch.trim();
  if (list === '*') return true;
  const { etag } = validatorsOf(headers);
  if (etag === undefined) return false;
  return list === etag || (list.match(ENTITY_TAG) ?? []).some((tag) => isSameEtag(tag, etag));
}

function withoutWeakness(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag;
}

/** RFC 9111 4.3.2: Last-Modified, else Date, else when the response came. */
function lastChanged({ headers, responseTime }: StoredView): number {
  const lastModified = parseHttpDate(headerValue(headers, 'last-modified'), responseTime);
  return lastModified ?? originOf(headers, responseTime).date ?? responseTime;
}
