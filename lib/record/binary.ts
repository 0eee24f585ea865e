import { CacheRecordError } from '../errors.js';
import { MetaReader, MetaWriter } from './meta.js';
import type {
  HeaderList,
  IndexEntry,
  IndexRecord,
  ResponseRecord,
  StoredRequest,
  StoreRecord,
  VaryPair,
} from './record.js';

/* The fields of a record in the order of the binary format. Changing anything here is a new format version. */

const RESPONSE = 1;
const INDEX = 2;
const EXPIRES = 1;
const FETCH = 2;
const JSON_BODY = 4;
const REDIRECTS = 2;
const ETAG = 4;
const REQUEST = 8;
const DATA = 1;
const OPAQUE = 2;
const NO_BODY = new Uint8Array(0);

/** The record's bytes behind `reserve` free ones (for the envelope's header), in one allocation. */
export function encodeBinary(record: StoreRecord, reserve: number): Buffer {
  const meta = new MetaWriter();
  switch (record.kind) {
    case 'response':
      writeResponse(meta, record);
      return meta.finish(reserve, record.body);
    case 'index':
      writeIndex(meta, record);
      return meta.finish(reserve, NO_BODY);
    default:
      throw new CacheRecordError('The record is of no known kind');
  }
}

/** The body of the result is a view on `bytes`. */
export function decodeBinary(bytes: Buffer): StoreRecord {
  const meta = new MetaReader(bytes);
  const kind = meta.number();
  if (kind === RESPONSE) return readResponse(meta);
  if (kind === INDEX) return readIndex(meta);
  throw new CacheRecordError(`The record is of an unknown kind (${kind})`);
}

function writeResponse(meta: MetaWriter, record: ResponseRecord): void {
  const { request, expiresAt } = record;
  meta.number(RESPONSE);
  meta.number(
    (expiresAt === undefined ? 0 : EXPIRES) +
      (record.flavour === 'fetch' ? FETCH : 0) +
      (record.bodyType === 'json' ? JSON_BODY : 0),
  );
  meta.number(record.status);
  meta.moment(record.createdAt);
  meta.moment(record.requestTime);
  meta.moment(record.responseTime);
  if (expiresAt !== undefined) meta.moment(expiresAt);
  meta.string(record.key);
  meta.string(record.statusText);
  meta.string(record.url);
  writeHeaders(meta, record.headers);
  writeStrings(meta, record.redirects);
  writeVary(meta, record.vary);
  writeRequest(meta, request);
}

function readResponse(meta: MetaReader): ResponseRecord {
  const flags = readFlags(meta, EXPIRES | FETCH | JSON_BODY);
  const status = meta.number();
  const createdAt = meta.moment();
  const requestTime = meta.moment();
  const responseTime = meta.moment();
  const expiresAt = flags & EXPIRES ? meta.moment() : undefined;
  const key = meta.string();
  const statusText = meta.string();
  const url = meta.string();
  const headers = readHeaders(meta);
  const redirects = readStrings(meta);
  const vary = readVary(meta);
  const record: ResponseRecord = {
    kind: 'response',
    key,
    request: readRequest(meta),
    status,
    statusText,
    headers,
    url,
    redirects,
    createdAt,
    requestTime,
    responseTime,
    vary,
    flavour: flags & FETCH ? 'fetch' : 'http',
    bodyType: flags & JSON_BODY ? 'json' : 'bytes',
    body: meta.body(),
  };
  if (expiresAt !== undefined) record.expiresAt = expiresAt;
  return record;
}

function writeRequest(meta: MetaWriter, request: StoredRequest): void {
  meta.string(request.method);
  meta.string(request.url);
  writeHeaders(meta, request.headers);
  meta.number((request.data === undefined ? 0 : DATA) + (request.opaque === true ? OPAQUE : 0));
  if (request.data !== undefined) meta.string(request.data);
}

function readRequest(meta: MetaReader): StoredRequest {
  const request: StoredRequest = { method: meta.string(), url: meta.string(), headers: readHeaders(meta) };
  const flags = readFlags(meta, DATA | OPAQUE);
  if (flags & DATA) request.data = meta.string();
  if (flags & OPAQUE) request.opaque = true;
  return request;
}

