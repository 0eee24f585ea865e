import { isUint8Array } from 'node:util/types';
import { CacheRecordError } from '../errors.js';
import type {
  HeaderList,
  IndexEntry,
  IndexRecord,
  ResponseRecord,
  StoredRequest,
  StoreRecord,
  VaryPair,
} from './record.js';

/**
 * A record built anew, field by field, from what a JSON text or a custom serializer gave; unknown fields are
 * dropped, so nothing in the data (`__proto__`, `toJSON`, getters) reaches the cache. Throws `CacheRecordError`.
 */
export function toRecord(value: unknown): StoreRecord {
  const data = asObject(value, 'record');
  if (data.kind === 'response') return toResponse(data);
  if (data.kind === 'index') return toIndex(data);
  return refuse('kind', "'response' or 'index'");
}

function toResponse(data: Record<string, unknown>): ResponseRecord {
  const record: ResponseRecord = {
    kind: 'response',
    key: asString(data.key, 'key'),
    request: toRequest(data.request),
    status: asStatus(data.status),
    statusText: asString(data.statusText, 'statusText'),
    headers: toHeaders(data.headers, 'headers'),
    url: asString(data.url, 'url'),
    redirects: asStrings(data.redirects, 'redirects'),
    createdAt: asMoment(data.createdAt, 'createdAt'),
    requestTime: asMoment(data.requestTime, 'requestTime'),
    responseTime: asMoment(data.responseTime, 'responseTime'),
    vary: toVary(data.vary, 'vary'),
    flavour: asOneOf(data.flavour, ['http', 'fetch'], 'flavour'),
    bodyType: asOneOf(data.bodyType, ['bytes', 'json'], 'bodyType'),
    body: asBytes(data.body),
  };
  if (data.expiresAt !== undefined) record.expiresAt = asMoment(data.expiresAt, 'expiresAt');
  return record;
}

function toRequest(value: unknown): StoredRequest {
  const data = asObject(value, 'request');
  const request: StoredRequest = {
    method: asString(data.method, 'request.method'),
    url: asString(data.url, 'request.url'),
    headers: toHeaders(data.headers, 'request.headers'),
  };
  if (data.data !== undefined) request.data = asString(data.data, 'request.data');
  if (data.opaque !== undefined) request.opaque = asTrue(data.opaque, 'request.opaque');
  return request;
}

function toIndex(data: Record<string, unknown>): IndexRecord {
  return {
    kind: 'index',
    key: asString(data.key, 'key'),
    url: asString(data.url, 'url'),
    createdAt: asMoment(data.createdAt, 'createdAt'),
    entries: Array.from(asArray(data.entries, 'entries'), toEntry),
  };
}

function toEntry(value: unknown): IndexEntry {
  const data = asObject(value, 'entries');
  const entry: IndexEntry = {
    key: asString(data.key, 'entries.key'),
    storedAt: asMoment(data.storedAt, 'entries.storedAt'),
    vary: toVary(data.vary, 'entries.vary'),
  };
  if (data.expiresAt !== undefined) entry.expiresAt = asMoment(data.expiresAt, 'entries.expiresAt');
  if (data.redirects !== undefined) entry.redirects = asStrings(data.redirects, 'entries.redirects');
  if (data.request !== undefined) entry.request = toRequest(data.request);
  if (data.etag !== undefined) entry.etag = asString(data.etag, 'entries.etag');
  return entry;
}

function toHeaders(value: unknown, field: string): HeaderList {
  return Array.from(asArray(value, field), (item) => {
    const [name, content] = asPair(item, field);
    return [
      asString(name, field),
      Array.isArray(content) ? asStrings(content, field) : asString(content, field),
    ];
  });
}

function toVary(value: unknown, field: string): VaryPair[] {
  return Array.from(asArray(value, field), (item) => {
    const [name, digest] = asPair(item, field);
    return [asString(name, field), asString(digest, field)];
  });
}

function asObject(value: unknown, field: string): Record<string, unknown> {
  return isObject(value) ? value : refuse(field, 'an object');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Go over it with `Array.from`: `map` would leave the holes of a sparse array unchecked. */
function asArray(value: unknown, field: string): unknown[] {
  return Array.isArray(value) ? value : refuse(field, 'an array');
}

function asPair(value: unknown, field: string): [unknown, unknown] {
  return Array.isArray(value) && value.length === 2 ? [value[0], value[1]] : refuse(field, 'a list of pairs');
}

function asString(value: unknown, field: string): string {
  return typeof value === 'string' ? value : refuse(field, 'a string');
}

function asTrue(value: unknown, field: string): true {
  return value === true ? value : refuse(field, 'true or absent');
}

function asStrings(value: unknown, field: string): string[] {
  return Array.from(asArray(value, field), (item) => asString(item, field));
}

function asMoment(value: unknown, field: string): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse(field, 'ms since the epoch');
}

function asStatus(value: unknown): number {
  const valid = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff;
  return valid ? value : refuse('status', 'an integer');
}

function asOneOf<T extends string>(value: unknown, allowed: readonly T[], field: string): T {
  return allowed.find((item) => item === value) ?? refuse(field, allowed.join(' or '));
}

function asBytes(value: unknown): Uint8Array {
  return isUint8Array(value) ? value : refuse('body', 'a Uint8Array');
}

/** Without the value: it may be a secret, or megabytes. */
function refuse(field: string, expected: string): never {
  throw new CacheRecordError(`The record's ${field} is not ${expected}`);
}
