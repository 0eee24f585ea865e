/** Work that is under way: some that no call waits for, and calls that `settle` should wait for. */
export class Background {
  readonly #pending = new Set<Promise<unknown>>();

  /** Starts what no call waits for; `failed` is handed what it rejects with. */
  run(work: () => Promise<unknown>, failed: (error: unknown) => void): void {
    void this.follow(work().catch(failed));
  }

  follow<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    const over = () => {
      this.#pending.delete(work);
    };
    work.then(over, over);
    return work;
  }

  /** Waits until nothing is under way, for `limit` milliseconds at most. */
  settle(limit: number): Promise<unknown> {
    return within(limit, Promise.allSettled(this.#pending));
  }
}

/** Resolves when `work` is over, well or ill, or after `limit` milliseconds. */
export async function within(limit: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const elapsed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limit);
  });
  await Promise.race([work.then(nothing, nothing), elapsed]);
  clearTimeout(timer);
}

function nothing(): void {}
