/** Kept bytes -> the `data` that axios' http or fetch adapter would have handed this caller. */
import type { InternalAxiosRequestConfig } from 'axios';
import { headerValue, type ResponseRecord } from '../record/record.js';
import { asBuffer, copyBytes, decodeUtf8 } from './bytes.js';
import { replayReadable, replayWebStream } from './replay.js';
import type { BodySource, Flavour } from './types.js';

export type { BodySource, Flavour } from './types.js';

/** A stored or just received response's body, ready to be handed out. */
export function bodySource(
  record: Pick<ResponseRecord, 'body' | 'bodyType' | 'headers' | 'status'> & { request: { method: string } },
): BodySource {
  const source: BodySource = { body: record.body, bodyType: record.bodyType };
  const contentType = headerValue(record.headers, 'content-type');
  if (contentType !== undefined) source.contentType = contentType;
  if (hasNoBody(record.request.method, record.status)) source.absent = true;
  return source;
}

/** Fetch's "null body status", and HEAD. */
function hasNoBody(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 205 || status === 304;
}

/**
 * The caller's own `data`: nothing in it is shared with the cache or with another caller. A promise only for the
 * fetch flavour's `blob` and `formdata`. Throws (or rejects with) what the decoder throws; `bodyError` makes of that
 * what axios would reject with. A stream goes on obeying the config's signal, token and limit; `request` is for the
 * errors it then ends with.
 */
export function bodyFor(
  source: BodySource,
  config: InternalAxiosRequestConfig,
  flavour: Flavour,
  request?: unknown,
): unknown {
  if (source.bodyType === 'json') return JSON.parse(textOf(source));
  return flavour === 'http' ? httpBody(source, config, request) : fetchBody(source, config, request);
}

/** http.js knows two types by their exact names; all others are text. */
function httpBody(source: BodySource, config: InternalAxiosRequestConfig, request: unknown): unknown {
  const { responseType, responseEncoding } = config;
  if (responseType === 'arraybuffer') return source.owned ? asBuffer(source.body) : copyBytes(source.body);
  if (responseType === 'stream') return replayReadable(source, config, request);
  if (!responseEncoding || responseEncoding === 'utf8') return textOf(source);
  // Only for these two does axios strip the BOM. It takes any string here, and an unknown one throws, there as here.
  return asBuffer(source.body).toString(responseEncoding as BufferEncoding);
}

/** fetch.js looks the type up among Response's methods regardless of case; what it does not find is text. */
function fetchBody(source: BodySource, config: InternalAxiosRequestConfig, request: unknown): unknown {
  switch (String(config.responseType ?? '').toLowerCase()) {
    case 'arraybuffer':
      return ownArrayBuffer(source);
    case 'blob':
      return asResponse(source).blob();
    case 'formdata':
      return asResponse(source).formData();
    case 'stream':
      return source.absent ? null : replayWebStream(source, config, request);
    default:
      return textOf(source);
  }
}

/** The body as UTF-8 text without BOM, decoded once. */
export function textOf(source: BodySource): string {
  source.text ??= decodeUtf8(source.body);
  return source.text;
}

function ownArrayBuffer({ body, owned }: BodySource): ArrayBufferLike {
  if (owned && body.byteLength === body.buffer.byteLength) return body.buffer;
  return new Uint8Array(body).buffer;
}

function asResponse({ body, contentType }: BodySource): Response {
  const init = contentType === undefined ? {} : { headers: { 'content-type': contentType } };
  return new Response(new Uint8Array(body), init);
}
