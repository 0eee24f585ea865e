import { hasMethods, isObject } from '../checks.js';

/** What a Keyv (5 or 6) and a Keyv store adapter have in common, as far as it is used here. */
export interface KeyvLike {
  get(key: string): unknown;
  set(key: string, value: string, lifetime?: number): unknown;
  delete(key: string): unknown;
  clear(): unknown;
  iterator?(namespace?: string): AsyncIterable<unknown>;
  on?(event: 'error', listener: (error: unknown) => void): unknown;
  off?(event: 'error', listener: (error: unknown) => void): unknown;
  disconnect?(): unknown;
  namespace?: string | undefined;
}

/** A Keyv: it holds a store, where an adapter is one. */
export interface KeyvInstance extends KeyvLike {
  store: object;
  /** The lifetime of what is set without one, ms. */
  ttl?: unknown;
}

/** One of Keyv 5; those of 6 have no `opts`. */
export interface Keyv5 extends KeyvInstance {
  opts: Record<string, unknown>;
  useKeyPrefix?: unknown;
  /** Since 5.5. */
  getRaw?(key: string): unknown;
}

/** What Keyv 6 puts round a store that is not made for it. */
interface Wrapper {
  store: object;
  namespace?: unknown;
  getKeyPrefix(key: string, namespace: unknown): unknown;
}

const METHODS = ['get', 'set', 'delete', 'clear'];
const OPTIONAL: Record<string, true> = { iterator: true, on: true, off: true, disconnect: true };

/** A Keyv or a Keyv store adapter. */
export function isKeyvLike(value: unknown): value is KeyvLike {
  return (
    hasMethods(value, METHODS) &&
    Object.keys(OPTIONAL).every((name) => value[name] === undefined || typeof value[name] === 'function')
  );
}

/** A Keyv itself, of either version and from any copy of the package. */
export function isKeyv(value: unknown): value is KeyvInstance {
  return isKeyvLike(value) && 'store' in value && 'stats' in value && isObject(value.store);
}

export function isKeyv5(value: unknown): value is Keyv5 {
  return isKeyv(value) && 'opts' in value && isObject(value.opts);
}

/** Whether a store takes the moment of expiry (ms since the epoch, Keyv 6) where those of Keyv 5 take a lifetime. */
export function takesMoment(store: unknown): boolean {
  return isObject(store) && isObject(store.capabilities) && store.capabilities.expires === true;
}

/** A store, and how the keys begin that reach it. */
export interface Level {
  store: unknown;
  prefix: string;
}

/** From what was handed in down to the store itself, each with what those above make of `prefix`. */
export function* levelsOf(store: unknown, prefix: string): Generator<Level, void, undefined> {
  yield { store, prefix };
  if (isKeyv(store)) yield* levelsOf(store.store, isKeyv5(store) ? prefixOfKeyv5(store, prefix) : prefix);
  else if (isWrapper(store))
    yield* levelsOf(store.store, String(store.getKeyPrefix(prefix, store.namespace)));
}

function prefixOfKeyv5({ useKeyPrefix, namespace }: Keyv5, prefix: string): string {
  if (useKeyPrefix === false || !namespace) return prefix;
  const own = `${namespace}:`;
  // Keyv's rule too: what begins with the namespace gets it no second time.
  return prefix.startsWith(own) ? prefix : own + prefix;
}

function isWrapper(value: unknown): value is Wrapper {
  return hasMethods(value, ['getKeyPrefix']) && isObject(value.store);
}

/** Whether a store can list what is in it. */
export function canIterate(store: unknown): store is KeyvLike & Required<Pick<KeyvLike, 'iterator'>> {
  if (!isKeyvLike(store) || store.iterator === undefined) return false;
  const capabilities = 'capabilities' in store ? store.capabilities : undefined;
  const methods = isObject(capabilities) ? capabilities.methods : undefined;
  const iterator = isObject(methods) ? methods.iterator : undefined;
  if (!isObject(iterator) || iterator.exists !== false) return true;
  // Keyv 6 wraps what it is given: the wrapper has an iterator() either way, and describes what is inside. One round
  // a Map walks its entries; one round a store that can't be iterated answers an empty list.
  return 'store' in store && hasMethods(store.store, ['entries']);
}
