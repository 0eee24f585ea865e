/** What the inner adapter handed over, as bytes that can be kept. */
import { isDeepStrictEqual, types } from 'node:util';
import type { MaybePromise } from '../stores/store.js';
import { copyBytes } from './bytes.js';
import type { Flavour } from './types.js';

export { headerList } from './headers.js';

/** A received body that can be kept. */
export interface ReceivedBody {
  /** Nobody else writes to them. */
  bytes: Uint8Array;
  /** `json`: the adapter gave a parsed value (mock adapters do); `bytes` is its JSON text. */
  bodyType: 'bytes' | 'json';
  /** Whose manners the data tells of; undefined: of nobody's in particular. */
  flavour: Flavour | undefined;
}

/**
 * Undefined: it can't be kept (a stream, an object that JSON does not carry exactly). `isFresh`: as of axios' own
 * adapters, whose bytes nobody else holds; others may use theirs again, so those are copied.
 */
export function receivedBody(data: unknown, isFresh = false): MaybePromise<ReceivedBody | undefined> {
  if (typeof data === 'string') return { bytes: Buffer.from(data), bodyType: 'bytes', flavour: undefined };
  if (data === undefined || data === null)
    return { bytes: Buffer.alloc(0), bodyType: 'bytes', flavour: undefined };
  const view = viewOf(data);
  if (view !== undefined)
    return { bytes: isFresh ? view : copyBytes(view), bodyType: 'bytes', flavour: flavourOf(data) };
  if (data instanceof Blob) return blobBody(data);
  return jsonBody(data);
}

function viewOf(data: unknown): Uint8Array | undefined {
  if (Buffer.isBuffer(data)) return data;
  if (types.isAnyArrayBuffer(data)) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return undefined;
}

function flavourOf(data: unknown): Flavour | undefined {
  if (Buffer.isBuffer(data)) return 'http';
  return types.isAnyArrayBuffer(data) ? 'fetch' : undefined;
}

async function blobBody(blob: Blob): Promise<ReceivedBody> {
  return { bytes: new Uint8Array(await blob.arrayBuffer()), bodyType: 'bytes', flavour: 'fetch' };
}

function jsonBody(value: unknown): ReceivedBody | undefined {
  if (!isPlain(value)) return undefined;
  try {
    const text = JSON.stringify(value);
    // Dates, undefined, NaN, -0, symbols, class instances: a hit would not be what the network gave.
    if (text === undefined || !isDeepStrictEqual(JSON.parse(text), value)) return undefined;
    return { bytes: Buffer.from(text), bodyType: 'json', flavour: undefined };
  } catch {
    return undefined; // a cycle, a BigInt, a throwing toJSON
  }
}

/** Spares streams and the like a walk through all they hold. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null)
    return typeof value === 'number' || typeof value === 'boolean';
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}
