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

/** What a store of Keyv 6 says about itself. */
export interface Capabilities {
  /** It takes the moment of expiry (ms since the epoch) where stores of Keyv 5 take a lifetime. */
  expires: boolean;
  /** Undefined: it does not say. */
  canIterate: boolean | undefined;
}

export function capabilitiesOf(store: unknown): Capabilities {
  const told = isObject(store) ? store.capabilities : undefined;
  if (!isObject(told)) return { expires: false, canIterate: undefined };
  const iterator = isObject(told.methods) ? told.methods.iterator : undefined;
  return {
    expires: told.expires === true,
    canIterate: isObject(iterator) ? iterator.exists === true : undefined,
  };
}
