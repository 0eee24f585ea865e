/** One caller's patience: its signal, cancel token and timeout, while it waits for what others do. */
import type { InternalAxiosRequestConfig } from 'axios';
import { cancellationOf, endedByFetch, onCancel, timeoutError } from './response/errors.js';
import type { Flavour } from './response/types.js';

/** setTimeout fires at once beyond this. */
const MAX_TIMER = 2 ** 31 - 1;

export class Caller {
  readonly config: InternalAxiosRequestConfig;
  /** Whose manners its errors have: http.js's as long as nothing else is known. */
  flavour: Flavour | undefined;
  /** Its timeout is no number: axios' adapter has an error for that, which is nobody else's. */
  readonly hasBadTimeout: boolean;
  readonly #deadline: number;
  #givenUp: unknown;

  constructor(config: InternalAxiosRequestConfig) {
    this.config = config;
    // Mostly there is none.
    const timeout = config.timeout ? Number.parseInt(String(config.timeout), 10) : 0;
    this.hasBadTimeout = Number.isNaN(timeout);
    // axios treats 0 as none.
    this.#deadline = timeout > 0 ? performance.now() + timeout : Number.POSITIVE_INFINITY;
  }

  /** Throws what axios would reject with, if the caller has already given up. */
  assertPatient(): void {
    const cancellation = cancellationOf(this.config);
    if (cancellation !== undefined) throw this.#giveUp(cancellation);
  }

  #giveUp(error: unknown): unknown {
    this.#givenUp = error;
    return error;
  }

  /** `error` is as http.js makes it. */
  #giveUpInManner(error: unknown): unknown {
    return this.#giveUp(this.flavour === 'fetch' ? endedByFetch(error, this.config) : error);
  }

  /** Whether it waits to the end. */
  get isPatient(): boolean {
    return this.#deadline === Number.POSITIVE_INFINITY && !this.config.signal && !this.config.cancelToken;
  }

  /** Whether its signal or token says so, however it learned of it. */
  get isCancelled(): boolean {
    return cancellationOf(this.config) !== undefined;
  }

  /** Whether this is the error with which the caller itself ended the wait. */
  hasGivenUp(error: unknown): boolean {
    return this.#givenUp !== undefined && this.#givenUp === error;
  }

  /** The promise's outcome, or the caller's own abort or timeout if that comes first: `onGivingUp` is told at once. */
  wait<T>(promise: Promise<T>, onGivingUp: () => void = nothing): Promise<T> {
    if (this.isPatient) return promise;
    const { config } = this;
    return new Promise<T>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const unsubscribe = onCancel(config, (error) => {
        clearTimeout(timer);
        onGivingUp();
        reject(this.#giveUpInManner(error));
      });
      if (this.#deadline !== Number.POSITIVE_INFINITY) {
        timer = setTimeout(
          () => {
            unsubscribe();
            onGivingUp();
            reject(this.#giveUpInManner(timeoutError(config)));
          },
          Math.min(MAX_TIMER, Math.max(0, this.#deadline - performance.now())),
        );
      }
      const settled = () => {
        clearTimeout(timer);
        unsubscribe();
      };
      promise.then(
        (value) => {
          settled();
          resolve(value);
        },
        (error: unknown) => {
          settled();
          reject(error);
        },
      );
    });
  }
}

function nothing(): void {}
