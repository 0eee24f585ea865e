/** More invalidated entries than this are not kept in mind for a store that is down. */
const MAX_KEYS = 10_000;

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
      if (this.#keys.size <= MAX_KEYS) continue;
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
