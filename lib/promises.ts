import type { MaybePromise } from './stores/store.js';

/** One for all that is waited for, made when first needed: to make and clear one for each would be a part of each read. */
let alive: NodeJS.Timeout | undefined;
let waiting = 0;

/**
 * Keeps the process alive until a promise settles, for somebody who waits for it. The timers that bound a store's
 * operations don't: what nobody waits for any more must not hold the process.
 */
export function keptAlive<T>(waited: MaybePromise<T>): MaybePromise<T> {
  if (!(waited instanceof Promise)) return waited;
  alive ??= setInterval(() => {}, 2 ** 30);
  waiting += 1;
  if (waiting === 1) alive.ref();
  return waited.finally(() => {
    waiting -= 1;
    if (waiting === 0) alive?.unref();
  });
}

/**
 * Goes on with a value, at once when it is there already: an async function in its place would cost a hit a promise and a
 * turn of the microtasks. Where each hit passes, even the closure is spared, by a function for the value that is there
 * and an async one beside it (`planByKey`, `select`).
 */
export function andThen<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/**
 * A store's answer, where a promise of another library or realm (jest's) is made one of ours: from then on
 * `instanceof Promise` tells which of the two it is.
 */
export function native<T>(answer: MaybePromise<T>): MaybePromise<T> {
  return !(answer instanceof Promise) && isThenable(answer) ? Promise.resolve(answer) : answer;
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
