/**
 * What others change in a store while a piece of maintenance goes on, of however many keys; what it writes itself is not
 * told to it. By the numbers of `Known.changes`.
 */
export class Watch {
  readonly #changed = new Map<string, number>();
  readonly #stop: (watch: Watch) => void;
  #allChanged = 0;

  constructor(stop: (watch: Watch) => void) {
    this.#stop = stop;
  }

  note(key: string, change: number): void {
    this.#changed.set(key, change);
  }

  noteAll(change: number): void {
    this.#allChanged = change;
  }

  hasChangedSince(key: string, changes: number): boolean {
    return Math.max(this.#allChanged, this.#changed.get(key) ?? 0) > changes;
  }

  stop(): void {
    this.#stop(this);
  }
}
