import type { MaybePromise } from './stores/store.js';

/**
 * Keeps the process alive until a promise settles, for somebody who waits for it. The timers that bound a store's
 * operations don't: what nobody waits for any more must not hold the process.
 */
export function keptAlive<T>(waited: MaybePromise<T>): MaybePromise<T> {
  if (!(waited instanceof Promise)) return waited;
  const alive = setInterval(() => {}, 2 ** 30);
  return waited.finally(() => clearInterval(alive));
}
