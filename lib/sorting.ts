/** Sorting that hands the event loop back in between: a million strings take seconds. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What is sorted, or merged, in one go: some ms. */
const SLICE = 4096;

/** As `strings.sort()` would have them. */
export async function sortInTurns(strings: readonly string[]): Promise<string[]> {
  let runs: string[][] = [];
  for (let at = 0; at < strings.length; at += SLICE) {
    runs.push(strings.slice(at, at + SLICE).sort());
    if (strings.length > SLICE) await nextTurn();
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let at = 0; at < runs.length; at += 2) {
      const [left, right] = [runs[at] as string[], runs[at + 1]];
      merged.push(right === undefined ? left : await merge(left, right));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge(left: readonly string[], right: readonly string[]): Promise<string[]> {
  const all: string[] = [];
  let [l, r] = [0, 0];
  while (l < left.length || r < right.length) {
    const [a, b] = [left[l], right[r]];
    if (b === undefined || (a !== undefined && a <= b)) {
      all.push(a as string);
      l += 1;
    } else {
      all.push(b);
      r += 1;
    }
    if (all.length % (4 * SLICE) === 0) await nextTurn();
  }
  return all;
}
