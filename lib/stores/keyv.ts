import { CacheOptionError, CacheStoreError } from '../errors.js';
import { isObject } from './checks.js';
import { canIterate, isKeyv, isKeyvLike, type KeyvLike, takesMoment } from './keyv-like.js';
import { DEFAULT_TTL_OFFSET, lifetimeOf } from './native-expiry.js';
import { Observers } from './observers.js';
import type { Store, StoreMeta } from './store.js';

/** Before every key of ours, so that what others keep in the same Keyv or Map is told from it. */
const PREFIX = 'axios-stash:';
/** Deletions on their way at the same time. */
const AT_ONCE = 50;

type Target =
  | { kind: 'map'; map: Map<unknown, unknown> }
  | { kind: 'keyv'; keyv: KeyvLike; store: unknown; isPrefixed: boolean }
  | { kind: 'adapter'; keyv: KeyvLike };

/**
 * Keeps the cache in any Keyv (5 or 6), Keyv store adapter or `Map`, as base64 text under keys that begin with
 * `axios-stash:`. `clear()` leaves alone what else is in there as long as the store can be iterated; one that can't
 * is cleared as a whole (of a Keyv: its namespace), and its `keys()` rejects.
 *
 * @example cacheAdapter({ backend: new KeyvBackend(new Keyv(new KeyvPostgres(uri))) })
 */
export class KeyvBackend implements Store {
  readonly #target: Target;
  readonly #name: string;
  readonly #observers = new Observers();
  #inFlight = 0;
  #failures = 0;
  #lastFailure: unknown;
  #closed = false;

  constructor(store: unknown) {
    this.#target = targetOf(store);
    this.#name = nameOf(this.#target);
    // Keyv 6 throws what is emitted without a listener; and Keyv 5 tells of most failures in no other way.
    if (this.#target.kind !== 'map') this.#target.keyv.on?.('error', this.#onError);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const value = await this.#attempt('read', (target) =>
      target.kind === 'map' ? target.map.get(PREFIX + key) : target.keyv.get(PREFIX + key),
    );
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string') return Buffer.from(value, 'base64');
    throw new CacheStoreError(`${this.#name} holds under ${PREFIX}${key} what is not from this cache`);
  }

  async set(key: string, value: Uint8Array, meta: StoreMeta): Promise<void> {
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    await this.#attempt('write', async (target) => {
      if (target.kind === 'map') {
        target.map.set(PREFIX + key, text);
        return;
      }
      const done = await target.keyv.set(PREFIX + key, text, lifetime(target, meta.expiresAt));
      if (done === false) throw this.#lastFailure ?? new Error('set() answered false');
    });
  }

  async delete(keys: string[]): Promise<number> {
    const unique = [...new Set(keys)];
    let deleted = 0;
    for (let at = 0; at < unique.length; at += AT_ONCE) {
      const done = await this.#attempt('delete', (target) =>
        Promise.all(unique.slice(at, at + AT_ONCE).map((key) => deleteOne(target, PREFIX + key))),
      );
      deleted += done.filter((result) => result === true).length;
    }
    return deleted;
  }

  async clear(): Promise<void> {
    const list = this.#list();
    if (list === undefined) {
      await this.#attempt('clear', (target) =>
        target.kind === 'map' ? target.map.clear() : target.keyv.clear(),
      );
      return;
    }
    await this.delete(await list);
  }

  async *keys(): AsyncGenerator<string, void, undefined> {
    const list = this.#list();
    if (list === undefined)
      throw new CacheStoreError(`${this.#name} can't be iterated: its keys are not known`);
    yield* await list;
  }

  /** Disconnects the store too: whoever handed it in and may still want it does not call this (the cache never does). */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const target = this.#target;
    if (target.kind === 'map') return;
    try {
      await target.keyv.disconnect?.();
    } catch (error) {
      throw this.#wrap('close', error);
    }
  }

  observe(observer: (error: Error, reason: string) => void): () => void {
    return this.#observers.add(observer);
  }

  readonly #onError = (error: unknown): void => {
    this.#failures++;
    this.#lastFailure = error;
    // With a call on its way, that call rejects with it.
    if (this.#inFlight === 0) this.#observers.tell(this.#wrap('go on', error), 'store error');
  };

  /** Our keys without the prefix; undefined when the store can't be iterated. */
  #list(): Promise<string[]> | undefined {
    if (this.#closed) return Promise.reject(this.#closedError());
    const target = this.#target;
    if (target.kind === 'map') return Promise.resolve([...ownKeys(target.map, PREFIX)]);
    if (target.kind === 'keyv' && target.store instanceof Map) {
      // Keyv's own iterator would parse, and trip over, the values of others.
      const { namespace } = target.keyv;
      const prefix = target.isPrefixed && namespace ? `${namespace}:${PREFIX}` : PREFIX;
      return Promise.resolve([...ownKeys(target.store, prefix)]);
    }
    const keyv = target.keyv;
    const store = target.kind === 'keyv' ? target.store : keyv;
    if (typeof keyv.iterator !== 'function' || !canIterate(store)) return undefined;
    // All before the first is handed out: the offsets of some stores shift when entries go meanwhile.
    return this.#attempt('list', () => collect(target, keyv.iterator?.(iteratorNamespace(target))));
  }

  /** Does one call, and rejects with what it threw or what the store emitted meanwhile. */
  async #attempt<T>(what: string, work: (target: Target) => T): Promise<Awaited<T>> {
    if (this.#closed) throw this.#closedError();
    const failures = this.#failures;
    this.#inFlight++;
    try {
      const result = await work(this.#target);
      if (this.#failures !== failures) throw this.#lastFailure;
      return result;
    } catch (error) {
      throw this.#wrap(what, error);
    } finally {
      this.#inFlight--;
    }
  }

  #wrap(what: string, error: unknown): CacheStoreError {
    if (error instanceof CacheStoreError) return error;
    return new CacheStoreError(`${this.#name} can't ${what}: ${String(error)}`, error);
  }

  #closedError(): CacheStoreError {
    return new CacheStoreError(`${this.#name} is closed`);
  }
}

