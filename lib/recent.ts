/** So many keys are kept in mind, and at most twice as many. More are not under way at once. */
const KEYS = 10_000;

/**
 * When something last happened to a key, in the order of `Core.nextSequence`; bounded. Of what was forgotten it is
 * taken to have happened to any key: to err so costs a read or a store, to err the other way an answer.
 * Two generations, as in `KeyMemo`: to delete from a Map's front one by one takes longer than all the rest of a write.
 */
export class Recent {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #newest = 0;
  /** The last that happened to a key of those that are forgotten, or later. */
  #forgotten = 0;
  #newestOfOld = 0;

  note(key: string, sequence: number): void {
    this.#newest = Math.max(this.#newest, sequence);
    this.#young.set(key, sequence);
    if (this.#young.size < KEYS) return;
    this.#forgotten = this.#newestOfOld;
    this.#newestOfOld = this.#newest;
    this.#old = this.#young;
    this.#young = new Map();
  }

  get isEmpty(): boolean {
    return this.#newest === 0;
  }

  /** 0: never, as far as is known. */
  last(key: string): number {
    return this.#young.get(key) ?? this.#old.get(key) ?? 0;
  }

  hasHappenedSince(key: string, sequence: number): boolean {
    return (this.#young.get(key) ?? this.#old.get(key) ?? this.#forgotten) > sequence;
  }
}
