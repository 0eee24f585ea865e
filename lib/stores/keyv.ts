import { CacheOptionError, CacheStoreError, messageOf } from '../errors.js';
import { isObject } from './checks.js';
import { KeyvCalls } from './keyv/calls.js';
import {
  isKeyv,
  isKeyv5,
  isKeyvLike,
  type KeyvInstance,
  type KeyvLike,
  levelsOf,
  takesMoment,
} from './keyv/like.js';
import { type Pages, pagesOf } from './keyv/listing.js';
import { assertUsable, textLimit } from './keyv/stores.js';
import { DEFAULT_TTL_OFFSET, lifetimeOf } from './native-expiry.js';
import { Observers } from './observers.js';
import { Operations } from './operations.js';
import type { Store, StoreMeta } from './store.js';
import { decodeTextKey, encodeTextKey } from './text-keys.js';

/** Before every key of ours, so that what others keep in the same Keyv or Map is told from it. */
const PREFIX = 'axios-stash:';
/** Deletions on their way at the same time. */
const AT_ONCE = 50;
/** The last moment that a Date knows, ms. */
const LAST_MOMENT = 8.64e15;

type Target =
  | { kind: 'map'; map: Map<unknown, unknown> }
  | { kind: 'keyv'; keyv: KeyvInstance; calls: KeyvCalls }
  | { kind: 'adapter'; keyv: KeyvLike; calls: KeyvCalls };

/**
 * Keeps the cache in any Keyv (5 or 6), Keyv store adapter or `Map`, as base64 text under keys that begin with
 * `axios-stash:`. `clear()` leaves alone what else is in there as long as the store can be iterated; one that can't
 * is cleared as a whole (of a Keyv: its namespace), and its `keys()` rejects.
 *
 * A call fails with what the store emits meanwhile, and after 30 s without an answer. What can't be seen from here: a
 * store that answers and emits nothing although it failed, and one that drops entries by a default lifetime of its own
 * (that of a Keyv does not count here).
 *
 * @example cacheAdapter({ backend: new KeyvBackend(new Keyv(new KeyvPostgres(uri))) })
 */
export class KeyvBackend implements Store {
  readonly #target: Target;
  readonly #operations: Operations;
  readonly #observers: Observers;
  readonly #textLimit: number;

  constructor(store: unknown) {
    assertTakes(store);
    const levels = [...levelsOf(store, '')].map((level) => level.store);
    for (const level of levels) assertUsable(level);
    const name = nameOf(store);
    this.#target = targetOf(store, name);
    this.#operations = new Operations(name);
    this.#observers = this.#target.kind === 'map' ? new Observers() : this.#target.calls.observers;
    this.#textLimit = Math.min(...levels.map(textLimit));
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const ownKey = PREFIX + encodeTextKey(key);
    const value = await this.#run('read', (target) => read(target, ownKey));
    if (value === undefined || value === null) return undefined;
    const bytes = bytesOf(value);
    if (bytes !== undefined) return bytes;
    const message = `${this.#operations.name} holds under ${ownKey} what is not from this cache`;
    throw new CacheStoreError(message, undefined, 'entry');
  }

  async set(key: string, value: Uint8Array, meta: StoreMeta): Promise<void> {
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    if (text.length > this.#textLimit) {
      const message = `${this.#operations.name}: can't write ${value.byteLength} bytes: it takes no more than ${this.#textLimit} characters`;
      throw new CacheStoreError(message, undefined, 'entry');
    }
    const ownKey = PREFIX + encodeTextKey(key);
    await this.#run('write', (target) => write(target, ownKey, text, meta.expiresAt));
  }

