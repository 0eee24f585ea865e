/** What a store may know of a record. */
import type { StoreRecord } from '../record/record.js';
import type { StoreMeta } from '../stores/store.js';

export interface MetaOptions {
  /** The `url` that goes into the store's meta. */
  tag: (url: string) => string;
  /** Whether its key can be told from its URL. */
  isPlain: (record: StoreRecord) => boolean;
}

export function metaOf(record: StoreRecord, { tag, isPlain }: MetaOptions): StoreMeta {
  const meta: StoreMeta = { createdAt: record.createdAt, url: tag(urlOf(record)) };
  if (record.kind === 'index') meta.index = true;
  if (isPlain(record)) meta.plain = true;
  const expiresAt = record.kind === 'response' ? record.expiresAt : lastExpiry(record.entries);
  if (expiresAt !== undefined) meta.expiresAt = expiresAt;
  return meta;
}

/** By which a record is looked up: where its request went. */
export function urlOf(record: StoreRecord): string {
  return record.kind === 'response' ? record.request.url : record.url;
}

/** When the last of them expires; undefined if one never does. */
function lastExpiry(entries: readonly { expiresAt?: number }[]): number | undefined {
  let last = 0;
  for (const { expiresAt } of entries) {
    if (expiresAt === undefined) return undefined;
    last = Math.max(last, expiresAt);
  }
  return last;
}
