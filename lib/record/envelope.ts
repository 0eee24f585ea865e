import { crc32 } from 'node:zlib';
import { CacheRecordError } from '../errors.js';
import type { CompressionAlgorithm } from './compression.js';
import { checkVersion, FORMAT_VERSION } from './version.js';

/*
 * What stands before every record but a plain JSON one; numbers are little-endian:
 *
 *   0  magic, 3 bytes          8  serializer     12  u32 length of the record before
 *   3  format version          9  compression        compression and encryption
 *   4  CRC-32 of all from 8   10  seals          16  content
 *                             11  zero
 *
 * The magic's first byte begins neither UTF-8 text nor a gzip or brotli stream.
 */
export const HEADER_BYTES = 16;
const CHECKED_FROM = 8;
const MAGIC = [0x93, 0x41, 0x53] as const;
const MAX_RAW_BYTES = 0xffffffff;

const SERIALIZERS = ['binary', 'json', 'custom'] as const;
const COMPRESSIONS = [undefined, 'gzip', 'brotli', 'zstd'] as const;
const ENCRYPTED = 1;
const SIGNED = 2;

export type SerializerName = (typeof SERIALIZERS)[number];

/** What a header says of the content behind it. */
export interface Envelope {
  serializer: SerializerName;
  /** Undefined: not compressed. */
  compression: CompressionAlgorithm | undefined;
  encrypted: boolean;
  signed: boolean;
  /** Bytes of the serialized record, before compression. */
  rawBytes: number;
}

/** Fills the first `HEADER_BYTES` of `out`; `finishHeader` must follow when the rest is in place. */
export function writeHeader(out: Buffer, envelope: Envelope): void {
  if (envelope.rawBytes > MAX_RAW_BYTES) throw new CacheRecordError('The record is larger than 4 GiB');
  out[0] = MAGIC[0];
  out[1] = MAGIC[1];
  out[2] = MAGIC[2];
  out[3] = FORMAT_VERSION;
  out[8] = SERIALIZERS.indexOf(envelope.serializer);
  out[9] = COMPRESSIONS.indexOf(envelope.compression);
  out[10] = (envelope.encrypted ? ENCRYPTED : 0) | (envelope.signed ? SIGNED : 0);
  out[11] = 0;
  out.writeUInt32LE(envelope.rawBytes, 12);
}

/** The checksum over the whole of `out`, which must not change any more. */
export function finishHeader(out: Buffer): void {
  out.writeUInt32LE(crc32(out.subarray(CHECKED_FROM)), 4);
}

/** `isSound`: the checksum of these very bytes was right before. */
export function readHeader(bytes: Buffer, isSound = false): Envelope {
  if (bytes[0] !== MAGIC[0] || bytes[1] !== MAGIC[1] || bytes[2] !== MAGIC[2]) {
    throw new CacheRecordError('The bytes are not a record of axios-stash');
  }
  checkVersion(bytes[3] ?? 0);
  if (bytes.length < HEADER_BYTES) throw new CacheRecordError('The record is cut short');
  if (!isSound && bytes.readUInt32LE(4) !== crc32(bytes.subarray(CHECKED_FROM))) {
    throw new CacheRecordError('The record is damaged: its checksum does not match');
  }
  const serializer = SERIALIZERS[bytes[8] ?? -1];
  const compressed = bytes[9] ?? -1;
  const seals = bytes[10] ?? -1;
  if (serializer === undefined || compressed >= COMPRESSIONS.length || seals > 3 || bytes[11] !== 0) {
    throw new CacheRecordError('The record is malformed: unknown flags');
  }
  return {
    serializer,
    compression: COMPRESSIONS[compressed],
    encrypted: (seals & ENCRYPTED) !== 0,
    signed: (seals & SIGNED) !== 0,
    rawBytes: bytes.readUInt32LE(12),
  };
}

/** The parts of a header that a seal must cover: all but the checksum, which is known only after sealing. */
export function sealedHeader(header: Buffer): [Buffer, Buffer] {
  return [header.subarray(0, 4), header.subarray(CHECKED_FROM, HEADER_BYTES)];
}
