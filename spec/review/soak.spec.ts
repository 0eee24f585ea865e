/**
 * A random mix of everything at once, over a store that answers late and fails now and then: every promise settles,
 * every answer is the caller's own and none older than the last unsafe request before it, and nothing is left behind.
 */
import { getEventListeners, setMaxListeners } from 'node:events';
import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import { ResponseCache } from '../../lib/cache.js';
import { Core } from '../../lib/core.js';
import { handle } from '../../lib/handle.js';
import { type CacheOptions, MemoryBackend, type Store } from '../../lib/index.js';
import { until } from '../adapter/support.js';
import { type Handler, Origin, TestClock } from '../support/origin.js';

const URLS = 50;
/** `SOAK_SECONDS=60`: so long each, however much that is. */
const SECONDS = Number(process.env.SOAK_SECONDS ?? 0);
const OPERATIONS = SECONDS > 0 ? Number.POSITIVE_INFINITY : 4000;
const AT_ONCE = 40;
const MOST_SECONDS = SECONDS > 0 ? SECONDS : 20;
const USERS = ['ann', 'bob', undefined];
const LANGUAGES = ['en', 'de'];

/** mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pause = (turns: number) =>
  new Promise<void>((resolve) => (turns < 1 ? setImmediate(resolve) : setTimeout(resolve, turns)));

interface Answer {
  path: string;
  user: string;
  language: string;
  version: number;
}

class World {
  readonly next: () => number;
  /** How often each URL was changed. */
  readonly versions = new Map<string, number>();
  readonly clock = new TestClock();
  readonly wrong: string[] = [];
  readonly #long = new AbortController();
  readonly #token = axios.CancelToken.source();

  constructor(seed: number) {
    this.next = random(seed);
    setMaxListeners(0, this.#long.signal);
  }

  chance(of: number): boolean {
    return this.next() < of;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T;
  }

  readonly handler: Handler = async (req, res, raw) => {
    const path = req.url.split('?')[0] ?? '';
    if (req.method === 'PUT') {
      const version = (this.versions.get(path) ?? 0) + 1;
      this.versions.set(path, version);
      if (this.chance(0.3)) await pause(this.next() * 5);
      return void res.end(String(version));
    }
    const number = Number(path.slice(3));
    const answer: Answer = {
      path,
      user: req.headers.authorization ?? 'nobody',
      language: number % 3 === 0 ? String(req.headers['accept-language']) : 'any',
      version: this.versions.get(path) ?? 0,
    };
    if (this.chance(0.3)) await pause(this.next() * 8);
    if (this.chance(0.04)) return void raw.socket.destroy();
    if (this.chance(0.04)) return void res.writeHead(503).end('trouble');
    const body = JSON.stringify(answer);
    const etag = `"${Buffer.from(body).toString('base64url')}"`;
    if (number % 3 === 0) res.setHeader('vary', 'accept-language');
    if (number % 2 === 0) res.setHeader('etag', etag);
    if (number % 2 === 0 && req.headers['if-none-match'] === etag) return void res.writeHead(304).end();
    res.setHeader('content-type', 'application/json');
    if (this.chance(0.2)) {
      res.write(body.slice(0, 5));
      await pause(this.next() * 5);
      if (this.chance(0.1)) return void raw.socket.destroy();
      return void res.end(body.slice(5));
    }
    res.end(body);
  };

  /** Late, and failing now and then; what fails is not done. A delete does not fail: what it leaves would be served. */
  store(): Store {
    const inner = new MemoryBackend();
    const late = async <T>(work: () => T, canFail: boolean): Promise<T> => {
      if (this.chance(0.5)) await pause(this.next() * 3);
      if (canFail && this.chance(0.05)) throw new Error('injected');
      return work();
    };
    return {
      get: (key) => late(() => inner.get(key), true),
      set: (key, value, meta) => late(() => inner.set(key, value, meta), true),
      delete: (keys) => late(() => inner.delete(keys), false) as Promise<number>,
      clear: () => late(() => inner.clear(), false),
      keys: () => inner.keys(),
      close: () => inner.close(),
      keysByUrl: (url) => late(() => inner.keysByUrl(url), false),
    };
  }

  /** One request, judged. */
  async get(http: AxiosInstance): Promise<void> {
    const path = `/r/${Math.floor(this.next() * URLS)}`;
    const user = this.pick(USERS);
    const language = this.pick(LANGUAGES);
    const config: AxiosRequestConfig = {
      headers: { 'Accept-Language': language, ...(user && { Authorization: user }) },
    };
    let aborting: NodeJS.Timeout | undefined;
    if (this.chance(0.05)) config.forceRefresh = true;
    if (this.chance(0.05)) config.refresh = true;
    if (this.chance(0.03)) config.onlyIfCached = true;
    if (this.chance(0.03)) config.cache = false;
    if (this.chance(0.1)) config.timeout = 1 + Math.floor(this.next() * 10);
    if (this.chance(0.1)) config.responseType = 'stream';
    if (this.chance(0.3)) config.signal = this.#long.signal;
    if (this.chance(0.1)) config.cancelToken = this.#token.token;
    if (this.chance(0.1)) {
      const own = new AbortController();
      config.signal = own.signal;
      aborting = setTimeout(() => own.abort(), this.next() * 8);
    }
    const settled = this.#settledVersions.get(path) ?? 0;
    try {
      const { data } = await http.get(path, config);
      const answer = config.responseType === 'stream' ? await this.#readStream(data) : (data as Answer);
      if (answer === undefined) return;
      const expected = {
        path,
        user: user ?? 'nobody',
        language: Number(path.slice(3)) % 3 === 0 ? language : 'any',
      };
      for (const [name, value] of Object.entries(expected)) {
        const got = answer[name as keyof Answer];
        if (got !== value) this.wrong.push(`${path}: ${name} is ${got}, not ${value}`);
      }
      if (answer.version < settled) {
        this.wrong.push(`${path}: version ${answer.version} after a PUT made it ${settled}`);
      }
    } catch (error) {
      this.#judge(error);
    } finally {
      clearTimeout(aborting);
    }
  }

  readonly #settledVersions = new Map<string, number>();

  async put(http: AxiosInstance): Promise<void> {
    const path = `/r/${Math.floor(this.next() * URLS)}`;
    const { data } = await http.put(path, 'x', { headers: { Authorization: 'ann' } });
    this.#settledVersions.set(path, Math.max(data, this.#settledVersions.get(path) ?? 0));
  }

  async #readStream(stream: AsyncIterable<Buffer> & { destroy(): void }): Promise<Answer | undefined> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) {
      chunks.push(chunk);
      if (this.chance(0.1)) {
        // Leaving the loop should do: on Node 26 it aborts the message's request instead, which does nothing once that is
        // over, and axios' listener stays on the signal, with a cache as without.
        stream.destroy();
        return undefined;
      }
    }
    return JSON.parse(Buffer.concat(chunks).toString()) as Answer;
  }

  /** Only what the network, the origin or the caller did may fail a request. */
  #judge(error: unknown): void {
    const { code, response, message } = error as {
      code?: string;
      response?: { status: number };
      message: string;
    };
    const isKnown =
      (response !== undefined && [503, 504].includes(response.status)) ||
      ['ERR_CANCELED', 'ECONNABORTED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ABORT_ERR'].includes(
        String(code),
      ) ||
      // the oldest axios names an aborted body by a limit that was not set
      /aborted|socket hang up|premature|canceled|size of -1 exceeded/i.test(message);
    if (!isKnown) this.wrong.push(`failed with ${code}: ${message}`);
  }

  changeSettings(core: Core): void {
    const { view } = core.live;
    const change = this.pick([
      () => Object.assign(view, { expireAfter: this.pick([-1, 5, 60]) }),
      () => Object.assign(view, { staleIfError: this.pick([true, false, 30]) }),
      () => Object.assign(view, { staleWhileRevalidate: this.pick([true, false, 30]) }),
      () => Object.assign(view, { alwaysRevalidate: this.chance(0.3) }),
      () => Object.assign(view, { coalesce: this.chance(0.8) }),
      () => Object.assign(view, { maxEntryBytes: this.pick([10, 10_000_000]) }),
      () => Object.assign(view, { frozen: this.chance(0.5) }),
      () => Object.assign(view, { cacheStatusHeader: this.pick(['stash', undefined]) }),
      () => Object.assign(view, { matchHeaders: this.pick([false, ['accept']]) }),
    ]);
    change();
  }

  /** Listeners left on what outlives the requests. */
  leftListeners(): number {
    const { token } = this.#token as unknown as { token: { _listeners?: unknown[] } };
    return getEventListeners(this.#long.signal, 'abort').length + (token._listeners?.length ?? 0);
  }
}

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

