/** What the specs of the adapter share: a rig for one spec, gates in place of sleeping, a store that can be told to fail. */
import type { AxiosError } from 'axios';
import { expect } from 'chai';
import type {
  CacheEvent,
  CacheEventName,
  CacheOptions,
  MaybePromise,
  Store,
  StoreMeta,
} from '../../lib/index.js';
import { type Rig, rig } from '../support/harness.js';
import type { Handler } from '../support/origin.js';

/** A spec body with a rig of its own, cleaned up whatever happens. */
export function using(options: CacheOptions, body: (rig: Rig) => Promise<void>): () => Promise<void> {
  return async () => {
    const own = await rig(options);
    try {
      await body(own);
    } finally {
      await own.close();
    }
  };
}

/** A door that somebody waits at until the spec opens it. */
export class Gate {
  open: () => void = () => {};
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

/** Resolves when the condition holds, however many turns of the event loop that takes; gives up well past any test's need. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<AxiosError> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as AxiosError;
  }
  expect.fail(`expected a rejection, got ${String(value)}`);
}

/** Answers with a body and headers; the status is 200 unless given. */
export function answer(body: string, headers: Record<string, string | string[]> = {}, status = 200): Handler {
  return (_req, res) => {
    res.writeHead(status, headers);
    res.end(body);
  };
}

/** Answers 304 while the client's validator is the present one, else 200 with the present body. */
export class Resource {
  body = 'v1';
  etag: string | undefined = '"1"';
  lastModified: string | undefined;
  headers: Record<string, string> = {};

  readonly handler: Handler = (req, res) => {
    const headers: Record<string, string> = { ...this.headers };
    if (this.etag !== undefined) headers.etag = this.etag;
    if (this.lastModified !== undefined) headers['last-modified'] = this.lastModified;
    const known = req.headers['if-none-match'];
    const isSame =
      known === undefined
        ? this.lastModified !== undefined && req.headers['if-modified-since'] === this.lastModified
        : known === this.etag;
    res.writeHead(isSame ? 304 : 200, headers);
    res.end(isSame ? undefined : this.body);
  };
}

/** Everything that the cache says, in order. */
export function recordEvents(
  { adapter }: Pick<Rig, 'adapter'>,
  names: readonly CacheEventName[],
): [string, CacheEvent][] {
  const events: [string, CacheEvent][] = [];
  for (const name of names) adapter.cache.on(name, (event) => events.push([name, event]));
  return events;
}

/** A store that answers with promises, and does what the spec's hooks say first. */
export class RemoteStore implements Store {
  readonly map = new Map<string, Uint8Array>();
  readonly calls: string[] = [];
  /** Awaited before each operation; throws to make it fail. */
  before: (operation: string) => MaybePromise<void> = () => {};
  closed = 0;

  async #step(operation: string): Promise<void> {
    this.calls.push(operation);
    await this.before(operation);
  }
  async get(key: string): Promise<Uint8Array | undefined> {
    await this.#step('get');
    return this.map.get(key);
  }
  async set(key: string, value: Uint8Array, _meta: StoreMeta): Promise<void> {
    await this.#step('set');
    this.map.set(key, value);
  }
  async delete(keys: string[]): Promise<number> {
    await this.#step('delete');
    return keys.filter((key) => this.map.delete(key)).length;
  }
  async clear(): Promise<void> {
    await this.#step('clear');
    this.map.clear();
  }
  async *keys(): AsyncGenerator<string> {
    yield* [...this.map.keys()];
  }
  close(): void {
    this.closed += 1;
  }
}
