/** One network call for many callers. */
import { isDeepStrictEqual } from 'node:util';
import type { InternalAxiosRequestConfig } from 'axios';

/**
 * What decides how a request travels or how much of the answer is taken, yet is not in its key. Requests that differ
 * here do not share a call: one caller's limits, agent or hooks are no business of another's.
 */
const TRANSPORT: readonly string[] = [
  'adapter',
  'beforeRedirect',
  'env',
  'family',
  'fetchOptions',
  'http2Options',
  'httpAgent',
  'httpVersion',
  'httpsAgent',
  'insecureHTTPParser',
  'lookup',
  'maxBodyLength',
  'maxContentLength',
  'maxRate',
  'maxRedirects',
  'proxy',
  'sensitiveHeaders',
  'transport',
  'withCredentials',
];

function travelsAlike(a: InternalAxiosRequestConfig, b: InternalAxiosRequestConfig): boolean {
  const left = a as unknown as Record<string, unknown>;
  const right = b as unknown as Record<string, unknown>;
  return TRANSPORT.every((name) => left[name] === right[name] || isDeepStrictEqual(left[name], right[name]));
}

/** A network call under way. It is aborted when the last of its callers has left. */
export class Flight<Landing> {
  readonly landing: Promise<Landing>;
  readonly config: InternalAxiosRequestConfig;
  readonly #controller: AbortController | undefined;
  readonly #over: () => void;
  #callers = 0;
  #landed = false;

  constructor(
    config: InternalAxiosRequestConfig,
    mayEnd: boolean,
    call: (signal: AbortSignal | undefined) => Promise<Landing>,
    over: () => void,
  ) {
    this.config = config;
    this.#controller = mayEnd ? new AbortController() : undefined;
    this.#over = over;
    const land = () => {
      this.#landed = true;
      over();
    };
    this.landing = call(this.#controller?.signal).finally(land);
    // Each caller handles it; when all have left, nobody does.
    this.landing.catch(() => {});
  }

  board(): void {
    this.#callers += 1;
  }

  leave(): void {
    this.#callers -= 1;
    if (this.#callers > 0 || this.#landed) return;
    this.#over(); // no newcomer may board a call that is being aborted
    this.#controller?.abort();
  }
}

/** The calls under way, by what they ask for. */
export class Flights<Landing> {
  readonly #open = new Map<string, Flight<Landing>>();

  get size(): number {
    return this.#open.size;
  }

  /**
   * Boards the call under way for `route`, or starts one. `shared: false` always starts one that nobody can board. A
   * call whose first caller waits for it to the end (`isPatient`) never has to be aborted, and gets no signal.
   */
  board(
    route: string,
    config: InternalAxiosRequestConfig,
    { isShared, isPatient }: { isShared: boolean; isPatient: boolean },
    call: (signal: AbortSignal | undefined) => Promise<Landing>,
  ): { flight: Flight<Landing>; joined: boolean } {
    const open = isShared ? this.#open.get(route) : undefined;
    if (open !== undefined && travelsAlike(open.config, config)) {
      open.board();
      return { flight: open, joined: true };
    }
    const isListed = isShared && open === undefined;
    const flight: Flight<Landing> = new Flight(config, !isPatient, call, () => {
      if (this.#open.get(route) === flight) this.#open.delete(route);
    });
    if (isListed) this.#open.set(route, flight);
    flight.board();
    return { flight, joined: false };
  }
}
