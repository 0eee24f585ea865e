/** What the cases time: the floor, a peer, and this package, all answering one URL with the same JSON. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import axios, {
  AxiosHeaders,
  type AxiosInstance,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { buildMemoryStorage, setupCache } from 'axios-cache-interceptor';
import { Agent, interceptors } from 'undici';
import { type CacheAdapter, type CacheOptions, cacheAdapter } from './built.js';
import type { Subject } from './harness.js';

/** JSON text of about `bytes` bytes: an array of records, as an API would answer. */
export function jsonBody(bytes: number): string {
  const items: unknown[] = [];
  for (let size = 2, id = 0; size < bytes; id++) {
    const item = {
      id,
      name: `user ${id}`,
      email: `user${id}@example.org`,
      active: id % 2 === 0,
      score: id * 1.5,
    };
    items.push(item);
    size += JSON.stringify(item).length + 1;
  }
  return JSON.stringify(items);
}

/** What is asked for, and what has to come. */
export interface Target {
  url: string;
  /** The JSON text, or bytes. */
  body: string | Buffer;
}

/** Of an origin of `bench/origin.ts`. */
export function target(origin: string, bytes: number, kind: 'json' | 'binary'): Target {
  return kind === 'json'
    ? { url: origin, body: jsonBody(bytes) }
    : { url: `${origin}binary`, body: Buffer.alloc(bytes, 0xa5) };
}

/**
 * Plain axios over an adapter that answers at once with the same string, or a copy of the same bytes, and the same
 * headers, which axios itself goes through on each response: what any hit costs at least. `before`: what has to be
 * waited for.
 */
export async function floor(
  name: string,
  { url, body }: Target,
  before?: () => Promise<unknown>,
): Promise<Subject> {
  const { headers } = await axios.get(url);
  const template = { ...headers };
  const copied = () => (typeof body === 'string' ? body : Buffer.from(body));
  const http = axios.create({
    adapter: async (config) => {
      await before?.();
      return answer(config, copied(), Object.assign(new AxiosHeaders(), template));
    },
  });
  return hitSubject(name, http, { url, body }, () => {});
}

function answer(
  config: InternalAxiosRequestConfig,
  data: string | Buffer,
  headers: AxiosHeaders,
): AxiosResponse {
  const cached = { fromCache: false, isExpired: false, revalidated: false };
  return { data, status: 200, statusText: 'OK', headers, config, request: {}, ...cached };
}

/** axios-cache-interceptor in memory: `safe` clones on the way in and out, else all callers share one object. */
export async function interceptor(
  name: string,
  { url, body }: Target,
  mode: 'safe' | 'shared',
): Promise<Subject> {
  const storage = buildMemoryStorage(mode === 'safe' ? 'double' : false, false);
  const http = setupCache(axios.create({ responseType: typeOf(body) }), {
    storage,
    ttl: 1e9,
    interpretHeader: false,
  });
  await http.get(url);
  return {
    name,
    run: () => http.get(url),
    async prove() {
      const response = await http.get(url);
      equal(response.cached, true, `${name} is no hit`);
      assertBody(response.data, body, name);
    },
  };
}

/** undici's cache, in memory, without axios: `request`, and the body read as the caller wants it. */
export async function undici(
  name: string,
  { url, body }: Target,
): Promise<Subject & { close(): Promise<void> }> {
  const agent = new Agent();
  const dispatcher = agent.compose(interceptors.cache({ type: 'private' }));
  const { origin, pathname: path } = new URL(url);
  const ask = async () => {
    const response = await dispatcher.request({ origin, path, method: 'GET' });
    const data =
      typeof body === 'string' ? await response.body.json() : Buffer.from(await response.body.arrayBuffer());
    return { data, headers: response.headers };
  };
  const stored = await ask();
  return {
    name,
    run: ask,
    async prove() {
      const { data, headers } = await ask();
      equal(headers['x-asked'], stored.headers['x-asked'], `${name} is no hit`);
      assertBody(data, body, name);
    },
    close: () => agent.close(),
  };
}

/** This package; the first request stores, and each one timed is a hit. */
export async function ours(
  name: string,
  { url, body }: Target,
  options: CacheOptions,
): Promise<{ subject: Subject; adapter: CacheAdapter }> {
  const adapter = cacheAdapter(options);
  const http = axios.create({ adapter, responseType: typeOf(body) });
  await http.get(url);
  await adapter.cache.flush();
  const subject = hitSubject(name, http, { url, body }, (response) => {
    equal(response.fromCache, true, `${name} is no hit`);
  });
  return { subject, adapter };
}

function typeOf(body: string | Buffer): 'json' | 'arraybuffer' {
  return typeof body === 'string' ? 'json' : 'arraybuffer';
}

/** Right, and the caller's own: what one does to it is nothing to the next. */
function hitSubject(
  name: string,
  http: AxiosInstance,
  { url, body }: Target,
  check: (response: AxiosResponse<unknown>) => void,
): Subject {
  return {
    name,
    run: () => http.get(url),
    async prove() {
      for (const _ of [1, 2]) {
        const response = await http.get<unknown>(url);
        check(response);
        equal(response.status, 200, name);
        assertBody(response.data, body, name);
        spoil(response.data);
      }
    },
  };
}

function spoil(data: unknown): void {
  if (data instanceof Uint8Array) data[0] = 0;
  else if (Array.isArray(data) && !Object.isFrozen(data)) data.pop();
}

function assertBody(data: unknown, body: string | Buffer, name: string): void {
  if (typeof body === 'string') deepEqual(data, JSON.parse(body), name);
  else ok(data instanceof Uint8Array && Buffer.compare(data, body) === 0, name);
}
