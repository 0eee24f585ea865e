/** What the cases time: the floor, a peer, and this package, all answering one URL with the same JSON. */
import { deepEqual, equal } from 'node:assert/strict';
import axios, {
  AxiosHeaders,
  type AxiosInstance,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { buildMemoryStorage, setupCache } from 'axios-cache-interceptor';
import { type CacheAdapter, type CacheOptions, cacheAdapter } from '../lib/index.js';
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

/**
 * Plain axios over an adapter that answers at once with the same string and the same headers, which axios itself
 * goes through on each response: what any hit costs at least.
 */
export async function floor(url: string, body: string): Promise<Subject> {
  const { headers } = await axios.get(url);
  const template = { ...headers };
  const http = axios.create({
    adapter: async (config) => answer(config, body, Object.assign(new AxiosHeaders(), template)),
  });
  return hitSubject('floor', http, url, body, () => {});
}

function answer(config: InternalAxiosRequestConfig, data: string, headers: AxiosHeaders): AxiosResponse {
  const cached = { fromCache: false, isExpired: false, revalidated: false };
  return { data, status: 200, statusText: 'OK', headers, config, request: {}, ...cached };
}

/** axios-cache-interceptor in memory: `safe` clones on the way in and out, else all callers share one object. */
export async function interceptor(
  name: string,
  url: string,
  body: string,
  mode: 'safe' | 'shared',
): Promise<Subject> {
  const storage = buildMemoryStorage(mode === 'safe' ? 'double' : false, false);
  const http = setupCache(axios.create(), { storage, ttl: 1e9, interpretHeader: false });
  await http.get(url);
  return {
    name,
    run: () => http.get(url),
    async prove() {
      const response = await http.get(url);
      equal(response.cached, true, `${name} is no hit`);
      deepEqual(response.data, JSON.parse(body), name);
    },
  };
}

/** This package; the first request stores, and each one timed is a hit. */
export async function ours(
  name: string,
  url: string,
  body: string,
  options: CacheOptions,
): Promise<{ subject: Subject; adapter: CacheAdapter }> {
  const adapter = cacheAdapter(options);
  const http = axios.create({ adapter });
  await http.get(url);
  await adapter.cache.flush();
  const subject = hitSubject(name, http, url, body, (response) => {
    equal(response.fromCache, true, `${name} is no hit`);
  });
  return { subject, adapter };
}

function hitSubject(
  name: string,
  http: AxiosInstance,
  url: string,
  body: string,
  check: (response: AxiosResponse<unknown>) => void,
): Subject {
  return {
    name,
    run: () => http.get(url),
    async prove() {
      const response = await http.get<unknown>(url);
      check(response);
      equal(response.status, 200, name);
      deepEqual(response.data, JSON.parse(body), name);
    },
  };
}
