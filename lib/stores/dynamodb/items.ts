import { hash, randomBytes } from 'node:crypto';
import { CacheStoreError } from '../../errors.js';
import { lifetimeOf } from '../native-expiry.js';
import type { StoreMeta } from '../store.js';
import { decodeTextKey, encodeTextKey } from '../text-keys.js';

/** The values that attributes of the cache's items have. */
export interface AttributeValue {
  S?: string;
  N?: string;
  B?: Uint8Array;
  BOOL?: boolean;
}

/**
 * An entry is an item, its head, with these attributes:
 *
 *     key         S     the key as text (text-keys.ts); of one that is too long a digest, and then `name` is the text
 *     name        S
 *     stash       N     the version of this layout; the mark of the cache's items
 *     generation  S     when it was written and something random: no two writes have the same
 *     value       B     the bytes
 *     size        N     how many they are
 *     created     N     ms
 *     expires     N     ms; absent: never
 *     ttl         N     from when on DynamoDB may drop it; whole seconds; absent: never
 *     url         S
 *     urlHash     S     SHA-256 of `url` in hex, the key of the index `url`: a URL may be empty, and too long for a key
 *     index       BOOL  true for index rows, else absent
 *
 * A value too large for an item is in further ones, its parts; then the head has their number in `parts` (N), and no
 * `value`. A part has `key` (`<key of the head>#<generation>#<number>`), `stash`, `part` (N, its number), `value`
 * and `ttl`.
 */
export type Item = Record<string, AttributeValue>;

export const LAYOUT = 1;
/** DynamoDB's bound for the names and values of an item. */
const ITEM_BYTES = 400 * 1024;
/** Of a value in one part; the rest is for its other attributes, of which the key has up to 2048 bytes. */
const PART_BYTES = ITEM_BYTES - 4096;
/** Of a key as text: those of its parts must stay within 2048 bytes. */
const LONGEST_KEY = 1980;
/** What a number takes up at most. */
const NUMBER_BYTES = 21;
/** The last moment of a `Date`, ms. */
const END_OF_TIME = 8.64e15;

/** An entry to be written. */
export interface Entry {
  readonly id: string;
  readonly generation: string;
  readonly writtenAt: number;
  readonly head: Item;
  readonly parts: readonly Item[];
}

/** What a head says. */
export interface Head {
  /** Its `key`. */
  readonly id: string;
  readonly generation: string;
  readonly size: number;
  /** How many. */
  readonly parts: number;
  readonly value: Uint8Array | undefined;
  /** When DynamoDB may drop it; ms; undefined: never. */
  readonly dropsAt: number | undefined;
}

type Parts = Pick<Head, 'id' | 'generation' | 'parts'>;

/** The `key` of an entry's item, and the key as text where that is another. */
export function storedKey(key: string): { id: string; name?: string } {
  const text = encodeTextKey(key);
  return text.length <= LONGEST_KEY ? { id: text } : { id: `~#${hash('sha256', text)}`, name: text };
}

/** Whether the item's `key` says nothing of the entry's key. */
export function hasName(id: string): boolean {
  return id.startsWith('~#');
}

/** The key of an entry, from its `key` and `name`; undefined for what is no entry's. */
export function keyOf({ key, name }: Item): string | undefined {
  const text = name?.S ?? key?.S;
  return text === undefined ? undefined : decodeTextKey(text);
}