function targetOf(store: unknown): Target {
  if (store instanceof Map) return { kind: 'map', map: store };
  if (isKeyv(store))
    return { kind: 'keyv', keyv: store, store: store.store, isPrefixed: store.useKeyPrefix !== false };
  if (isKeyvLike(store)) return { kind: 'adapter', keyv: store };
  throw new CacheOptionError('backend', store, 'KeyvBackend takes a Keyv, a Keyv store adapter or a Map');
}

function nameOf(target: Target): string {
  if (target.kind === 'map') return 'The Map';
  const store = target.kind === 'keyv' ? target.store : target.keyv;
  const name = isObject(store) && typeof store.constructor === 'function' ? store.constructor.name : '';
  return target.kind === 'keyv' ? `Keyv store ${name}` : `Keyv store adapter ${name}`;
}

/** Keyv takes a lifetime in ms, and so do stores of Keyv 5; those of 6 take a moment. Absent: for ever, as would be 0. */
function lifetime(target: Target, expiresAt: number | undefined): number | undefined {
  const now = Date.now();
  const ttl = lifetimeOf(expiresAt, DEFAULT_TTL_OFFSET * 1000, now);
  return ttl !== undefined && target.kind === 'adapter' && takesMoment(target.keyv) ? now + ttl : ttl;
}

function deleteOne(target: Target, key: string): unknown {
  return target.kind === 'map' ? target.map.delete(key) : target.keyv.delete(key);
}

/** What adapters that put a namespace before the keys themselves want to be told; the others list it all by none. */
function iteratorNamespace(target: Target): string | undefined {
  if (target.kind === 'map') return undefined;
  const { keyv } = target;
  return target.kind === 'keyv' || 'createKeyPrefix' in keyv ? keyv.namespace : undefined;
}

async function collect(target: Target, entries: AsyncIterable<unknown> | undefined): Promise<string[]> {
  const keys = new Set<string>();
  for await (const entry of entries ?? []) {
    const key: unknown = Array.isArray(entry) ? entry[0] : entry;
    if (typeof key !== 'string') continue;
    // A namespace with a colon in it stays on in part after Keyv 5 took it off.
    const at = key.indexOf(PREFIX);
    if (at === 0 || (at > 0 && target.kind === 'keyv' && target.keyv.namespace?.includes(':') === true)) {
      keys.add(key.slice(at + PREFIX.length));
    }
  }
  return [...keys];
}

function* ownKeys(map: Map<unknown, unknown>, prefix: string): Generator<string, void, undefined> {
  for (const key of map.keys()) {
    if (typeof key === 'string' && key.startsWith(prefix)) yield key.slice(prefix.length);
  }
}
