/** Many strings: sorting that hands the event loop back in between, for a million takes seconds; what they hold on to. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Strings that are sorted in one go: some ms. */
const RUN = 2048;
/** Strings that are merged in one go. */
const MERGED_AT_ONCE = 8 * RUN;

/** As `[...strings].sort()` would have them. */
export async function sortInTurns(strings: Iterable<string>): Promise<string[]> {
  let runs = await sortedRuns(strings);
  // One count for all merges: of the short ones there are many.
  const left = { inThisTurn: MERGED_AT_ONCE };
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let at = 0; at < runs.length; at += 2) {
      const [first, second] = [runs[at] as string[], runs[at + 1]];
      merged.push(second === undefined ? first : await merge(first, second, left));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function sortedRuns(strings: Iterable<string>): Promise<string[][]> {
  const runs: string[][] = [];
  let run: string[] = [];
  for (const string of strings) {
    run.push(string);
    if (run.length < RUN) continue;
    runs.push(run.sort());
    run = [];
    await nextTurn();
  }
  if (run.length > 0) runs.push(run.sort());
  return runs;
}

async function merge(
  first: readonly string[],
  second: readonly string[],
  left: { inThisTurn: number },
): Promise<string[]> {
  const all: string[] = [];
  let [f, s] = [0, 0];
  while (f < first.length || s < second.length) {
    const [a, b] = [first[f], second[s]];
    if (b === undefined || (a !== undefined && a <= b)) {
      all.push(a as string);
      f += 1;
    } else {
      all.push(b);
      s += 1;
    }
    left.inThisTurn -= 1;
    if (left.inThisTurn > 0) continue;
    await nextTurn();
    left.inThisTurn = MERGED_AT_ONCE;
  }
  return all;
}

/** The same text in memory of its own: a piece of a record's text holds on to all of that, which may be kilobytes. */
export function ownText(text: string): string {
  const copy = Buffer.from(text, 'latin1').toString('latin1');
  return copy === text ? copy : text; // what is not Latin-1 is rare
}
