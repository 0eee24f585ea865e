import { createRequire } from 'node:module';
import { CacheDriverMissingError } from '../errors.js';
import { isObject } from './checks.js';

const require = createRequire(import.meta.url);

/**
 * The exports of a driver package, loaded when a backend is constructed and never before. With `through`, the copy
 * that this other package depends on. Throws `CacheDriverMissingError`, which names the package that the user installs.
 */
export function loadDriver(backend: string, name: string, through?: string): Record<string, unknown> {
  try {
    const loaded: unknown =
      through === undefined ? require(name) : createRequire(require.resolve(through))(name);
    if (!isObject(loaded)) throw new TypeError(`${name} exports nothing`);
    return loaded;
  } catch (error) {
    throw new CacheDriverMissingError(backend, through ?? name, error);
  }
}
