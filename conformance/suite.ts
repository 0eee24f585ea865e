/** The tests of http-cache-tests, and what the suite itself says of a result. */
import { determineTestResult } from 'http-cache-tests/lib/display.mjs';
import suites from 'http-cache-tests/tests/index.mjs';

export interface Suite {
  name: string;
  id: string;
  tests: SuiteTest[];
}

export interface SuiteTest {
  id: string;
  name: string;
  /** Absent: required. */
  kind?: Kind;
  /** Ids of tests without which this one says nothing. */
  depends_on?: string[];
}

/** By test id: true, or the name and message of what was thrown. */
export type SuiteResults = Record<string, true | [name: string, message: string]>;

/** `required`: the RFC says so; `optimal`: a cache that does not is no good one; `check`: only asks how it is. */
export type Kind = 'required' | 'optimal' | 'check';

/** `setup`: the test never got to its question; `dependency`: one that it builds on failed. */
export type Outcome = 'pass' | 'fail' | 'setup' | 'dependency' | 'retry' | 'harness';

export interface Result {
  id: string;
  name: string;
  kind: Kind;
  outcome: Outcome;
  /** Whether it passed, whatever became of those that it depends on. */
  passedAlone: boolean;
  /** What the suite says went wrong. */
  message?: string;
}

/** By the symbol that the suite shows for it. */
const OUTCOMES = new Map<string, Outcome>([
  ['✅', 'pass'],
  ['Y', 'pass'],
  ['⛔️', 'fail'],
  ['⚠️', 'fail'],
  ['N', 'fail'],
  ['🔹', 'setup'],
  ['⚪️', 'dependency'],
  ['↻', 'retry'],
  ['⁉️', 'harness'],
]);

export { suites };

/** The suites with those tests alone, and what they depend on. */
export function suitesOf(ids: readonly string[]): Suite[] {
  const tests = new Map(suites.flatMap((suite) => suite.tests.map((test) => [test.id, test])));
  const wanted = new Set(ids);
  // A set goes on to what is added while it is gone through.
  for (const id of wanted) for (const needed of tests.get(id)?.depends_on ?? []) wanted.add(needed);
  return suites.map((suite) => ({ ...suite, tests: suite.tests.filter(({ id }) => wanted.has(id)) }));
}

/** The results of those tests that were run, as the suite classifies them, by id. */
export function classify(results: SuiteResults): Result[] {
  return suites
    .flatMap(({ tests }) => tests)
    .filter(({ id }) => id in results)
    .map((test) => resultOf(test, results))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function resultOf({ id, name, kind = 'required' }: SuiteTest, results: SuiteResults): Result {
  const symbol = determineTestResult(suites, id, results)[2];
  const outcome = OUTCOMES.get(symbol);
  if (outcome === undefined) throw new Error(`the suite shows ${symbol} for ${id}, which is not known here`);
  const raw = results[id];
  return {
    id,
    name,
    kind,
    outcome,
    passedAlone: raw === true,
    ...(Array.isArray(raw) && { message: `${raw[0]}: ${raw[1]}` }),
  };
}
