/** The last steps before a response reaches its caller, as axios' adapters do them. */
import type { AxiosProgressEvent, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { AxiosError } from '../axios.js';
import { type HeaderList, headerValue } from '../record/record.js';
import { contentLengthError } from './errors.js';
import type { Flavour } from './types.js';

export { buildHeaders, spareNormalizing } from './headers.js';
export { attachRequest, type RequestInfo, requestStandIn } from './standin.js';

/** axios' core/settle.js: hands the response back, or throws what the caller's own `validateStatus` makes of it. */
export function settle(response: AxiosResponse): AxiosResponse {
  const { config, status } = response;
  // Own: a polluted Object.prototype must not decide.
  const validateStatus = Object.hasOwn(config, 'validateStatus') ? config.validateStatus : undefined;
  if (!status || !validateStatus || validateStatus(status)) return response;
  throw new AxiosError(
    `Request failed with status code ${status}`,
    status >= 400 && status < 500 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE,
    config,
    response.request,
    response,
  );
}

/**
 * Throws what the adapters reject with when a body of so many bytes exceeds `config.maxContentLength`. Not for
 * http's streams: they begin, and `bodyFor`'s fails at the limit as http.js' does.
 */
export function assertContentLength(
  bytes: number,
  config: InternalAxiosRequestConfig,
  request?: unknown,
  flavour: Flavour = 'http',
): void {
  const { maxContentLength } = config;
  if (maxContentLength === undefined || !(maxContentLength > -1) || bytes <= maxContentLength) return;
  if (flavour === 'http' && config.responseType === 'stream') return;
  throw contentLengthError(config, request);
}

/**
 * Throws what the adapters reject with, before they send it, when a request's body exceeds `config.maxBodyLength`: for
 * who gets a response that no request of its own brought. Of a FormData only what is in it counts, since what the
 * adapter would put between is not known here.
 */
export function assertBodyLength(data: unknown, config: InternalAxiosRequestConfig, flavour?: Flavour): void {
  if (!data || flavour === undefined || !Object.hasOwn(config, 'maxBodyLength')) return;
  const { maxBodyLength, method } = config;
  if (maxBodyLength === undefined || !(maxBodyLength > -1)) return;
  if (flavour === 'fetch' && /^(?:get|head)$/i.test(method ?? 'get')) return;
  if (bodyLength(data) <= maxBodyLength) return;
  throw new AxiosError('Request body larger than maxBodyLength limit', AxiosError.ERR_BAD_REQUEST, config);
}

function bodyLength(data: unknown): number {
  if (typeof data === 'string') return Buffer.byteLength(data);
  if (typeof data !== 'object' || data === null) return 0;
  if ('byteLength' in data) return Number(data.byteLength);
  if (data instanceof Blob) return data.size;
  if (data instanceof FormData)
    return [...data].reduce((sum, [name, value]) => sum + bodyLength(name) + bodyLength(value), 0);
  // form-data, all of it in memory.
  return 'getLengthSync' in data && typeof data.getLengthSync === 'function'
    ? Number(data.getLengthSync())
    : 0;
}

/**
 * Tells `config.onDownloadProgress` of the whole body in one event, with the fields of axios' progressEventReducer;
 * as on the network an empty body has none. In a microtask, so before the response; a listener that throws is an
 * uncaught exception and no failed request, both as in axios.
 */
export function emitDownloadProgress(
  config: InternalAxiosRequestConfig,
  bytes: number,
  headers: HeaderList,
): void {
  const listener = Object.hasOwn(config, 'onDownloadProgress') ? config.onDownloadProgress : undefined;
  if (listener === undefined || listener === null || bytes === 0) return;
  const total = finiteNumber(headerValue(headers, 'content-length'));
  const event = progressEvent('download', bytes, total);
  queueMicrotask(() => listener(event));
}

/** Tells `config.onUploadProgress` of a body that need not be sent. None of a form: its length is the adapter's to know. */
export function emitUploadProgress(config: InternalAxiosRequestConfig, data: unknown): void {
  const listener = Object.hasOwn(config, 'onUploadProgress') ? config.onUploadProgress : undefined;
  if (listener === undefined || listener === null || isForm(data)) return;
  const bytes = bodyLength(data);
  if (bytes === 0) return;
  const event = progressEvent('upload', bytes, bytes);
  queueMicrotask(() => listener(event));
}

function isForm(data: unknown): boolean {
  return data instanceof FormData || (typeof data === 'object' && data !== null && 'getLengthSync' in data);
}

/** `total` may be of the encoded body, `bytes` are decoded: axios caps the one by the other. */
function progressEvent(
  direction: 'download' | 'upload',
  bytes: number,
  total: number | undefined,
): AxiosProgressEvent {
  const lengthComputable = total !== undefined;
  const loaded = total === undefined ? bytes : Math.min(bytes, total);
  const event: { [Field in keyof AxiosProgressEvent]: unknown } = {
    loaded,
    total,
    progress: total ? loaded / total : undefined,
    bytes: loaded,
    rate: undefined,
    estimated: undefined,
    event: { lengthComputable, total, loaded },
    lengthComputable,
    [direction]: true,
  };
  // axios too sets fields to undefined, which its type does not say.
  return event as AxiosProgressEvent & typeof event;
}

function finiteNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