  async delete(keys: string[]): Promise<number> {
    const unique = [...new Set(keys)].map((key) => PREFIX + encodeTextKey(key));
    let deleted = 0;
    for (let at = 0; at < unique.length; at += AT_ONCE) {
      const done = await this.#run('delete', (target) =>
        Promise.all(unique.slice(at, at + AT_ONCE).map((key) => deleteOne(target, key))),
      );
      deleted += done.filter((result) => result === true).length;
    }
    return deleted;
  }

  /** Never by the store's own clear() where that can be avoided: many take what belongs to others with it. */
  async clear(): Promise<void> {
    const pages = this.#pages();
    if (pages === undefined) {
      await this.#run('clear', (target) => (target.kind === 'map' ? undefined : target.keyv.clear()));
      return;
    }
    for await (const page of pages) await this.delete(ownKeys(page));
  }

  async *keys(): AsyncGenerator<string, void, undefined> {
    const pages = this.#pages();
    if (pages === undefined) {
      throw new CacheStoreError(`${this.#operations.name} can't be iterated: its keys are not known`);
    }
    for await (const page of pages) yield* ownKeys(page);
  }

  /** Disconnects the store too: whoever handed it in and may still want it does not call this (the cache never does). */
  async close(): Promise<void> {
    const target = this.#target;
    if (!this.#operations.close() || target.kind === 'map') return;
    try {
      await target.calls.close(() => target.keyv.disconnect?.());
    } catch (error) {
      throw this.#operations.failure('close', error);
    }
  }

  observe(observer: (error: Error, reason: string) => void): () => void {
    return this.#observers.add(observer);
  }

  /** What our keys are after the prefix, by the page; undefined when the store can't be iterated. */
  #pages(): Pages | undefined {
    const target = this.#target;
    const top = target.kind === 'map' ? target.map : target.keyv;
    return pagesOf(top, PREFIX, (work) => this.#run('list', work));
  }

  async #run<T>(what: string, work: (target: Target) => T | PromiseLike<T>): Promise<T> {
    const target = this.#target;
    return this.#operations.run(what, async () => {
      if (target.kind === 'map') return work(target);
      try {
        return await target.calls.run(() => work(target));
      } catch (error) {
        if (!isOfEntry(error)) throw error;
        const message = `${this.#operations.name}: can't ${what}: ${messageOf(error)}`;
        throw new CacheStoreError(message, error, 'entry');
      }
    });
  }
}

function assertTakes(store: unknown): asserts store is Map<unknown, unknown> | KeyvLike {
  if (store instanceof Map || isKeyvLike(store)) return;
  throw new CacheOptionError('backend', store, 'KeyvBackend takes a Keyv, a Keyv store adapter or a Map');
}

function targetOf(store: Map<unknown, unknown> | KeyvLike, name: string): Target {
  if (store instanceof Map) return { kind: 'map', map: store };
  const calls = KeyvCalls.of(store, name);
  return isKeyv(store) ? { kind: 'keyv', keyv: store, calls } : { kind: 'adapter', keyv: store, calls };
}

function nameOf(top: unknown): string {
  if (top instanceof Map) return 'The Map';
  const store = isKeyv(top) ? top.store : top;
  const name = isObject(store) && typeof store.constructor === 'function' ? store.constructor.name : '';
  return isKeyv(top) ? `Keyv store ${name}` : `Keyv store adapter ${name}`;
}

async function read(target: Target, key: string): Promise<unknown> {
  if (target.kind === 'map') return target.map.get(key);
  const { keyv } = target;
  // get() of Keyv 5 answers undefined when its store rejects, and tells nobody.
  if (!isKeyv5(keyv) || typeof keyv.getRaw !== 'function') return keyv.get(key);
  const raw = await keyv.getRaw(key);
  return isObject(raw) ? raw.value : undefined;
}

/** The bytes of a text that `set` made. */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  // Buffer skips what is no base64, and comes out shorter.
  return value.length === 4 * Math.ceil(bytes.length / 3) ? bytes : undefined;
}

async function write(
  target: Target,
  key: string,
  text: string,
  expiresAt: number | undefined,
): Promise<void> {
  if (target.kind === 'map') {
    target.map.set(key, text);
    return;
  }
  // Keyv 5 and some stores answer true or nothing whatever happened: what they emit then fails this call.
  const done = await target.keyv.set(key, text, lifetime(target, expiresAt));
  if (done === false) throw new Error('set() answered false');
}

/** Keyv takes a lifetime in ms, and so do stores of Keyv 5; those of 6 take a moment. Absent: for ever. */
function lifetime(
  target: Exclude<Target, { kind: 'map' }>,
  expiresAt: number | undefined,
): number | undefined {
  const now = Date.now();
  const ttl = lifetimeOf(expiresAt, DEFAULT_TTL_OFFSET * 1000, now);
  if (ttl === undefined || now + ttl > LAST_MOMENT) {
    // Or a Keyv's own default would apply. Of both versions 0 means for ever, and its store gets none.
    return target.kind === 'keyv' && target.keyv.ttl !== undefined ? 0 : undefined;
  }
  return target.kind === 'adapter' && takesMoment(target.keyv) ? now + ttl : ttl;
}

function deleteOne(target: Target, key: string): unknown {
  return target.kind === 'map' ? target.map.delete(key) : target.keyv.delete(key);
}

/** Whether a failed call is the fault of what is under this key: no JSON, or a Redis value of another type. */
function isOfEntry(error: unknown): boolean {
  return error instanceof SyntaxError || messageOf(error).startsWith('WRONGTYPE');
}

function ownKeys(page: readonly string[]): string[] {
  return page.map(decodeTextKey).filter((key) => key !== undefined);
}
