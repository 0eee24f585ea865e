import { CacheOptionError, shownOf } from '../errors.js';

/** Whether `value` is something that can carry properties. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** Whether `value` has a function under each of the names. */
export function hasMethods(value: unknown, names: readonly string[]): value is Record<string, unknown> {
  return isObject(value) && names.every((name) => typeof value[name] === 'function');
}

/** Throws on an option object that is none, or that has a name which is not among `names`. */
export function assertOptionNames(options: unknown, names: readonly string[], backend: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new CacheOptionError(backend, options, 'allowed: an object of options');
  }
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) {
      const allowed = `${backend} has no such option; it takes ${names.join(', ')}`;
      throw new CacheOptionError(name, shownOf(name, value), allowed);
    }
  }
}

/** Longer no timer of Node waits: beyond 2 ** 31 - 1 ms it fires at once. */
export const MOST_SECONDS = 2_147_483;

/** Throws unless the value is a boolean or absent. */
export function assertBoolean(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new CacheOptionError(option, value, 'allowed: true or false');
  }
}
