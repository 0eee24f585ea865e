/** What the specs of ResponseCache share: each is run on a store of every kind. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreateAxiosDefaults } from 'axios';
import {
  type CacheOptions,
  type CacheRequest,
  type MaybePromise,
  MemoryBackend,
  SQLiteBackend,
  type Store,
} from '../../lib/index.js';
import { type Rig, rig } from '../support/harness.js';
import type { Handler } from '../support/origin.js';

/** The six methods that a store must have and no more; each answers later, as a remote store does. */
export class PlainStore implements Store {
  readonly map = new Map<string, Uint8Array>();

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.map.get(key);
  }
  async set(key: string, value: Uint8Array): Promise<void> {
    this.map.set(key, value);
  }
  async delete(keys: string[]): Promise<number> {
    return keys.filter((key) => this.map.delete(key)).length;
  }
  async clear(): Promise<void> {
    this.map.clear();
  }
  async *keys(): AsyncGenerator<string> {
    yield* [...this.map.keys()];
  }
  async close(): Promise<void> {}
}

/** A rig, with what is behind its cache. */
export interface StoredRig extends Rig {
  store: Store;
  /** Spoils the bytes under a key, as a fault of the disk would. */
  damage(key: string): Promise<void>;
}

/** Everything started is closed and removed after the test. Each start has a store of its own. */
export type Start = (
  options?: CacheOptions,
  defaults?: CreateAxiosDefaults,
  fallback?: Handler,
) => Promise<StoredRig>;

const KINDS: Record<string, (directory: string) => Store> = {
  memory: () => new MemoryBackend(),
  sqlite: (directory) => new SQLiteBackend({ cacheName: join(directory, randomUUID()) }),
  'a Store of promises': () => new PlainStore(),
};

/** Runs a suite on memory, on SQLite and on the least that a store can be. */
export function onEachStore(subject: string, suite: (start: Start, makeStore: () => Store) => void): void {
  for (const [name, make] of Object.entries(KINDS)) {
    describe(`${subject} on ${name}`, () => {
      const rigs: Rig[] = [];
      const stores: Store[] = [];
      let directory = '';
      beforeEach(async () => {
        directory = await mkdtemp(join(tmpdir(), 'axios-stash-cache-'));
      });
      afterEach(async () => {
        for (const one of rigs.splice(0)) await one.close();
        for (const one of stores.splice(0)) await one.close();
        await rm(directory, { recursive: true, force: true });
      });
      const makeStore = () => {
        const store = make(directory);
        stores.push(store);
        return store;
      };
      suite(async (options, defaults, fallback) => {
        const store = makeStore();
        const started = await rig({ backend: store, ...options } as CacheOptions, defaults, fallback);
        rigs.push(started);
        const damage = async (key: string) => {
          await started.adapter.cache.flush();
          await store.set(key, Buffer.from('damaged'), {
            createdAt: started.clock.now(),
            url: 'about:blank',
          });
        };
        return { ...started, store, damage };
      }, makeStore);
    });
  }
}

/** One rig per test in memory, closed after it. */
export function inMemory(): typeof rig {
  const rigs: Rig[] = [];
  afterEach(async () => {
    for (const one of rigs.splice(0)) await one.close();
  });
  return async (...given) => {
    const started = await rig(...given);
    rigs.push(started);
    return started;
  };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What a promise rejects with; fails when it does not. */
export async function rejection(promise: MaybePromise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new TypeError(`rejected with no error: ${String(error)}`);
  }
  throw new TypeError('did not reject');
}

/** Answers with the value of a request header, and says that it varies on it. */
export const varying =
  (header: string): Handler =>
  (req, res) => {
    res.setHeader('vary', header);
    res.end(`${header}=${String(req.headers[header.toLowerCase()])}`);
  };

/** Redirects to another path. */
export const redirect =
  (location: string, status = 302): Handler =>
  (_req, res) => {
    res.writeHead(status, { location }).end();
  };

export const keyOnPath = (request: CacheRequest): string =>
  `${request.method} ${new URL(request.url).pathname}`;
