/** The errors that axios' own adapters reject with, made for one caller. */
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { AxiosError, CanceledError } from '../axios.js';
import { copyBytes } from './bytes.js';
import { copyHeaders } from './headers.js';
import type { Flavour } from './types.js';

/** What http.js (createTimeoutError) rejects with when `config.timeout` has passed. */
export function timeoutError(config: InternalAxiosRequestConfig, request?: unknown): AxiosError {
  const message =
    config.timeoutErrorMessage ||
    (config.timeout ? `timeout of ${config.timeout}ms exceeded` : 'timeout exceeded');
  const code =
    config.transitional?.clarifyTimeoutError === true ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED;
  return new AxiosError(message, code, config, request);
}

/** What http.js rejects with when `config.signal` is aborted. */
export function canceledError(config: InternalAxiosRequestConfig, request?: unknown): AxiosError {
  return new CanceledError(undefined, config, request);
}

/**
 * What to reject with if the caller has already given up, else undefined. A cancelled token's own reason comes first,
 * as in axios' throwIfCancellationRequested.
 */
export function cancellationOf(config: InternalAxiosRequestConfig): unknown {
  const reason: unknown = config.cancelToken?.reason;
  if (reason) return reason;
  return config.signal?.aborted ? canceledError(config) : undefined;
}

/**
 * Calls `listener` once with the error to reject with, when the caller gives up (at once if it has). Returns what
 * unsubscribes; after the call, or after that, nothing is left on the signal and the token. `request`: for the error.
 */
export function onCancel(
  config: InternalAxiosRequestConfig,
  listener: (error: unknown) => void,
  request?: unknown,
): () => void {
  const { signal, cancelToken } = config;
  if (!signal && !cancelToken) return nothing;
  const given = cancellationOf(config);
  if (given !== undefined) {
    listener(given);
    return nothing;
  }
  const unsubscribe = () => {
    signal?.removeEventListener?.('abort', onAbort);
    cancelToken?.unsubscribe(onToken);
  };
  const onAbort = () => onToken(canceledError(config, request));
  const onToken = (error: unknown) => {
    unsubscribe();
    listener(error);
  };
  signal?.addEventListener?.('abort', onAbort);
  cancelToken?.subscribe(onToken);
  return unsubscribe;
}

function nothing(): void {}

/** What fetch.js (composeSignals) gives where http.js gives `error`: it tells of the signal's own reason. */
export function fetchCancellation(error: unknown, config: InternalAxiosRequestConfig): unknown {
  const { signal, cancelToken } = config;
  if (error === cancelToken?.reason || !signal || !('reason' in signal)) return error;
  const { reason } = signal;
  if (reason instanceof Error) return isAxiosError(reason) ? reason : new CanceledError(reason.message);
  return new CanceledError(reason as string | undefined);
}

/** What fetch.js rejects with where http.js would with `error`, since the caller's signal, token or timeout ended the wait. */
export function endedByFetch(error: unknown, config: InternalAxiosRequestConfig): unknown {
  const isTimeout = error !== config.cancelToken?.reason && isAxiosError(error) && !isCanceled(error);
  // composeSignals knows neither `timeoutErrorMessage` nor `clarifyTimeoutError`.
  const theirs = isTimeout
    ? new AxiosError(`timeout of ${config.timeout}ms exceeded`, AxiosError.ETIMEDOUT)
    : fetchCancellation(error, config);
  return isAxiosError(theirs) ? Object.assign(theirs, { config }) : theirs;
}

/** What the adapters reject with when a response's body exceeds `config.maxContentLength`. */
export function contentLengthError(config: InternalAxiosRequestConfig, request?: unknown): AxiosError {
  const message = `maxContentLength size of ${config.maxContentLength} exceeded`;
  return new AxiosError(message, AxiosError.ERR_BAD_RESPONSE, config, request);
}

/**
 * What the adapter would reject with had its own decoding of the body thrown `error` (an unknown `responseEncoding`,
 * a body that is no form): http.js has the response on the error, fetch.js has not.
 */
export function bodyError(error: unknown, response: AxiosResponse, flavour: Flavour): AxiosError {
  const { config, request } = response;
  return AxiosError.from(error, undefined, config, request, flavour === 'http' ? response : undefined);
}

/**
 * One flight's error for one of its callers: an axios error becomes a fresh one of the same class that differs only in
 * `config`, and whose response (if any) is the caller's own. What is no axios error passes through, the same to all:
 * nobody can copy an error of an unknown make and be sure that it still works.
 */
export function ownError(error: unknown, config: InternalAxiosRequestConfig): unknown {
  if (!isAxiosError(error)) return error;
  // A native error in the class's clothes: its constructor may want anything.
  const own: AxiosError = Object.setPrototypeOf(new Error(error.message), Object.getPrototypeOf(error));
  copyFields(error, own);
  own.config = config;
  if (error.response !== undefined) own.response = ownResponse(error.response, config);
  return own;
}

/** Whatever else an error carries (cause, name, stack, errno, custom fields), in the same manner it carries it. */
function copyFields(error: Error, own: Error): void {
  for (const name of Reflect.ownKeys(error)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(error, name);
    if (descriptor === undefined || REPLACED.has(name)) continue;
    Reflect.defineProperty(own, name, descriptor);
  }
  // V8 may keep the stack in an accessor bound to its error.
  if (error.stack !== undefined) own.stack = error.stack;
}

const REPLACED: ReadonlySet<PropertyKey> = new Set(['config', 'response', 'stack']);

function ownResponse(response: AxiosResponse, config: InternalAxiosRequestConfig): AxiosResponse {
  return { ...response, config, headers: copyHeaders(response.headers), data: ownData(response.data) };
}

/** dispatchRequest transforms the data of each caller's error, so they may not share what can be written to. */
function ownData(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data;
  if (Buffer.isBuffer(data)) return copyBytes(data);
  try {
    return structuredClone(data);
  } catch {
    return data; // a stream: there is only one
  }
}

/** By its mark: an inner adapter may use another copy of axios. */
function isAxiosError(error: unknown): error is AxiosError {
  return error instanceof Error && 'isAxiosError' in error && error.isAxiosError === true;
}

function isCanceled(error: AxiosError): boolean {
  return '__CANCEL__' in error && error.__CANCEL__ === true;
}
