/** One piece of work at a time for each key, in the order in which they came. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` when all work taken before it for `key` is over, whether well or ill. */
  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const mine = before === undefined ? work() : before.then(work, work);
    this.#last.set(key, mine);
    const over = () => {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    };
    mine.then(over, over);
    return mine;
  }
}
