import { isUint8Array } from 'node:util/types';
import { CacheRecordError } from '../errors.js';
import { decodeBinary, encodeBinary } from './binary.js';
import { type CompressionSettings, compress, expand } from './compression.js';
import {
  type Envelope,
  finishHeader,
  HEADER_BYTES,
  readHeader,
  type SerializerName,
  writeHeader,
} from './envelope.js';
import { decodeJson, encodeJson, isJsonRecord } from './json.js';
import type { StoreRecord } from './record.js';
import { createSeal, type Seal } from './seal.js';
import { toRecord } from './validate.js';

/**
 * An own record format. Both methods are synchronous and leave their argument as it is. What `decode` returns is
 * checked field by field and copied, so a class instance or unknown fields do not survive; what either throws
 * makes the record unreadable, never the request fail. Compression, seals and a checksum are put round it.
 *
 * @example
 * import { deserialize, serialize } from 'node:v8';
 * cacheAdapter({ serializer: { encode: serialize, decode: deserialize } });
 */
export interface RecordSerializer {
  encode(record: StoreRecord): Uint8Array;
  decode(bytes: Uint8Array): StoreRecord;
}

/** Normalised: see `assertSecretKey`, `assertEncryptionKey` and `assertCompression`. */
export interface CodecOptions {
  /**
   * `'binary'`: compact and fast. `'json'`: one line of UTF-8 JSON, readable with `cat` or sqlite3 as long as it is
   * neither compressed nor encrypted nor signed; it begins with format version and checksum, so a record edited
   * by hand is a miss. Records of both are read whichever of them is set.
   */
  serializer: 'binary' | 'json' | RecordSerializer;
  /** HMAC-SHA-256 over the record and its key: the first signs, all verify. Unsigned records are refused. */
  secretKey?: readonly (string | Uint8Array)[] | undefined;
  /** AES-256-GCM, 32 bytes each: the first encrypts, all decrypt. Records in clear are refused. */
  encryptionKey?: readonly Uint8Array[] | undefined;
  compression: false | CompressionSettings;
}

/** Stored records to bytes and back; with a promise only where zlib has much to do. */
export interface RecordCodec {
  /** Whether it reads only what its own secrets signed or encrypted. */
  readonly isSealed: boolean;
  /** Throws or rejects with `CacheRecordError` only. Equal records give equal bytes, unless encrypted. */
  encode(key: string, record: StoreRecord): Uint8Array | Promise<Uint8Array>;
  /**
   * Throws or rejects with `CacheRecordError` for whatever is not a whole record of this `key`, sealed as the options
   * say. The body may be a view on `bytes`.
   */
  decode(key: string, bytes: Uint8Array): StoreRecord | Promise<StoreRecord>;
}

/**
 * Bytes from which on a checksum takes so long that it is taken once of the same object, which the memory store hands
 * out each time. Larger ones are often too large to be kept decoded.
 */
const LARGE = 1024 * 1024;

export function createCodec(options: CodecOptions): RecordCodec {
  const { serializer, compression } = options;
  const seal = createSeal(options.secretKey, options.encryptionKey);
  const isSealed = seal.signs || seal.encrypts;
  const sound = new WeakSet<Uint8Array>();

  function encode(key: string, record: StoreRecord): Uint8Array | Promise<Uint8Array> {
    if (record.key !== key) throw foreignRecord();
    const algorithm = compressionFor(record, compression);
    if (algorithm === undefined && !isSealed) return encodePlain(record, serializer);
    const raw = serialize(record, serializer);
    const envelope: Envelope = {
      serializer: serializerName(serializer),
      compression: algorithm,
      encrypted: seal.encrypts,
      signed: seal.signs,
      rawBytes: raw.length,
    };
    if (algorithm === undefined) return wrap(key, envelope, raw, seal);
    return andThen(compress(algorithm, raw), (packed) =>
      packed === undefined
        ? wrap(key, { ...envelope, compression: undefined }, raw, seal)
        : wrap(key, envelope, packed, seal),
    );
  }

  function decode(key: string, bytes: Uint8Array): StoreRecord | Promise<StoreRecord> {
    if (!isUint8Array(bytes)) throw new CacheRecordError('The store gave something that is not bytes');
    const view = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (isJsonRecord(view)) {
      assertSeals(seal, false, false);
      return ofKey(key, decodeJson(view));
    }
    const isLarge = view.length >= LARGE;
    const envelope = readHeader(view, isLarge && sound.has(view));
    if (isLarge) sound.add(view);
    assertSeals(seal, envelope.signed, envelope.encrypted);
    const content = view.subarray(HEADER_BYTES);
    const payload = isSealed ? seal.open(key, view, content) : content;
    if (envelope.compression === undefined) {
      if (payload.length !== envelope.rawBytes)
        throw new CacheRecordError('The record is not as long as it states');
      return ofKey(key, deserialize(payload, envelope.serializer, serializer));
    }
    return andThen(expand(envelope.compression, payload, envelope.rawBytes), (raw) =>
      ofKey(key, deserialize(raw, envelope.serializer, serializer)),
    );
  }

  return {
    isSealed,
    encode: (key, record) => guarded('written', () => encode(key, record)),
    decode: (key, bytes) => guarded('read', () => decode(key, bytes)),
  };
}

