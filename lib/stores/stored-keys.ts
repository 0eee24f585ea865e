import { hash } from 'node:crypto';

const HEX_DIGEST = /^[0-9a-f]{64}$/;
const DIGEST_BYTES = 32;
const TEXT_MARK = 0x75;

/**
 * A key as it is stored: digests, which is what keys are, in half the bytes of their hex; any other string in UTF-16
 * after a mark, exact whatever it holds (NUL, lone surrogates), and of odd length so that the two never meet.
 */
export function encodeKey(key: string): Uint8Array {
  if (key.length === 64 && HEX_DIGEST.test(key)) return Buffer.from(key, 'hex');
  const bytes = Buffer.allocUnsafe(1 + 2 * key.length);
  bytes[0] = TEXT_MARK;
  bytes.write(key, 1, 'utf16le');
  return bytes;
}

export function decodeKey(stored: Uint8Array): string {
  const bytes = Buffer.isBuffer(stored)
    ? stored
    : Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  return bytes.length === DIGEST_BYTES ? bytes.toString('hex') : bytes.toString('utf16le', 1);
}

/** 48 bits of a digest: an index over these is far smaller than one over the URLs. */
export function urlHash(url: string): number {
  return Number.parseInt(hash('sha1', url).slice(0, 12), 16);
}