/** The first item of an entry as it is stored, the others, and what else it takes. */
export function encodeEntry(
  key: string,
  value: Uint8Array,
  meta: StoreMeta,
  ttlOffset: number,
  now = Date.now(),
): Entry {
  const { id, name } = storedKey(key);
  const generation = `${now.toString(36)}-${randomBytes(9).toString('base64url')}`;
  const expiresAt = momentOf(meta.expiresAt);
  const lifetime = lifetimeOf(expiresAt, ttlOffset, now);
  const common: Item = { stash: { N: String(LAYOUT) } };
  if (lifetime !== undefined) common.ttl = { N: String(Math.ceil((now + lifetime) / 1000)) };
  const head: Item = {
    ...common,
    key: { S: id },
    generation: { S: generation },
    size: { N: String(value.byteLength) },
    created: { N: String(meta.createdAt) },
    url: { S: meta.url },
    urlHash: { S: urlHash(meta.url) },
  };
  if (name !== undefined) head.name = { S: name };
  if (expiresAt !== undefined) head.expires = { N: String(expiresAt) };
  if (meta.index === true) head.index = { BOOL: true };
  const entry = { id, generation, writtenAt: now };
  const whole: Item = { ...head, value: { B: value } };
  if (bytesOf(whole) <= ITEM_BYTES) return { ...entry, head: whole, parts: [] };
  const ids = partIds({ id, generation, parts: Math.ceil(value.byteLength / PART_BYTES) });
  const parts = ids.map((partId, at): Item => {
    const bytes = value.subarray(at * PART_BYTES, (at + 1) * PART_BYTES);
    return { ...common, key: { S: partId }, part: { N: String(at) }, value: { B: bytes } };
  });
  head.parts = { N: String(parts.length) };
  if (bytesOf(head) <= ITEM_BYTES) return { ...entry, head, parts };
  throw new CacheStoreError('its key and URL are too long for an item of DynamoDB', undefined, 'entry');
}

/** `foreign`: not of the cache; `newer`: of a layout that is not known here; `damaged`: ours, but not whole. */
export function parseHead(item: Item): Head | 'foreign' | 'newer' | 'damaged' {
  if (numberOf(item.stash) === undefined) return 'foreign';
  if (isNewer(item)) return 'newer';
  const id = item.key?.S;
  const generation = item.generation?.S;
  const size = numberOf(item.size);
  if (id === undefined || generation === undefined || size === undefined) return 'damaged';
  const ttl = numberOf(item.ttl);
  return {
    id,
    generation,
    size,
    parts: numberOf(item.parts) ?? 0,
    value: item.value?.B,
    dropsAt: ttl === undefined ? undefined : ttl * 1000,
  };
}

export function isNewer({ stash }: Item): boolean {
  return (numberOf(stash) ?? 0) > LAYOUT;
}

/** The `key` of each part. */
export function partIds({ id, generation, parts }: Parts): string[] {
  return Array.from({ length: parts }, (_, at) => `${id}#${generation}#${at}`);
}

/** What the `key` of a part says; undefined when it is none. */
export function parsePartId(
  partId: string,
): { id: string; generation: string; writtenAt: number } | undefined {
  const [, id, generation, time] = /^(.+)#(([0-9a-z]+)-[\w-]{12})#\d+$/.exec(partId) ?? [];
  if (id === undefined || generation === undefined || time === undefined) return undefined;
  return { id, generation, writtenAt: Number.parseInt(time, 36) };
}

export function urlHash(url: string): string {
  return hash('sha256', url);
}

/** As DynamoDB counts, or a little more. */
function bytesOf(item: Item): number {
  let bytes = 0;
  for (const [name, { S, B, N }] of Object.entries(item)) {
    bytes += name.length;
    if (S !== undefined) bytes += Buffer.byteLength(S);
    else if (B !== undefined) bytes += B.byteLength;
    else bytes += N === undefined ? 1 : NUMBER_BYTES;
  }
  return bytes;
}

/** What fits a number of DynamoDB; undefined: never. */
function momentOf(expiresAt: number | undefined): number | undefined {
  if (expiresAt === undefined || !(expiresAt <= END_OF_TIME)) return undefined;
  return Math.max(expiresAt, -END_OF_TIME);
}

function numberOf(value: AttributeValue | undefined): number | undefined {
  return value?.N === undefined ? undefined : Number(value.N);
}
