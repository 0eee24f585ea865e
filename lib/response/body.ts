/** Kept bytes -> the `data` that axios' http or fetch adapter would have handed this caller. */
import { type HeaderList, headerValue } from '../record/record.js';
import { asBuffer, copyBytes, decodeUtf8 } from './bytes.js';
import { replayReadable, replayWebStream, type StreamOwner } from './replay.js';
import type { BodySource, Flavour } from './types.js';

export type { StreamOwner } from './replay.js';
export type { BodySource, Flavour } from './types.js';

/** What decides in which form a caller gets a body. */
export interface BodyConfig {
  /** As in the caller's config. @default text */
  responseType?: string | undefined;
  /** As in the caller's config; http only. @default 'utf8' */
  responseEncoding?: string | undefined;
  /** The response's; fetch's blobs and forms are read by its Content-Type. */
  headers?: HeaderList | undefined;
  /** The response's, and upper-case the request's: where there can be no body, fetch has no stream either. */
  status?: number | undefined;
  method?: string | undefined;
}

/**
 * The caller's own `data`: nothing in it is shared with the cache or with another caller. A promise only for the
 * fetch flavour's `blob` and `formdata`. Throws (or rejects with) what the decoder throws; `bodyError` makes of that
 * what axios would reject with. With an `owner`, a stream goes on obeying its signal, token and `maxContentLength`.
 */
export function bodyFor(
  source: BodySource,
  config: BodyConfig,
  flavour: Flavour,
  owner?: StreamOwner,
): unknown {
  if (source.bodyType === 'json') return JSON.parse(textOf(source));
  return flavour === 'http' ? httpBody(source, config, owner) : fetchBody(source, config, owner);
}

/** http.js knows two types by their exact names; all others are text. */
function httpBody(source: BodySource, config: BodyConfig, owner: StreamOwner | undefined): unknown {
  const { responseType, responseEncoding } = config;
  if (responseType === 'arraybuffer') return source.owned ? asBuffer(source.body) : copyBytes(source.body);
  if (responseType === 'stream') return replayReadable(source, owner);
  if (!responseEncoding || responseEncoding === 'utf8') return textOf(source);
  // Only for these two does axios strip the BOM. It takes any string here, and an unknown one throws, there as here.
  return asBuffer(source.body).toString(responseEncoding as BufferEncoding);
}

/** fetch.js looks the type up among Response's methods regardless of case; what it does not find is text. */
function fetchBody(source: BodySource, config: BodyConfig, owner: StreamOwner | undefined): unknown {
  const { responseType } = config;
  switch (responseType && String(responseType).toLowerCase()) {
    case 'arraybuffer':
      return ownArrayBuffer(source);
    case 'blob':
      return asResponse(source, config).blob();
    case 'formdata':
      return asResponse(source, config).formData();
    case 'stream':
      return hasNoBody(config) ? null : replayWebStream(source, owner);
    default:
      return textOf(source);
  }
}

/** HEAD, and Fetch's "null body status". */
function hasNoBody({ method, status }: BodyConfig): boolean {
  return method === 'HEAD' || status === 204 || status === 205 || status === 304;
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

function asResponse({ body }: BodySource, { headers = [] }: BodyConfig): Response {
  const contentType = headerValue(headers, 'content-type');
  const init = contentType === undefined ? {} : { headers: { 'content-type': contentType } };
  return new Response(new Uint8Array(body), init);
}