interface Bench {
  core: Core;
  cache: ResponseCache;
  http: AxiosInstance;
}

async function work(world: World, { core, cache, http }: Bench): Promise<void> {
  const deadline = performance.now() + MOST_SECONDS * 1000;
  let left = OPERATIONS;
  const operation = async () => {
    const dice = world.next();
    if (dice < 0.9) await world.get(http);
    else if (dice < 0.95) await world.put(http);
    else if (dice < 0.97) world.clock.tick(world.next() * 20);
    else if (dice < 0.985) world.changeSettings(core);
    else if (dice < 0.986) await cache.clear();
    else if (dice < 0.99) await cache.removeExpiredResponses();
    else if (dice < 0.993) await cache.delete({ olderThan: 10 });
    else if (dice < 0.995) await cache.resetExpiration(20);
    else await core.disabled.run(true, () => world.get(http));
  };
  const worker = async () => {
    while (left-- > 0 && performance.now() < deadline) {
      try {
        await operation();
      } catch (error) {
        // Maintenance tells of the store's failures, requests never do.
        if (!/injected/.test(String(error))) world.wrong.push(String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await until(() => core.flights.size === 0);
  await cache.flush();
}

/** How often each kind of answer was met, in all of them: in one of them chance may leave out a rare one. */
const met = new Map<string, number>();

async function soak(world: World, options: CacheOptions): Promise<void> {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', onUnhandled);
  const origin = await Origin.start(world.handler);
  const timersBefore = timers(); // after the first wait: by now mocha has set its own
  const stale = { expireAfter: 10, staleIfError: true, staleWhileRevalidate: true };
  const core = new Core({ clock: world.clock.now, ...stale, ...options } as CacheOptions);
  const adapter = (config: Parameters<typeof handle>[1]) => handle(core, config);
  const http = axios.create({ baseURL: origin.url, adapter });
  try {
    await work(world, { core, cache: new ResponseCache(core), http });
  } finally {
    await core.close();
    await origin.close();
    process.off('unhandledRejection', onUnhandled);
  }
  expect(world.wrong).to.deep.equal([]);
  const { hits, misses, stale: served, revalidated, coalesced } = core.stats;
  for (const [name, count] of Object.entries({ hits, misses, served, revalidated, coalesced }))
    met.set(name, (met.get(name) ?? 0) + count);
  await until(() => world.leftListeners() === 0);
  // Not `until`, which has a timer of its own; the origin may still be pausing over a request that was given up.
  for (let turns = 0; timers() > timersBefore && turns < 1e6; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(timers(), 'timers left').to.be.at.most(timersBefore);
  expect(unhandled).to.deep.equal([]);
}

describe('soak', () => {
  for (const [name, make] of Object.entries({
    'memory, hot records': () => ({ backend: new MemoryBackend() }),
    'a store that is late and fails': (world: World) => ({ backend: world.store() }),
    'sqlite, compressed and encrypted': () => ({
      backend: 'sqlite',
      cacheName: ':memory:',
      compression: { algorithm: 'gzip', threshold: 1 },
      encryptionKey: Buffer.alloc(32, 1),
      maxEntries: 60,
    }),
  } as Record<string, (world: World) => object>)) {
    it(name, async function () {
      this.timeout((MOST_SECONDS + 40) * 1000);
      const seed = Number(process.env.SOAK_SEED ?? 1 + Math.floor(Math.random() * 1e9));
      const world = new World(seed);
      try {
        await soak(world, make(world) as CacheOptions);
      } catch (error) {
        throw new Error(
          `SOAK_SEED=${seed}: ${(error as Error).message}\n${world.wrong.slice(0, 10).join('\n')}`,
        );
      }
    });
  }

  after(() => {
    for (const [name, count] of met) expect(count, name).to.be.greaterThan(0);
  });
});