function compressionFor(
  record: StoreRecord,
  compression: CodecOptions['compression'],
): CompressionSettings['algorithm'] | undefined {
  if (compression === false || record.kind !== 'response') return undefined;
  return record.body.length < compression.threshold ? undefined : compression.algorithm;
}

/** The common way: the binary record and its header are one allocation, the JSON one stands as it is. */
function encodePlain(record: StoreRecord, serializer: CodecOptions['serializer']): Uint8Array {
  if (serializer === 'json') return encodeJson(record);
  const name = serializerName(serializer);
  const out =
    serializer === 'binary'
      ? encodeBinary(record, HEADER_BYTES)
      : Buffer.concat([Buffer.allocUnsafe(HEADER_BYTES), serialize(record, serializer)]);
  const rawBytes = out.length - HEADER_BYTES;
  writeHeader(out, { serializer: name, compression: undefined, encrypted: false, signed: false, rawBytes });
  finishHeader(out);
  return out;
}

function wrap(key: string, envelope: Envelope, payload: Uint8Array, seal: Seal): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  writeHeader(header, envelope);
  const out = Buffer.concat([header, ...seal.close(key, header, payload)]);
  finishHeader(out);
  return out;
}

function serializerName(serializer: CodecOptions['serializer']): SerializerName {
  return typeof serializer === 'string' ? serializer : 'custom';
}

function serialize(record: StoreRecord, serializer: CodecOptions['serializer']): Uint8Array {
  if (serializer === 'binary') return encodeBinary(record, 0);
  if (serializer === 'json') return encodeJson(record);
  const bytes: unknown = serializer.encode(record);
  if (isUint8Array(bytes)) return bytes;
  ignoreRejection(bytes);
  throw new CacheRecordError("The serializer's encode returned something that is not a Uint8Array");
}

function deserialize(raw: Buffer, name: SerializerName, serializer: CodecOptions['serializer']): StoreRecord {
  switch (name) {
    case 'binary':
      return decodeBinary(raw);
    case 'json':
      return decodeJson(raw);
    case 'custom':
      return decodeCustom(raw, serializer);
    default:
      return name satisfies never;
  }
}

function decodeCustom(raw: Buffer, serializer: CodecOptions['serializer']): StoreRecord {
  if (typeof serializer === 'string')
    throw new CacheRecordError('The record was written by a custom serializer');
  const value: unknown = serializer.decode(raw);
  ignoreRejection(value);
  return toRecord(value);
}

/** An `async` serializer is refused; its promise must not end the process on top of that. */
function ignoreRejection(value: unknown): void {
  if (value instanceof Promise) value.catch(() => undefined);
}

/** Exactly the seals that the options ask for: else whoever can write to the store could leave them out. */
function assertSeals(seal: Seal, signed: boolean, encrypted: boolean): void {
  if (encrypted !== seal.encrypts) {
    throw new CacheRecordError(
      encrypted ? 'The record is encrypted: no encryptionKey' : 'The record is not encrypted',
    );
  }
  if (signed !== seal.signs) {
    throw new CacheRecordError(signed ? 'The record is signed: no secretKey' : 'The record is not signed');
  }
}

function ofKey(key: string, record: StoreRecord): StoreRecord {
  if (record.key !== key) throw foreignRecord();
  return record;
}

function foreignRecord(): CacheRecordError {
  return new CacheRecordError('The record belongs to another key');
}

function andThen<T, R>(value: T | Promise<T>, next: (value: T) => R): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Whatever goes wrong inside is a `CacheRecordError` outside. */
function guarded<T>(action: 'read' | 'written', run: () => T | Promise<T>): T | Promise<T> {
  try {
    const result = run();
    return result instanceof Promise ? result.catch((error: unknown) => refuse(action, error)) : result;
  } catch (error) {
    return refuse(action, error);
  }
}

function refuse(action: string, error: unknown): never {
  throw error instanceof CacheRecordError
    ? error
    : new CacheRecordError(`The record can't be ${action}`, error);
}
