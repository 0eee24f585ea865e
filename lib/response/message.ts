/** An http response's stream tells more than its bytes: status, headers, request. */
import type { Readable } from 'node:stream';

/** Of http.IncomingMessage, http2 streams and follow-redirects. */
const MESSAGE_FIELDS = [
  'client',
  'complete',
  'connection',
  'headers',
  'headersDistinct',
  'httpVersion',
  'httpVersionMajor',
  'httpVersionMinor',
  'method',
  'rawHeaders',
  'rawTrailers',
  'redirects',
  'req',
  'responseUrl',
  'socket',
  'statusCode',
  'statusMessage',
  'trailers',
  'trailersDistinct',
  'upgrade',
  'url',
] as const;

/** Lets `stream` show those fields of `message` that it has; live, since trailers and `complete` come with the end. */
export function showMessage(message: object, stream: Readable): void {
  for (const name of MESSAGE_FIELDS) {
    if (!(name in message)) continue;
    Object.defineProperty(stream, name, {
      configurable: true,
      enumerable: false,
      get: () => Reflect.get(message, name),
    });
  }
}
