import { Recent } from '../recent.js';
import type { Store } from '../stores/store.js';
import { Behind } from './behind.js';
import type { StoreFront } from './front.js';
import { OwedDeletes, OwedLookUps } from './owed.js';
import { Watch } from './watch.js';

/** Keys of later versions' records kept in mind. */
const MOST_NEWER = 10_000;

const known = new WeakMap<Store, Known>();

/** One for all caches on the same store object: each has its own hot records, and none may miss what another changes. */
export function knownOf(store: Store): Known {
  let one = known.get(store);
  if (one === undefined) {
    one = new Known();
    known.set(store, one);
  }
  return one;
}

/** What is known of a store's entries beside the store: on the way to it, owed to it, changed of late. */
export class Known {
  readonly behind = new Behind();
  readonly owed = new OwedDeletes();
  readonly owedLookUps = new OwedLookUps();
  readonly #fronts = new Set<StoreFront>();
  readonly #watches = new Set<Watch>();
  /** Keys under which a later version's record was when they were last read: it is not ours to replace. */
  readonly #newer = new Set<string>();
  readonly #changed = new Recent();
  #changes = 0;
  #allChanged = 0;
  #bulks = 0;

  /** Hot records that go when what they are of changes. Returns how to take them back. */
  heed(front: StoreFront): () => void {
    this.#fronts.add(front);
    if (this.#bulks > 0) front.suspend();
    return () => this.#fronts.delete(front);
  }

  /**
   * While the store deletes many by itself. Hot records are of no use meanwhile: an unsafe request would not find by its URL
   * what is gone from the store already, and what is still hot of that would be served afterwards.
   */
  async inBulk<T>(work: () => Promise<T>): Promise<T> {
    this.#bulks += 1;
    for (const front of this.#fronts) front.suspend();
    try {
      return await work();
    } finally {
      this.#bulks -= 1;
      if (this.#bulks === 0) for (const front of this.#fronts) front.resume();
    }
  }

  /** Hears of changes until it is stopped. */
  watch(): Watch {
    const watch = new Watch((one) => this.#watches.delete(one));
    this.#watches.add(watch);
    return watch;
  }

  /** What was in memory of the key holds no longer. `by`: who knows it, since it is its own change. */
  change(key: string, by?: Watch): void {
    for (const front of this.#fronts) front.delete(key);
    this.#newer.delete(key);
    this.#changes += 1;
    this.#changed.note(key, this.#changes);
    if (this.#watches.size === 0) return;
    for (const watch of this.#watches) if (watch !== by) watch.note(key, this.#changes);
  }

  clearHot(): void {
    for (const front of this.#fronts) front.clear();
  }

  /** Forgets what is kept in memory, as many entries of the store are changed at once. */
  forget(): void {
    this.clearHot();
    this.#newer.clear();
    this.#changes += 1;
    this.#allChanged = this.#changes;
    for (const watch of this.#watches) watch.noteAll(this.#changes);
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

  /** Whether what was stored under a key was to be deleted with all of its URL, and could not be found. */
  isOutdated(key: string, tag: () => string): boolean {
    if (this.owedLookUps.isEmpty) return false;
    const since = this.owedLookUps.since(tag());
    return since !== undefined && !this.hasChangedSince(key, since);
  }
}