function writeIndex(meta: MetaWriter, record: IndexRecord): void {
  meta.number(INDEX);
  meta.moment(record.createdAt);
  meta.string(record.key);
  meta.string(record.url);
  meta.number(record.entries.length);
  for (const entry of record.entries) writeEntry(meta, entry);
}

function readIndex(meta: MetaReader): IndexRecord {
  const createdAt = meta.moment();
  const key = meta.string();
  const url = meta.string();
  const entries: IndexEntry[] = [];
  for (let left = meta.count(); left > 0; left--) entries.push(readEntry(meta));
  if (meta.body().length > 0) throw new CacheRecordError('The record is malformed: an index has no body');
  return { kind: 'index', key, url, createdAt, entries };
}

function writeEntry(meta: MetaWriter, entry: IndexEntry): void {
  const { redirects, request, etag, expiresAt } = entry;
  meta.number(
    (expiresAt === undefined ? 0 : EXPIRES) +
      (redirects === undefined ? 0 : REDIRECTS) +
      (etag === undefined ? 0 : ETAG) +
      (request === undefined ? 0 : REQUEST),
  );
  meta.string(entry.key);
  meta.moment(entry.storedAt);
  writeVary(meta, entry.vary);
  if (expiresAt !== undefined) meta.moment(expiresAt);
  if (redirects !== undefined) writeStrings(meta, redirects);
  if (etag !== undefined) meta.string(etag);
  if (request !== undefined) writeRequest(meta, request);
}

function readEntry(meta: MetaReader): IndexEntry {
  const flags = readFlags(meta, EXPIRES | REDIRECTS | ETAG | REQUEST);
  const entry: IndexEntry = { key: meta.string(), storedAt: meta.moment(), vary: readVary(meta) };
  if (flags & EXPIRES) entry.expiresAt = meta.moment();
  if (flags & REDIRECTS) entry.redirects = readStrings(meta);
  if (flags & ETAG) entry.etag = meta.string();
  if (flags & REQUEST) entry.request = readRequest(meta);
  return entry;
}

/** A value is a string (0), or an array of n strings (n + 1). */
function writeHeaders(meta: MetaWriter, headers: HeaderList): void {
  meta.number(headers.length);
  for (const [name, value] of headers) {
    meta.string(name);
    if (typeof value === 'string') {
      meta.number(0);
      meta.string(value);
    } else {
      meta.number(value.length + 1);
      for (const item of value) meta.string(item);
    }
  }
}

function readHeaders(meta: MetaReader): HeaderList {
  const headers: HeaderList = [];
  for (let left = meta.count(); left > 0; left--) {
    const name = meta.string();
    const length = meta.number();
    headers.push([name, length === 0 ? meta.string() : readItems(meta, length - 1)]);
  }
  return headers;
}

function writeStrings(meta: MetaWriter, items: readonly string[]): void {
  meta.number(items.length);
  for (const item of items) meta.string(item);
}

function readStrings(meta: MetaReader): string[] {
  return readItems(meta, meta.count());
}

/** A hostile length ends at the first missing byte: `string` throws there. */
function readItems(meta: MetaReader, length: number): string[] {
  const items: string[] = [];
  for (let left = length; left > 0; left--) items.push(meta.string());
  return items;
}

function writeVary(meta: MetaWriter, vary: readonly VaryPair[]): void {
  meta.number(vary.length);
  for (const [name, digest] of vary) {
    meta.string(name);
    meta.string(digest);
  }
}

function readVary(meta: MetaReader): VaryPair[] {
  const vary: VaryPair[] = [];
  for (let left = meta.count(); left > 0; left--) vary.push([meta.string(), meta.string()]);
  return vary;
}

function readFlags(meta: MetaReader, known: number): number {
  const flags = meta.number();
  if ((flags & ~known) !== 0) throw new CacheRecordError('The record is malformed: unknown flags');
  return flags;
}
