/** Reads from configs and agents that come from elsewhere: nothing on `Object.prototype` may matter. */

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** A function with whatever signature; what it returns has to be checked. */
export function isFunction(value: unknown): value is (...args: unknown[]) => unknown {
  return typeof value === 'function';
}

/** An own property of a config. Hot: most are not there at all, which a plain read tells sooner than `hasOwn`. */
export function own(source: object, key: string): unknown {
  const value = (source as Record<string, unknown>)[key];
  return value === undefined || Object.hasOwn(source, key) ? value : undefined;
}

/** Own or inherited from a class, but not from `Object.prototype`: as axios' `getSafeProp` reads `auth` and proxies. */
export function safeProperty(source: unknown, key: string): unknown {
  for (let at = source; isObject(at) && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, key)) return isObject(source) ? Reflect.get(source, key) : undefined;
  }
  return undefined;
}

/** `Object.prototype.toString`'s word for it: tells Blobs and FormData of any realm or polyfill without `instanceof`. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
