import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { CacheOptionError, CacheRecordError } from '../errors.js';

export type CompressionAlgorithm = 'gzip' | 'brotli' | 'zstd';

/** How bodies are compressed at rest. */
export interface CompressionSettings {
  algorithm: CompressionAlgorithm;
  /** Bodies below this many bytes are stored as they are. @default 1024 */
  threshold: number;
}

interface Method {
  compress(raw: Uint8Array): Buffer;
  compressLater(raw: Uint8Array): Promise<Buffer>;
  expand(packed: Uint8Array, limit: number): Buffer;
  expandLater(packed: Uint8Array, limit: number): Promise<Buffer>;
}

const ALLOWED = "allowed: false, 'gzip', 'brotli', 'zstd' or { algorithm, threshold }";
const DEFAULT_THRESHOLD = 1024;
/** From here on in zlib's threads: 128 KiB take gzip some 3 ms, for which the event loop would stand still. */
const ASYNC_BYTES = 128 * 1024;
/** The most that compressed bytes may claim to hold; a larger record is stored uncompressed. */
const MAX_EXPANDED_BYTES = 1024 ** 3;
/** An image would save its headers' bytes only, and be expanded on every hit for them. */
const WORTH_IT = 0.9;
const BROTLI_QUALITY = 5; // 11, the default, is a hundred times slower for a tenth less

/** The setting in its full form; `undefined` is off. */
export function assertCompression(option: string, value: unknown): false | CompressionSettings {
  if (value === undefined || value === false) return false;
  if (typeof value === 'string') {
    return { algorithm: assertAlgorithm(option, value), threshold: DEFAULT_THRESHOLD };
  }
  if (typeof value !== 'object' || value === null) throw new CacheOptionError(option, value, ALLOWED);
  const unknown = Object.keys(value).find((name) => name !== 'algorithm' && name !== 'threshold');
  if (unknown !== undefined) throw new CacheOptionError(`${option}.${unknown}`, value, ALLOWED);
  const { algorithm, threshold = DEFAULT_THRESHOLD }: { algorithm?: unknown; threshold?: unknown } = value;
  if (typeof threshold !== 'number' || !(threshold >= 0)) {
    throw new CacheOptionError(`${option}.threshold`, threshold, 'allowed: a number of bytes from 0 up');
  }
  return { algorithm: assertAlgorithm(`${option}.algorithm`, algorithm), threshold };
}

function assertAlgorithm(option: string, value: unknown): CompressionAlgorithm {
  if (value !== 'gzip' && value !== 'brotli' && value !== 'zstd') {
    throw new CacheOptionError(option, value, ALLOWED);
  }
  if (methodOf(value) === undefined) {
    throw new CacheOptionError(option, value, `zstd needs Node 22.15 or newer, this is ${process.version}`);
  }
  return value;
}

/** The bytes compressed, at once or with a promise where there are many; `undefined` where it would not pay. */
export function compress(
  algorithm: CompressionAlgorithm,
  raw: Uint8Array,
): Buffer | undefined | Promise<Buffer | undefined> {
  if (raw.length > MAX_EXPANDED_BYTES) return undefined;
  const method = availableMethod(algorithm);
  if (raw.length < ASYNC_BYTES) return ifWorthIt(method.compress(raw), raw);
  return method.compressLater(raw).then((packed) => ifWorthIt(packed, raw));
}

function ifWorthIt(packed: Buffer, raw: Uint8Array): Buffer | undefined {
  return packed.length < raw.length * WORTH_IT ? packed : undefined;
}

/** Back to exactly `rawBytes` bytes; stops, and throws, as soon as there are more (a decompression bomb). */
export function expand(
  algorithm: CompressionAlgorithm,
  packed: Uint8Array,
  rawBytes: number,
): Buffer | Promise<Buffer> {
  if (rawBytes === 0 || rawBytes > MAX_EXPANDED_BYTES) throw wrongLength();
  const method = availableMethod(algorithm);
  if (rawBytes < ASYNC_BYTES) return ofLength(method.expand(packed, rawBytes), rawBytes);
  return method.expandLater(packed, rawBytes).then((raw) => ofLength(raw, rawBytes));
}

function ofLength(raw: Buffer, rawBytes: number): Buffer {
  if (raw.length !== rawBytes) throw wrongLength();
  return raw;
}

function wrongLength(): CacheRecordError {
  return new CacheRecordError('The record does not expand to the length it states');
}

function availableMethod(algorithm: CompressionAlgorithm): Method {
  const method = methodOf(algorithm);
  if (method === undefined)
    throw new CacheRecordError(`This Node (${process.version}) can't read ${algorithm}`);
  return method;
}

function methodOf(algorithm: CompressionAlgorithm): Method | undefined {
  switch (algorithm) {
    case 'gzip':
      return gzip;
    case 'brotli':
      return brotli;
    case 'zstd':
      return zstdMethod(zlib);
    default:
      return algorithm satisfies never;
  }
}

const gzip: Method = {
  compress: (raw) => zlib.gzipSync(raw),
  compressLater: (raw) => promisify<Uint8Array, Buffer>(zlib.gzip)(raw),
  expand: (packed, limit) => zlib.gunzipSync(packed, { maxOutputLength: limit }),
  expandLater: (packed, limit) => later((done) => zlib.gunzip(packed, { maxOutputLength: limit }, done)),
};

const brotli: Method = {
  compress: (raw) => zlib.brotliCompressSync(raw, brotliOptions(raw)),
  compressLater: (raw) => later((done) => zlib.brotliCompress(raw, brotliOptions(raw), done)),
  expand: (packed, limit) => zlib.brotliDecompressSync(packed, { maxOutputLength: limit }),
  expandLater: (packed, limit) =>
    later((done) => zlib.brotliDecompress(packed, { maxOutputLength: limit }, done)),
};

function brotliOptions(raw: Uint8Array): zlib.BrotliOptions {
  return {
    params: {
      [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [zlib.constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
    },
  };
}

type Done = (error: Error | null, result: Buffer) => void;

function later(start: (done: Done) => void): Promise<Buffer> {
  return promisify<Buffer>(start)();
}

/** In Node from 22.15 on; the types of the oldest Node we support do not have it. */
interface Zstd {
  zstdCompressSync(raw: Uint8Array): Buffer;
  zstdCompress(raw: Uint8Array, done: Done): void;
  zstdDecompressSync(packed: Uint8Array, options: { maxOutputLength: number }): Buffer;
  zstdDecompress(packed: Uint8Array, options: { maxOutputLength: number }, done: Done): void;
}

function hasZstd(library: object): library is Zstd {
  return 'zstdCompressSync' in library && typeof library.zstdCompressSync === 'function';
}

function zstdMethod(library: object): Method | undefined {
  if (!hasZstd(library)) return undefined;
  return {
    compress: (raw) => library.zstdCompressSync(raw),
    compressLater: (raw) => later((done) => library.zstdCompress(raw, done)),
    expand: (packed, limit) => library.zstdDecompressSync(packed, { maxOutputLength: limit }),
    expandLater: (packed, limit) =>
      later((done) => library.zstdDecompress(packed, { maxOutputLength: limit }, done)),
  };
}
