/** Roughly what a Map entry, two strings and the 64 digits of a key take beside the characters. */
const ENTRY_BYTES = 200;

/**
 * Keys already computed, bounded by bytes. Two generations instead of a list: when the young one holds half the
 * limit it becomes the old one and the old one goes, save for what was used since. Deleting from a Map's front one
 * by one costs ten times the hash that this saves.
 */
export class KeyMemo {
  readonly #half: number;
  #young = new Map<string, string>();
  #old = new Map<string, string>();
  #youngBytes = 0;
  #oldBytes = 0;

  constructor(limit = 4 * 1024 * 1024) {
    this.#half = limit / 2;
  }

  get(name: string): string | undefined {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const old = this.#old.get(name);
    if (old !== undefined) this.set(name, old);
    return old;
  }

  set(name: string, key: string): void {
    const bytes = name.length * 2 + ENTRY_BYTES;
    // One giant URL must not push out thousands of others.
    if (bytes > this.#half / 32 || this.#young.has(name)) return;
    if (this.#youngBytes + bytes > this.#half) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(name, key);
    this.#youngBytes += bytes;
  }

  has(name: string): boolean {
    return this.#young.has(name) || this.#old.has(name);
  }

  get bytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
