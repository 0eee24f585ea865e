import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MaybePromise } from './store.js';

/** How long one slice should block the event loop, in ms; the house's bound is 50 (design 5), and a commit may add to it. */
const TARGET = 12;
/** Items of a slice. */
const FIRST = 50;
const LEAST = 16;
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

/** How many items a slice may take, by what the one before took: a row of 1 MB costs what hundreds of small ones do. */
export class Pace {
  #limit = FIRST;

  get limit(): number {
    return this.#limit;
  }

  /**
   * What the last slice took; and the writing back of what it changed, in a turn of its own, if there was one. That may
   * take as long for one row as for fifty, where the disk is slow to say that it is done.
   */
  took(elapsed: number, writingBack = 0): void {
    const inTime = (this.#limit * TARGET) / Math.max(elapsed, 0.1);
    const writtenInTime = Math.max(FIRST, (this.#limit * 2 * TARGET) / Math.max(writingBack, 0.1));
    const limit = Math.round(Math.min(this.#limit * 4, inTime, writtenInTime));
    this.#limit = Math.max(LEAST, Math.min(MOST, limit));
  }
}

/** Whether a slice that began at `start` (of `performance.now()`) has had its time. */
export function isSpent(start: number): boolean {
  return performance.now() - start >= TARGET;
}

export { nextTurn };
