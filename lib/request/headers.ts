import { isFunction, isObject } from './own.js';

/** Request headers by lower-case name. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** Of names that most requests have: to look one up is quicker than to make it anew for each hit. */
const LOWER_CASE = new Map(
  ['Accept', 'Accept-Encoding', 'Authorization', 'Content-Type', 'User-Agent'].map((name) => [
    name,
    name.toLowerCase(),
  ]),
);

/** An object without prototype, in which reading a name stays fast, as from `Object.create(null)` it does not. */
const Fields = function Fields() {} as unknown as new () => Record<string, string>;
Fields.prototype = Object.create(null);

/**
 * A copy of the headers as they are now: the http adapter changes them in place (http.js: user agent, authorization).
 * Any copy of axios' AxiosHeaders, or a plain object, so no `instanceof`.
 */
export function snapshotHeaders(headers: unknown): RequestHeaders {
  const copy = new Fields();
  if (!isObject(headers)) return copy;
  const fields = fieldsOf(headers);
  // Two spellings of one name: the later wins, as in AxiosHeaders.normalize.
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (typeof value === 'string') copy[LOWER_CASE.get(name) ?? name.trim().toLowerCase()] = value;
    else if (value !== undefined && value !== null) snapshotOther(copy, name.trim().toLowerCase(), value);
  }
  return copy;
}

/** Sent with a value of its own where none is given (http.js): `false` is not the same as none. */
const DEFAULTED = new Set(['user-agent', 'accept-encoding']);

function snapshotOther(copy: Record<string, string>, name: string, value: unknown): void {
  if (value === false && DEFAULTED.has(name)) copy[name] = '';
  // Node joins these by a semicolon (_http_outgoing.js).
  else if (name === 'cookie' && Array.isArray(value)) copy[name] = value.map(headerText).join('; ');
  else {
    const text = headerText(value);
    if (text !== undefined) copy[name] = text;
  }
}

/** AxiosHeaders keeps its fields as own properties; its toJSON only leaves out what `headerText` does too. */
function fieldsOf(headers: object): Readonly<Record<string, unknown>> {
  if (Reflect.get(headers, Symbol.toStringTag) === 'AxiosHeaders') return headers as Record<string, unknown>;
  const toJSON: unknown = Reflect.get(headers, 'toJSON');
  const fields: unknown = isFunction(toJSON) ? toJSON.call(headers) : headers;
  return isObject(fields) ? (fields as Record<string, unknown>) : {};
}

/** The value of a field as one line; undefined for those that axios does not send. */
export function headerText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null || value === false) return undefined;
  if (Array.isArray(value)) {
    const texts = value.map(headerText).filter((text) => text !== undefined);
    return texts.length === 0 ? undefined : texts.join(', ');
  }
  return String(value);
}

/** Optional white space round commas and at the ends does not count (RFC 9110 5.6.1); order and case do. */
export function normalizeList(value: string): string {
  if (!value.includes(',')) return trimOws(value);
  return value.split(',').map(trimOws).join(',');
}

// By hand: `trim()` also takes characters that are no optional white space (RFC 9110 5.6.3), a regex is quadratic.
function trimOws(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isOws(value.charCodeAt(start))) start++;
  while (end > start && isOws(value.charCodeAt(end - 1))) end--;
  return start === 0 && end === value.length ? value : value.slice(start, end);
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
