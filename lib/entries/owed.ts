/** More invalidated entries, or URLs, than this are not kept in mind for a store that is down. */
const MOST = 10_000;

/**
 * Keys whose deletion failed. What is stored there no longer holds (an unsafe request changed it, say), so until it
 * is deleted or replaced after all it must not be served when the store is back.
 */
export class OwedDeletes {
  readonly #keys = new Set<string>();

  has(key: string): boolean {
    return this.#keys.size > 0 && this.#keys.has(key);
  }

  add(keys: readonly string[]): void {
    for (const key of keys) {
      this.#keys.add(key);
      if (this.#keys.size <= MOST) continue;
      for (const oldest of this.#keys) {
        this.#keys.delete(oldest);
        break;
      }
    }
  }

  /** The key was deleted, or written anew. */
  settle(key: string): void {
    if (this.#keys.size > 0) this.#keys.delete(key);
  }

  clear(): void {
    this.#keys.clear();
  }

  list(): string[] {
    return [...this.#keys];
  }
}

/**
 * URLs whose entries could not be looked up to be deleted. Until that is made up for, what is read of one and was
 * written before is not to be served.
 */
export class OwedLookUps {
  readonly #tags = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#tags.size === 0;
  }

  /** `changes`: of `Entries`, by which what is written afterwards is told from what was there. */
  add(tag: string, changes: number): void {
    this.#tags.delete(tag);
    this.#tags.set(tag, changes);
    if (this.#tags.size <= MOST) return;
    for (const oldest of this.#tags.keys()) {
      this.#tags.delete(oldest);
      break;
    }
  }

  /** When the look-up was owed; undefined: it is not. */
  since(tag: string): number | undefined {
    return this.#tags.get(tag);
  }

  /** Done, unless it is owed anew. */
  settle(tag: string, changes: number): void {
    if (this.#tags.get(tag) === changes) this.#tags.delete(tag);
  }

  clear(): void {
    this.#tags.clear();
  }

  list(): [tag: string, changes: number][] {
    return [...this.#tags];
  }
}
