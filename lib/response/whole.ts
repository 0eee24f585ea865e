/** Whether it can be known that a body came whole. */
import { TLSSocket } from 'node:tls';
import { type HeaderList, headerValue } from '../record/record.js';
import type { Flavour } from './types.js';

/** What tells where the body of a response ends. */
export interface Framing {
  /** Upper case; the request's. */
  method: string;
  status: number;
  headers: HeaderList;
  /** The inner adapter's request object. */
  request: unknown;
}

/**
 * Whether a body that was cut short would look like this one. RFC 9112 8: without Content-Length and chunks it ends with
 * the connection, and is whole unless that failed; over TLS (9.8) only if a closure alert came. Node hands a missing
 * alert on as an end like any other. fetch does so with a connection that was reset, and before undici's #5273 with one
 * that broke off within a chunk; there nobody learns of version and socket, but only HTTP/1 says `Connection: close`.
 */
export function mayBeCutShort(framing: Framing, flavour: Flavour | undefined): boolean {
  if (flavour === undefined || hasNoBody(framing)) return false;
  if (flavour === 'http') return endsWithConnection(framing) && socketOf(framing) instanceof TLSSocket;
  const { headers } = framing;
  return (
    headerValue(headers, 'content-length') === undefined &&
    CLOSES.test(headerValue(headers, 'connection') ?? '')
  );
}

/**
 * Whether the connection failed that the end of the body is told by: to be asked at that end. Node makes a whole message of
 * it (_http_client.js, `socketErrorListener`), and the error that it raises too comes after axios' promise of a stream.
 */
export function wasCutShort(framing: Framing, flavour: Flavour | undefined): boolean {
  if (flavour !== 'http' || hasNoBody(framing) || !endsWithConnection(framing)) return false;
  return (fieldOf(socketOf(framing), 'errored') ?? null) !== null;
}

const CLOSES = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;
const CHUNKED = /(?:^|,)[ \t]*chunked[ \t]*$/i;

function hasNoBody({ method, status }: Framing): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

function endsWithConnection({ headers }: Framing): boolean {
  return (
    headerValue(headers, 'content-length') === undefined &&
    !CHUNKED.test(headerValue(headers, 'transfer-encoding') ?? '')
  );
}

/** Of a response over HTTP/1, which http.js leaves on the request; HTTP/2 frames its own, and a mock has none. */
function socketOf({ request }: Framing): unknown {
  const response = fieldOf(request, 'res');
  return fieldOf(response, 'httpVersionMajor') === 1 ? fieldOf(response, 'socket') : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
