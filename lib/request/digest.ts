/** The two things that every key is made of: unambiguous parts and one hash. */
import { hash } from 'node:crypto';

/** A part of a key, length-prefixed so that neighbours can't be confused; absent differs from empty. */
export function part(value: string | undefined): string {
  return value === undefined ? '-' : `${value.length}:${value}`;
}

/** 64 lower-case hex digits. In one go: three times cheaper than `createHash` on short input. */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

const SURROGATE = /[\ud800-\udfff]/;

/**
 * The text as it goes over the wire: UTF-8 has no lone surrogates, they are sent as U+FFFD. Without this two
 * spellings of the same bytes would differ, and an escaped surrogate in JSON would equal a raw one.
 */
export function wellFormed(text: string): string {
  return SURROGATE.test(text) ? Buffer.from(text, 'utf8').toString('utf8') : text;
}
