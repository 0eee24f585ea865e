/** From a stored or received response to what one caller gets. */
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { type AxiosHeaders, type CacheResponseFields, isTransformedByAxiosAlone } from './axios.js';
import type { Core } from './core.js';
import type { Landing } from './network.js';
import { ageHeader } from './policy/age.js';
import type { HeaderList, ResponseRecord, StoredMark } from './record/record.js';
import type { CacheRequest } from './request/request.js';
import { type BodySource, bodyFor, type Flavour } from './response/body.js';
import {
  assertContentLength,
  buildHeaders,
  emitDownloadProgress,
  emitUploadProgress,
  type RequestInfo,
  requestStandIn,
  settle,
  spareNormalizing,
} from './response/build.js';
import { bodyError } from './response/errors.js';
import { frozenData } from './response/frozen.js';
import { letGo } from './response/replay.js';
import { type CacheStatus, formatCacheStatus } from './response/status.js';
import type { Settings } from './settings.js';
import type { MaybePromise } from './stores/store.js';

/** The caller's side of a response: its config, and the settings its request began with. */
export interface Addressee {
  config: InternalAxiosRequestConfig;
  request: CacheRequest;
  settings: Settings;
  flavour: Flavour | undefined;
}

/** The cache's say about a response. */
export interface Verdict {
  fromCache: boolean;
  isExpired: boolean;
  revalidated: boolean;
  /** What is stored of it, or will be. */
  record: StoredMark | undefined;
  redirects: readonly string[];
  status: CacheStatus;
}

/** Puts the contract's fields on a response, and a `Cache-Status` header if one is wanted. */
export function mark(response: AxiosResponse, verdict: Verdict, settings: Settings): AxiosResponse {
  const { record } = verdict;
  const fields: CacheResponseFields = response;
  fields.fromCache = verdict.fromCache;
  fields.isExpired = verdict.isExpired;
  fields.revalidated = verdict.revalidated;
  fields.redirects = [...verdict.redirects];
  fields.cacheStatus = verdict.status;
  if (record !== undefined) tellOfRecord(fields, record);
  return tell(response, verdict, settings);
}

function tell(response: AxiosResponse, { status }: Verdict, settings: Settings): AxiosResponse {
  const name = settings.cacheStatusHeader;
  if (name === undefined) return response;
  const before = response.headers['cache-status'];
  const own = formatCacheStatus(name, status);
  response.headers['cache-status'] = before === undefined ? own : `${before}, ${own}`;
  return response;
}

/** Hands the response over, or throws what the caller's validateStatus makes of it. */
function finish(response: AxiosResponse): AxiosResponse {
  try {
    return settle(response);
  } catch (error) {
    letGo(response.data);
    throw error;
  }
}

/** Whole seconds until the record expires, rounded down so that what has expired is below 0; undefined: never. */
export function ttlOf(record: StoredMark, now: number): number | undefined {
  return record.expiresAt === undefined ? undefined : Math.floor((record.expiresAt - now) / 1000);
}

/** A response from what is stored. Throws or rejects as axios would when the caller's validateStatus says so. */
export function respondFromRecord(
  core: Core,
  to: Addressee,
  source: BodySource,
  verdict: Verdict & { record: ResponseRecord },
): MaybePromise<AxiosResponse> {
  const { config, settings } = to;
  const { record } = verdict;
  const flavour = to.flavour ?? record.flavour;
  const request = requestStandIn(requestInfo(to, record.url, verdict.redirects, record), flavour);
  const bytes = record.body.byteLength;
  assertContentLength(bytes, config, request, flavour);
  const headers = buildHeaders(record.headers, source);
  if (settings.policy.cacheControl && !verdict.revalidated)
    headers.set('age', ageHeader(record, core.clock()));
  emitUploadProgress(config, to.request.data);
  emitDownloadProgress(config, bytes, record.headers);
  const { status, statusText } = record;
  const response = answered(verdict, { status, statusText, headers, config, request });
  if (settings.frozen) response.data = frozenData(source, config);
  const filled =
    response.data === undefined ? fill(to, response, source, record.headers, flavour) : undefined;
  return filled === undefined
    ? handOver(core, response, verdict, settings, bytes)
    : handOverLate(core, response, verdict, settings, bytes, filled);
}

function handOver(
  core: Core,
  response: AxiosResponse,
  verdict: Verdict,
  settings: Settings,
  bytes: number,
): AxiosResponse {
  core.stats.bytesServed += bytes;
  tell(response, verdict, settings);
  if (isTransformedByAxiosAlone(response.config)) spareNormalizing(response.headers as AxiosHeaders);
  return finish(response);
}

