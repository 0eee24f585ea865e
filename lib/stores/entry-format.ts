import type { StoreMeta } from './store.js';
import { decodeKey } from './stored-keys.js';

/**
 * One entry as bytes, in a file or as a value of Redis: what the store must know of it, then the key and the URL, then
 * the value. Maintenance reads the beginning only. Little-endian:
 *
 *     0  8  the mark, its last character the version
 *     8  8  createdAt, double
 *    16  8  expiresAt, double; NaN: never
 *    24  8  bytes of the value, double
 *    32  4  flags; 1: an index
 *    36  4  bytes of the key
 *    40  4  bytes of the URL
 *    44     key, URL, value
 */
const MARK = Buffer.from('AXSTASH1', 'latin1');
const MARK_BEGINS = MARK.readUInt32LE(0);
const MARK_ENDS = MARK.readUInt32LE(4);
const FIXED_BYTES = 44;
const INDEX_FLAG = 1;

/** Enough for the header of nearly every entry. */
export const HEADER_GUESS = 4096;

export interface Header {
  readonly key: Uint8Array;
  readonly url: string;
  readonly expiresAt: number | undefined;
  readonly index: boolean;
  /** Where the value begins, and how long it is. */
  readonly start: number;
  readonly size: number;
}

/** `foreign`: without our mark, so nobody's to delete; `damaged`: ours, but not whole. */
export type Parsed = Header | 'foreign' | 'damaged';

export function encodeHeader(key: Uint8Array, size: number, meta: StoreMeta): Buffer {
  const urlBytes = Buffer.byteLength(meta.url);
  const header = Buffer.alloc(FIXED_BYTES + key.byteLength + urlBytes);
  MARK.copy(header);
  header.writeDoubleLE(meta.createdAt, 8);
  header.writeDoubleLE(meta.expiresAt ?? Number.NaN, 16);
  header.writeDoubleLE(size, 24);
  header.writeUInt32LE(meta.index === true ? INDEX_FLAG : 0, 32);
  header.writeUInt32LE(key.byteLength, 36);
  header.writeUInt32LE(urlBytes, 40);
  header.set(key, FIXED_BYTES);
  header.write(meta.url, FIXED_BYTES + key.byteLength);
  return header;
}

/** How many bytes the header has, from its first ones; undefined when they are none of ours. */
export function headerLength(beginning: Buffer): number | undefined {
  if (beginning.length < FIXED_BYTES || !isMarked(beginning)) return undefined;
  return FIXED_BYTES + beginning.readUInt32LE(36) + beginning.readUInt32LE(40);
}

/** Reads the header at the beginning of a file of `fileSize` bytes. */
export function parseHeader(beginning: Buffer, fileSize: number): Parsed {
  if (!isMarked(beginning)) return 'foreign';
  const start = headerLength(beginning);
  if (start === undefined || start > beginning.length) return 'damaged';
  const size = beginning.readDoubleLE(24);
  // After a loss of power a file may be shorter than what was written.
  if (start + size !== fileSize) return 'damaged';
  const keyEnd = FIXED_BYTES + beginning.readUInt32LE(36);
  const expiresAt = beginning.readDoubleLE(16);
  return {
    // A copy: the bytes may be somebody's scratch.
    key: Uint8Array.prototype.slice.call(beginning, FIXED_BYTES, keyEnd),
    url: beginning.toString('utf8', keyEnd, start),
    expiresAt: Number.isNaN(expiresAt) ? undefined : expiresAt,
    index: (beginning.readUInt32LE(32) & INDEX_FLAG) !== 0,
    start,
    size,
  };
}

/** Where the value begins in an entry that is all there, if it is of `key`. Hot: `parseHeader` copies the key and decodes the URL. */
export function valueStart(entry: Buffer, key: string): number | 'foreign' | 'damaged' {
  if (!isMarked(entry)) return 'foreign';
  const start = headerLength(entry);
  if (start === undefined || start > entry.length || start + entry.readDoubleLE(24) !== entry.length)
    return 'damaged';
  const keyEnd = FIXED_BYTES + entry.readUInt32LE(36);
  return decodeKey(entry.subarray(FIXED_BYTES, keyEnd)) === key ? start : 'foreign';
}

function isMarked(beginning: Buffer): boolean {
  return (
    beginning.length >= MARK.length &&
    beginning.readUInt32LE(0) === MARK_BEGINS &&
    beginning.readUInt32LE(4) === MARK_ENDS
  );
}
