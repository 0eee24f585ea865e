/** What the specs of ResponseCache share: each is run on a store of every kind. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreateAxiosDefaults } from 'axios';
import type { CacheOptions, CacheRequest, MaybePromise, Store } from '../../lib/index.js';
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

/** A cache as in `rig`; everything is closed and removed after the test. */
export type Start = (
  options?: CacheOptions,
  defaults?: CreateAxiosDefaults,
  fallback?: Handler,
) => Promise<Rig>;

const KINDS = {
  memory: () => ({ backend: 'memory' }),
  sqlite: (directory: string) => ({ backend: 'sqlite', cacheName: join(directory, 'cache') }),
  'a Store of promises': () => ({ backend: new PlainStore() }),
} as const;

/** Runs a suite on memory, on SQLite and on the least that a store can be. */
export function onEachStore(subject: string, suite: (start: Start, directory: () => string) => void): void {
  for (const [name, make] of Object.entries(KINDS)) {
    describe(`${subject} on ${name}`, () => {
      const rigs: Rig[] = [];
      let directory = '';
      beforeEach(async () => {
        directory = await mkdtemp(join(tmpdir(), 'axios-stash-cache-'));
      });
      afterEach(async () => {
        for (const one of rigs.splice(0)) await one.close();
        await rm(directory, { recursive: true, force: true });
      });
      suite(
        async (options, defaults, fallback) => {
          const started = await rig({ ...make(directory), ...options } as CacheOptions, defaults, fallback);
          rigs.push(started);
          return started;
        },
        () => directory,
      );
    });
  }
}

/** One rig per test in memory, closed after it. */
export function inMemory(): Start {
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
