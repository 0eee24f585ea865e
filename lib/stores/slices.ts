import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MaybePromise } from './store.js';

/** How long one slice should block the event loop, in ms; the house's bound is 50 (design 5), and a commit may add to it. */
const TARGET = 12;
const FIRST = 100;
const MOST = 5000;

/**
 * Runs `step` until it answers true, handing the event loop back in between.
 * Synchronous when the first step suffices.
 */
export function inSlices(step: () => boolean): MaybePromise<void> {
  if (!step()) return finish(step);
}

async function finish(step: () => boolean): Promise<void> {
  do await nextTurn();
  while (!step());
}

/**
 * A step for `inSlices` from work that does at most `limit` items and answers how many it did. The limit follows the
 * time the work took: a row of 1 MB costs what hundreds of small ones do.
 */
export function paced(work: (limit: number) => number): () => boolean {
  let limit = FIRST;
  return () => {
    const start = performance.now();
    const done = work(limit);
    const elapsed = Math.max(performance.now() - start, 0.1);
    const finished = done < limit;
    limit = Math.max(16, Math.min(MOST, limit * 4, Math.round((limit * TARGET) / elapsed)));
    return finished;
  };
}

/** Whether a slice that began at `start` (of `performance.now()`) has had its time. */
export function isSpent(start: number): boolean {
  return performance.now() - start >= TARGET;
}

export { nextTurn };
