/** Uses that wait to be written. More than this and the longest waiting are forgotten, as when nobody asks for them. */
const MOST = 8192;

/** In the year 2112: no clock is that wrong, but a damaged row may be, after which no number would rise any more. */
const FAR = Number.MAX_SAFE_INTEGER / 2;

/** When which key was last used, as far as the database does not know it yet: a hit must not cost a write. */
export class Touches {
  readonly #waiting = new Map<string, number>();
  #last = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** A moment in microseconds: unique and rising within the process, comparable between processes. */
  now(): number {
    this.#last = Math.max(this.#last + 1, Date.now() * 1000);
    return this.#last;
  }

  /** What others have written counts as a moment that has been, though their clock may have been ahead of this one. */
  follow(used: number): void {
    if (used < FAR) this.#last = Math.max(this.#last, used);
  }

  note(key: string): void {
    this.#waiting.set(key, this.now());
    if (this.#waiting.size <= MOST) return;
    for (const oldest of this.#waiting.keys()) {
      this.#waiting.delete(oldest);
      if (this.#waiting.size <= MOST / 2) return;
    }
  }

  /** The use of this key that waits, which then waits no more. */
  take(key: string): number | undefined {
    const used = this.#waiting.get(key);
    if (used !== undefined) this.#waiting.delete(key);
    return used;
  }

  /** The keys, longest waiting first; those taken meanwhile do not disturb. */
  keys(): Iterable<string> {
    return this.#waiting.keys();
  }

  clear(): void {
    this.#waiting.clear();
  }
}
