import { isThrottled } from './errors.js';

/** Batches of one list that are under way at the same time. */
const AT_ONCE = 4;
/** How often a batch is tried of which nothing gets done. */
const TRIES = 8;
/** Milliseconds. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2000;

/** Does the work in batches of `size`. After a failure no more are begun, and it rejects when all are over. */
export async function inBatches<T>(
  all: readonly T[],
  size: number,
  work: (batch: readonly T[]) => Promise<void>,
): Promise<void> {
  let at = 0;
  const run = async (): Promise<void> => {
    while (at < all.length) {
      const batch = all.slice(at, at + size);
      at += size;
      await work(batch);
    }
  };
  const runs = Array.from({ length: AT_ONCE }, run);
  try {
    await Promise.all(runs);
  } finally {
    at = all.length;
    await Promise.allSettled(runs);
  }
}

/** Repeats the work, which answers with what it has left undone, until all is done. DynamoDB does what it has time for. */
export async function untilDone<T>(
  all: readonly T[],
  pause: (ms: number) => Promise<void>,
  work: (left: readonly T[]) => Promise<readonly T[]>,
): Promise<void> {
  let left = all;
  let cause: unknown;
  for (let tries = 0; tries < TRIES; tries++) {
    const before = left.length;
    try {
      left = await work(left);
    } catch (error) {
      if (!isThrottled(error)) throw error;
      cause = error;
    }
    if (left.length === 0) return;
    if (left.length < before) tries = 0;
    // Of random length, so that those who were refused together don't come back together.
    await pause(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** tries) * Math.random());
  }
  throw new Error(`its throughput is exceeded: ${left.length} of ${all.length} items are left undone`, {
    cause,
  });
}
