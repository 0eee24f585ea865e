/**
 * npm run bench [-- --case NAME]... [--json] [--rounds N] [--smoke] [--check] [--write]
 * NAME may be the beginning of a name. --smoke: a moment per case, to see that all of it runs. --check: fails when
 * something is over its limit beyond doubt. --write: RESULTS.md and its chart.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cases } from './cases/index.js';
import {
  type Case,
  type CaseResult,
  type Effort,
  isOver,
  measure,
  type Survey,
  Unavailable,
} from './harness.js';
import { render } from './report.js';
import { writeResults } from './results.js';

const FULL: Effort = { rounds: 60, blockMs: 60, isSmoke: false };
const SMOKE: Effort = { rounds: 2, blockMs: 4, isSmoke: true };

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    json: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

const chosen = choose(options.case);
const effort: Effort = {
  ...(options.smoke ? SMOKE : FULL),
  ...(options.rounds && { rounds: roundsOf(options.rounds) }),
};

const results: CaseResult[] = [];
for (const one of chosen) {
  const result = await runCase(one, effort);
  results.push(result);
  // A moment's ratios say nothing: a smoke run only tells that the case ran.
  if (options.smoke) process.stdout.write(`${one.name}: ${result.missing ?? 'ran'}\n`);
  else if (!options.json) process.stdout.write(`${render(result)}\n\n`);
}
if (options.json)
  process.stdout.write(`${JSON.stringify({ node: process.version, cases: results }, null, 2)}\n`);

if (options.write) await writeResults(results);
if (options.check && !options.smoke && results.some(isOver)) process.exitCode = 1;

function choose(names: readonly string[]): readonly (Case | Survey)[] {
  if (names.length === 0) return cases;
  const found = cases.filter(({ name }) => names.some((wanted) => name.startsWith(wanted)));
  if (found.length === 0) {
    throw new Error(`no case ${names.join(', ')}; there are ${cases.map(({ name }) => name).join(', ')}`);
  }
  return found;
}

function roundsOf(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds takes a whole number from 1, not ${text}`);
  return rounds;
}

async function runCase(one: Case | Survey, withEffort: Effort): Promise<CaseResult> {
  const { name, what } = one;
  const scratch = await mkdtemp(join(tmpdir(), 'axios-stash-bench-'));
  try {
    if ('survey' in one) {
      const figures = await one.survey(scratch, withEffort);
      return { name, what, rounds: 0, subjects: [], limits: [], figures };
    }
    const open = await one.open(scratch);
    try {
      return await measure(one, open, withEffort);
    } finally {
      await open.close();
    }
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { name, what, rounds: 0, subjects: [], limits: [], figures: [], missing: error.message };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
