type Observer = (error: Error, reason: string) => void;

/** Failures that no call can reject with: told to every observer, kept for the first one when there is none yet. */
export class Observers {
  readonly #observers = new Set<Observer>();
  #waiting: [error: Error, reason: string][] = [];

  add(observer: Observer): () => void {
    // A fresh function each time: one observer may subscribe twice.
    const own: Observer = (error, reason) => observer(error, reason);
    this.#observers.add(own);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [error, reason] of waiting) own(error, reason);
    return () => {
      this.#observers.delete(own);
    };
  }

  tell(error: Error, reason: string): void {
    if (this.#observers.size === 0) {
      // Bounded: without an observer nobody may ever come for them.
      if (this.#waiting.length < 20) this.#waiting.push([error, reason]);
      return;
    }
    for (const observer of this.#observers) observer(error, reason);
  }
}
