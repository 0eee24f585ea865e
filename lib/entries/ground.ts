import type { CacheError } from '../errors.js';
import type { RecordCodec } from '../record/codec.js';
import type { StoreRecord } from '../record/record.js';
import type { Store, StoreMeta } from '../stores/store.js';
import type { StoreFront } from './front.js';
import type { Known } from './known.js';
import type { StoreCalls } from './store-calls.js';

/** What reads, writes and look-ups of one store's entries share. */
export interface Ground {
  readonly store: Store;
  readonly calls: StoreCalls;
  readonly codec: RecordCodec;
  /** Shared with the other caches on the store. */
  readonly known: Known;
  /** This cache's own; undefined where nothing is kept in front of the store. */
  readonly hot: StoreFront | undefined;
  readonly isClosed: () => boolean;
  /** What the store is told of a URL. */
  readonly tag: (url: string) => string;
  /** Tags under which the store may have it too, from before a key was rotated. */
  readonly formerTags: (url: string) => readonly string[];
  /** What the store may know of a record. */
  readonly meta: (record: StoreRecord) => StoreMeta;
  /** A failure that rejects nothing is an event. */
  readonly fail: (error: unknown, reason: string, key?: string) => void;
  /** A failure as one of the cache's own errors. */
  readonly asOwn: (error: unknown, reason: string) => CacheError;
}
