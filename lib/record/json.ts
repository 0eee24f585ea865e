import { isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { CacheRecordError } from '../errors.js';
import type { StoreRecord } from './record.js';
import { toRecord } from './validate.js';
import { checkVersion, FORMAT_VERSION } from './version.js';

/*
 * `serializer: 'json'`: one JSON object, readable as it lies in the store, with its version and checksum as the
 * first two members. The CRC-32 is over all that follows its comma. The body is a string where it is UTF-8
 * (`body`), else base64 (`bodyBase64`): both give the exact bytes back.
 */
const OPENING = /^\{"axios-stash":(\d{1,9}),"crc32":"([0-9a-f]{8})",/;
const OPENING_MAX = 64;
const BRACE = 0x7b;

/** Whether the bytes can only be a record in JSON: the binary envelope begins with another byte. */
export function isJsonRecord(bytes: Buffer): boolean {
  return bytes[0] === BRACE;
}

/** UTF-8 JSON. Lone surrogates survive as escapes (well-formed JSON.stringify). */
export function encodeJson(record: StoreRecord): Buffer {
  const text = JSON.stringify(toJsonShape(toRecord(record)));
  const members = Buffer.from(text.slice(1));
  const opening = `{"axios-stash":${FORMAT_VERSION},"crc32":"${checksum(members)}",`;
  return Buffer.concat([Buffer.from(opening), members]);
}

export function decodeJson(bytes: Buffer): StoreRecord {
  const opening = OPENING.exec(bytes.toString('latin1', 0, OPENING_MAX));
  if (opening === null) throw new CacheRecordError('The bytes are not a record of axios-stash');
  checkVersion(Number(opening[1]));
  if (checksum(bytes.subarray(opening[0].length)) !== opening[2]) {
    throw new CacheRecordError('The record is damaged: its checksum does not match');
  }
  const parsed: unknown = JSON.parse(bytes.toString('utf8'));
  return toRecord(withBody(parsed));
}

function toJsonShape(record: StoreRecord): object {
  if (record.kind === 'index') return record;
  const { body, ...rest } = record;
  const view = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return isUtf8(view)
    ? { ...rest, body: view.toString('utf8') }
    : { ...rest, bodyBase64: view.toString('base64') };
}

function withBody(parsed: unknown): unknown {
  if (typeof parsed !== 'object' || parsed === null) return parsed;
  if ('body' in parsed && typeof parsed.body === 'string')
    return { ...parsed, body: Buffer.from(parsed.body) };
  if ('bodyBase64' in parsed && typeof parsed.bodyBase64 === 'string') {
    return { ...parsed, body: Buffer.from(parsed.bodyBase64, 'base64') };
  }
  return parsed;
}

function checksum(bytes: Buffer): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}
