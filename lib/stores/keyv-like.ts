import { hasMethods, isObject } from './checks.js';

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

const METHODS = ['get', 'set', 'delete', 'clear'];
const OPTIONAL: Record<string, true> = { iterator: true, on: true, off: true, disconnect: true };

/** A Keyv or a Keyv store adapter. */
export function isKeyvLike(value: unknown): value is KeyvLike {
  return (
    hasMethods(value, METHODS) &&
    Object.keys(OPTIONAL).every((name) => value[name] === undefined || typeof value[name] === 'function')
  );
}

/** A Keyv itself, of either version and from any copy of the package: it holds a store, an adapter is one. */
export function isKeyv(value: unknown): value is KeyvLike & { store: unknown; useKeyPrefix?: unknown } {
  return isKeyvLike(value) && 'store' in value && 'stats' in value && isObject(value.store);
}

/** Whether a store takes the moment of expiry (ms since the epoch, Keyv 6) where those of Keyv 5 take a lifetime. */
export function takesMoment(store: unknown): boolean {
  return isObject(store) && isObject(store.capabilities) && store.capabilities.expires === true;
}

/** Whether a store can list what is in it. */
export function canIterate(store: unknown): boolean {
  if (!hasMethods(store, ['iterator'])) return false;
  const { capabilities } = store;
  const methods = isObject(capabilities) ? capabilities.methods : undefined;
  const iterator = isObject(methods) ? methods.iterator : undefined;
  if (!isObject(iterator) || iterator.exists !== false) return true;
  // Keyv 6 wraps what it is given: the wrapper has an iterator() either way, and describes what is inside. One round
  // a Map walks its entries; one round a store that can't be iterated answers an empty list.
  return hasMethods(store.store, ['entries']);
}
