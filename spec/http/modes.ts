/** How a row of the specs about modes is run: the same responses and requests in each mode, each in a rig of its own. */
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import type { CacheOptions, CacheRequestConfig } from '../../lib/index.js';
import { type Rig, rig } from '../support/harness.js';
import { type Handler, TestClock } from '../support/origin.js';

const MODES = {
  off: { cacheControl: false },
  private: { cacheControl: true },
  shared: { cacheControl: true, shared: true },
} as const;

/** What comes out without and with `cacheControl`; in a shared cache as in a private one, unless said. */
export type Outcomes = readonly [off: string, rfc9111: string, shared?: string];

/** One test of one row: it is run in every mode, and what came out is compared all at once. */
export function inEachMode(
  what: string,
  [off, rfc9111, shared = rfc9111]: Outcomes,
  run: (own: Rig) => Promise<string>,
  options: CacheOptions = {},
): void {
  it(`${what}: ${off} | ${rfc9111}${shared === rfc9111 ? '' : ` | shared: ${shared}`}`, async () => {
    const found: Record<string, string> = {};
    for (const [mode, settings] of Object.entries(MODES)) {
      const own = await rig({ ...options, ...settings } as CacheOptions, { validateStatus: null });
      try {
        found[mode] = await run(own);
        expect(own.errors, mode).to.deep.equal([]);
      } finally {
        await own.close();
      }
    }
    expect(found).to.deep.equal({ off, private: rfc9111, shared });
  });
}

/** An HTTP-date so many seconds from where the clock of each rig starts. */
export function at(seconds: number): string {
  return new Date(new TestClock().now() + seconds * 1000).toUTCString();
}

export type Fields = Record<string, string | string[]>;

/** Answers with these headers and no others, not even Date; a success is 304 to whoever asks with a condition. */
export function answering(headers: Fields, status = 200): Handler {
  return ({ headers: { 'if-none-match': etag, 'if-modified-since': since } }, res) => {
    res.sendDate = false;
    const isConditional = status < 300 && (etag !== undefined || since !== undefined);
    res.writeHead(isConditional ? 304 : status, headers);
    res.end(isConditional || status === 204 ? undefined : 'body');
  };
}

/** Stores such a response, which is fresh for 100 s whoever says so, and lets it get so old. */
export async function storeFor100Seconds(own: Rig, headers: Fields, age: number): Promise<void> {
  own.origin.on('/r', answering(headers));
  const { cacheStatus } = await own.http.get('/r');
  expect(cacheStatus).to.include({ stored: true, ttl: 100 });
  own.clock.tick(age);
}

/** Breaks the connection, as an origin that is down. */
export const down: Handler = (_request, _res, raw) => void raw.socket.destroy();

export type Wishes = CacheRequestConfig & Pick<InternalAxiosRequestConfig, 'auth'> & { headers?: Fields };

/**
 * What became of one request: `hit`, `stale (why)`, `revalidated`, `fetched`, another status by its number, or
 * `network error`. Checks that the origin was asked when, and only when, that says so.
 */
export async function outcomeOf({ http, origin }: Rig, wishes: Wishes = {}, method = 'GET'): Promise<string> {
  const before = origin.count;
  const response = await http.request({ ...wishes, method, url: '/r' }).catch(() => undefined);
  if (response === undefined) return 'network error';
  const told = tell(response);
  // A refresh behind a stale response, or a call that failed before it, may come at any time.
  if (!told.startsWith('stale')) {
    const isOwn = told === 'hit' || response.cacheStatus?.detail === 'only-if-cached';
    expect(origin.count - before, told).to.equal(isOwn ? 0 : 1);
  }
  return told;
}

function tell({ fromCache, isExpired, revalidated, status, cacheStatus }: AxiosResponse): string {
  if (revalidated) return 'revalidated';
  if (fromCache) return isExpired ? `stale (${cacheStatus?.detail})` : 'hit';
  return status === 200 ? 'fetched' : String(status);
}

/** How a response was stored, and what the next request at that same moment makes of it: `60 s, hit`. */
export async function fateOf(own: Rig, wishes: Wishes = {}): Promise<string> {
  const first = await own.http.get('/r', wishes);
  const { stored, ttl, detail } = first.cacheStatus ?? { hit: false };
  const next = await outcomeOf(own, wishes);
  if (stored === true) return `${ttl === undefined ? 'never' : `${ttl} s`}, ${next}`;
  expect(next, 'what is not stored is fetched again').to.equal(tell(first));
  return `not stored (${detail})`;
}
