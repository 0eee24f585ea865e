/** More keys than this are not under way at once. */
const MAX_KEYS = 10_000;

/**
 * When something last happened to a key, in the order of `Core.nextSequence`; bounded. Of what was forgotten it is
 * taken to have happened to any key: to err so costs a read or a store, to err the other way an answer.
 */
export class Recent {
  readonly #last = new Map<string, number>();
  #forgotten = 0;

  note(key: string, sequence: number): void {
    this.#last.delete(key);
    this.#last.set(key, sequence);
    if (this.#last.size <= MAX_KEYS) return;
    for (const [oldest, at] of this.#last) {
      this.#forgotten = Math.max(this.#forgotten, at);
      this.#last.delete(oldest);
      return;
    }
  }

  get isEmpty(): boolean {
    return this.#last.size === 0;
  }

  /** 0: never, as far as is known. */
  last(key: string): number {
    return this.#last.get(key) ?? 0;
  }

  hasHappenedSince(key: string, sequence: number): boolean {
    return (this.#last.get(key) ?? this.#forgotten) > sequence;
  }
}
