/** What is known: the outcome of every test, committed, and why some can't pass. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Profile } from './subjects.js';
import type { Outcome, Result } from './suite.js';
import type { Trial } from './trial.js';

const EXPECTED = new URL('expected.json', import.meta.url);
const EXCLUSIONS = new URL('exclusions.json', import.meta.url);

type Expected = Record<Profile, Record<string, Outcome>>;

/** By test id: why it is out of reach, in one profile or in both. */
type Exclusions = Record<Profile | 'both', Record<string, string>>;

export async function readExpected(): Promise<Expected> {
  return JSON.parse(await readFile(EXPECTED, 'utf8')) as Expected;
}

export async function writeExpected(trials: readonly Trial[]): Promise<void> {
  const expected = Object.fromEntries(
    trials.map(({ profile, results }) => [
      profile,
      Object.fromEntries(results.map(({ id, outcome }) => [id, outcome])),
    ]),
  );
  await writeFile(EXPECTED, `${JSON.stringify(expected, undefined, 2)}\n`);
}

export async function readExclusions(): Promise<
  (trial: Pick<Trial, 'profile'>, id: string) => string | undefined
> {
  const exclusions = JSON.parse(await readFile(EXCLUSIONS, 'utf8')) as Exclusions;
  return ({ profile }, id) => exclusions.both[id] ?? exclusions[profile][id];
}

export interface Comparison {
  /** Passed before, does not now. */
  broken: Result[];
  /** Does not pass as before, but otherwise, or passes now, or is new: time for `--update`. */
  changed: Result[];
  /** Required or optimal, does not pass, and nobody has written down why. */
  unexplained: Result[];
  /** Excluded, and passes all the same. */
  needless: Result[];
}

export function compare(
  trial: Trial,
  expected: Expected,
  exclusionOf: (trial: Trial, id: string) => string | undefined,
): Comparison {
  const before = expected[trial.profile];
  const { results } = trial;
  const isExcluded = ({ id }: Result) => exclusionOf(trial, id) !== undefined;
  return {
    broken: results.filter(({ id, outcome }) => before[id] === 'pass' && outcome !== 'pass'),
    changed: results.filter(({ id, outcome }) => before[id] !== 'pass' && before[id] !== outcome),
    unexplained: results.filter((one) => one.kind !== 'check' && one.outcome !== 'pass' && !isExcluded(one)),
    needless: results.filter((one) => one.outcome === 'pass' && isExcluded(one)),
  };
}
