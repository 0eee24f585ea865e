interface Call {
  /** Of `performance.now()`. */
  readonly since: number;
  readonly reject: (error: unknown) => void;
}

/**
 * Commands that were sent and not answered yet. The driver waits for an answer for as long as the connection seems to
 * stand, which behind a dead peer is a quarter of an hour; here one is given up after `limit` milliseconds.
 */
export class InFlight {
  readonly #calls = new Set<Call>();
  readonly #limit: number;
  readonly #onSilence: (error: Error) => void;
  #timer: NodeJS.Timeout | undefined;
  #onIdle: (() => void) | undefined;
  /** Given up, while the driver still waits for them. */
  #abandoned = 0;

  /** `onSilence`: a command was given up. */
  constructor(limit: number, onSilence: (error: Error) => void) {
    this.#limit = limit;
    this.#onSilence = onSilence;
  }

  get size(): number {
    return this.#calls.size;
  }

  get abandoned(): number {
    return this.#abandoned;
  }

  track<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = { since: performance.now(), reject };
      this.#calls.add(call);
      this.#timer ??= this.#lookIn(this.#limit);
      answer.then(
        (value) => {
          this.#settled(call);
          resolve(value);
        },
        (error: unknown) => {
          this.#settled(call);
          reject(error);
        },
      );
    });
  }

  /** All that is on its way now fails. */
  rejectAll(error: unknown): void {
    for (const call of this.#calls) this.#abandon(call, error);
  }

  /** Waits until nothing is on its way, at most `limit` milliseconds; then what still is fails. */
  async drain(limit: number, error: unknown): Promise<void> {
    if (this.#calls.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limit);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.rejectAll(error);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #lookIn(delay: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      // Answers that came while the process was busy or stopped are read first.
      setImmediate(() => this.#look());
    }, delay);
    return timer.unref();
  }

  #look(): void {
    this.#timer = undefined;
    const now = performance.now();
    const error = new Error(`no answer within ${this.#limit / 1000} s`);
    let isSilent = false;
    for (const call of this.#calls) {
      const left = call.since + this.#limit - now;
      if (left > 0) {
        this.#timer = this.#lookIn(left);
        break;
      }
      this.#abandon(call, error);
      isSilent = true;
    }
    if (isSilent) this.#onSilence(error);
  }

  #abandon(call: Call, error: unknown): void {
    this.#remove(call);
    this.#abandoned += 1;
    call.reject(error);
  }

  #settled(call: Call): void {
    if (!this.#remove(call)) this.#abandoned -= 1;
  }

  #remove(call: Call): boolean {
    const was = this.#calls.delete(call);
    if (was && this.#calls.size === 0) this.#onIdle?.();
    return was;
  }
}
