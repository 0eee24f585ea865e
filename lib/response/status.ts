/** What the cache did with a request, and how RFC 9211 writes it. */

/** Why a request went forward to the origin (RFC 9211 2.2). */
export type ForwardReason = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale';

/**
 * The parameters of RFC 9211 as an object.
 * @example { hit: true, ttl: 3412, key: '9f86d081…' }
 * @example { hit: false, fwd: 'stale', fwdStatus: 304, stored: true }
 */
export interface CacheStatus {
  /** Whether the response came from the cache without the origin being asked. */
  hit: boolean;
  /** Why the origin was asked; absent on a hit. */
  fwd?: ForwardReason | undefined;
  /** The status that the origin answered with; differs from the response's after a 304. */
  fwdStatus?: number | undefined;
  /** Seconds that the response stays fresh; negative when it is stale. */
  ttl?: number | undefined;
  /** Whether the response was stored. */
  stored?: boolean | undefined;
  /** Whether the request shared another one's network call. */
  collapsed?: boolean | undefined;
  /** Key of the stored response. */
  key?: string | undefined;
  /** More for people; free text. */
  detail?: string | undefined;
}

/** RFC 8941 3.3.4, widened by the first-character rule; anything else must be a quoted string. */
const TOKEN = /^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/;
/** RFC 8941 3.3.3: a string is printable ASCII. */
const UNPRINTABLE = /[^\x20-\x7e]/gu;
const ESCAPED = /["\\]/g;
/** RFC 8941 3.3.1: fifteen digits. */
const MAX_INTEGER = 999_999_999_999_999;

/**
 * The value of a `Cache-Status` field.
 * @example formatCacheStatus('stash', { hit: true, ttl: 59.8 }) // 'stash; hit; ttl=59'
 */
export function formatCacheStatus(name: string, status: CacheStatus): string {
  let field = tokenOrString(name);
  // RFC 9211 2.2: fwd and hit exclude each other; having asked the origin is the stronger statement.
  if (status.hit && status.fwd === undefined) field += '; hit';
  if (status.fwd !== undefined) field += `; fwd=${status.fwd}`;
  field += integerParameter('fwd-status', status.fwdStatus);
  field += integerParameter('ttl', status.ttl);
  if (status.stored === true) field += '; stored';
  if (status.collapsed === true) field += '; collapsed';
  if (status.key !== undefined) field += `; key=${quoted(status.key)}`;
  if (status.detail !== undefined) field += `; detail=${tokenOrString(status.detail)}`;
  return field;
}

function integerParameter(name: string, value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '';
  // Down, so that 0.5 s past expiry is -1 and not fresh.
  return `; ${name}=${Math.min(MAX_INTEGER, Math.max(-MAX_INTEGER, Math.floor(value)))}`;
}

function tokenOrString(value: string): string {
  return TOKEN.test(value) ? value : quoted(value);
}

function quoted(value: string): string {
  const printable = value.replace(UNPRINTABLE, percentEncoded);
  return `"${printable.replace(ESCAPED, '\\$&')}"`;
}

function percentEncoded(character: string): string {
  return Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '%$&');
}
