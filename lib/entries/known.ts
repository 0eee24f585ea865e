import { Recent } from '../recent.js';
import type { StoreRecord } from '../record/record.js';
import { Behind } from './behind.js';
import type { StoreFront } from './front.js';
import { OwedDeletes, OwedLookUps } from './owed.js';
import { urlOf } from './store-meta.js';

/** Keys of later versions' records kept in mind. */
const MOST_NEWER = 10_000;

/** What this process knows of a store's entries beside the store: decoded, on the way, owed to it, changed of late. */
export class Known {
  readonly hot: StoreFront | undefined;
  readonly behind = new Behind();
  readonly owed = new OwedDeletes();
  readonly owedLookUps = new OwedLookUps();
  isClosed = false;
  /** Keys under which a later version's record was when they were last read: it is not ours to replace. */
  readonly #newer = new Set<string>();
  readonly #changed = new Recent();
  readonly #tag: (url: string) => string;
  #changes = 0;
  #allChanged = 0;

  constructor(hot: StoreFront | undefined, tag: (url: string) => string) {
    this.hot = hot;
    this.#tag = tag;
  }

  /** What was in memory of the key holds no longer. */
  change(key: string): void {
    this.hot?.delete(key);
    this.#newer.delete(key);
    this.#changes += 1;
    this.#changed.note(key, this.#changes);
  }

  /** Forgets what is kept in memory, as many entries of the store are changed at once. */
  forget(): void {
    this.hot?.clear();
    this.#newer.clear();
    this.#changes += 1;
    this.#allChanged = this.#changes;
  }

  /** For `hasChangedSince`. */
  get changes(): number {
    return this.#changes;
  }

  /** Whether the key has been written or deleted here since `changes` was this. */
  hasChangedSince(key: string, changes: number): boolean {
    return this.#allChanged > changes || this.#changed.hasHappenedSince(key, changes);
  }

  isNewer(key: string): boolean {
    return this.#newer.has(key);
  }

  noteNewer(key: string): void {
    if (this.#newer.size >= MOST_NEWER) this.#newer.clear(); // each write follows a read, which notes it again
    this.#newer.add(key);
  }

  /** It is read again. */
  forgetNewer(key: string): void {
    if (this.#newer.size > 0) this.#newer.delete(key);
  }

  /** Whether it was to be deleted with all of its URL, and could not be found. */
  isOutdated(key: string, record: StoreRecord): boolean {
    if (this.owedLookUps.isEmpty) return false;
    const since = this.owedLookUps.since(this.#tag(urlOf(record)));
    return since !== undefined && !this.hasChangedSince(key, since);
  }
}