async function handOverLate(
  core: Core,
  response: AxiosResponse,
  verdict: Verdict,
  settings: Settings,
  bytes: number,
  filled: Promise<void>,
): Promise<AxiosResponse> {
  await filled;
  return handOver(core, response, verdict, settings, bytes);
}

interface Head {
  status: number;
  statusText: string;
  headers: AxiosHeaders;
  config: InternalAxiosRequestConfig;
  request: unknown;
}

/** A response without its body. As `mark` would, but mostly in one piece: an object that grows field by field takes longer. */
function answered(verdict: Verdict, { status, statusText, headers, config, request }: Head): AxiosResponse {
  const { record } = verdict;
  const response: AxiosResponse = {
    data: undefined,
    status,
    statusText,
    headers,
    config,
    request,
    fromCache: verdict.fromCache,
    isExpired: verdict.isExpired,
    revalidated: verdict.revalidated,
    redirects: [...verdict.redirects],
    cacheStatus: verdict.status,
  };
  if (record !== undefined) tellOfRecord(response, record);
  return response;
}

/** Absent from a response that is not stored. */
function tellOfRecord(fields: CacheResponseFields, { key, createdAt, expiresAt }: StoredMark): void {
  fields.cacheKey = key;
  fields.createdAt = new Date(createdAt);
  if (expiresAt !== undefined) fields.expires = new Date(expiresAt);
}

function requestInfo(
  { config, request }: Addressee,
  finalUrl: string,
  redirects: readonly string[],
  { status, statusText, headers }: { status: number; statusText: string; headers: HeaderList },
): RequestInfo {
  const { method, url } = request;
  return { method, url, finalUrl, redirects, status, statusText, headers, requestHeaders: config.headers };
}

/** Puts the caller's own body on its response; a body that can't be decoded fails as it does in axios. */
function fill(
  { request: { method } }: Addressee,
  response: AxiosResponse,
  source: BodySource,
  headers: HeaderList,
  flavour: Flavour,
): Promise<void> | undefined {
  const { config, request, status } = response;
  const { responseType, responseEncoding } = config;
  try {
    const body = bodyFor(source, { responseType, responseEncoding, headers, status, method }, flavour, {
      config,
      request,
    });
    if (!(body instanceof Promise)) {
      response.data = body;
      return undefined;
    }
    return body.then(
      (late: unknown) => {
        response.data = late;
      },
      (error: unknown) => {
        throw bodyError(error, response, flavour);
      },
    );
  } catch (error) {
    throw bodyError(error, response, flavour);
  }
}

/** A response that just came from the network. `data` is given for a body that is handed on as it came. */
export async function respondFromNetwork(
  to: Addressee,
  landing: Pick<Landing, 'received' | 'source'>,
  verdict: Verdict,
): Promise<AxiosResponse> {
  const { received, source } = landing;
  const { config, settings } = to;
  const { status, statusText, request, data } = received;
  const { ownHeaders } = received;
  received.ownHeaders = undefined;
  const headers = ownHeaders ?? buildHeaders(received.headers, source);
  const response = answered(verdict, { status, statusText, headers, config, request });
  // Not before it is known to be handed on: an error of decoding carries the response, and the bytes are the store's.
  if (source === undefined) response.data = data;
  else {
    const flavour = to.flavour ?? (data instanceof ArrayBuffer ? 'fetch' : 'http');
    assertContentLength(source.body.byteLength, config, request as object | undefined, flavour);
    await fill(to, response, source, received.headers, flavour);
  }
  tell(response, verdict, settings);
  if (ownHeaders === undefined && isTransformedByAxiosAlone(config)) spareNormalizing(headers);
  return finish(response);
}

/** RFC 9111 5.2.1.7: what `only-if-cached` answers when nothing stored may. */
export async function respondGatewayTimeout(to: Addressee, status: CacheStatus): Promise<AxiosResponse> {
  const { config, settings } = to;
  const flavour = to.flavour ?? 'http';
  const head = { status: 504, statusText: 'Gateway Timeout', headers: [] };
  const request = requestStandIn(requestInfo(to, to.request.url, [], head), flavour);
  const response = { ...head, headers: buildHeaders([]), config, request } as unknown as AxiosResponse;
  await fill(to, response, { body: new Uint8Array(0), bodyType: 'bytes' }, [], flavour);
  const verdict = {
    fromCache: false,
    isExpired: false,
    revalidated: false,
    record: undefined,
    redirects: [],
    status,
  };
  return finish(mark(response, verdict, settings));
}
