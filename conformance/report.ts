/** Numbers of a run, side by side. */
import Table from 'cli-table3';
import type { Kind, Outcome, Result } from './suite.js';
import type { Trial } from './trial.js';

const KINDS: readonly Kind[] = ['required', 'optimal', 'check'];

/**
 * Passed of all, kind by kind, one row a trial: as the suite counts; then alone, whatever became of the tests they depend
 * on; then of those that are not excluded.
 */
export function scores(trials: readonly Trial[], isExcluded: (trial: Trial, id: string) => boolean): string {
  const table = new Table({
    head: ['profile', 'cache', ...KINDS, 'required failed', 'setup', 'dependency', 'retry'],
    style: { head: [], border: [] },
  });
  for (const trial of trials) {
    const inReach = trial.results.filter(({ id }) => !isExcluded(trial, id));
    const required = ofKind(trial.results, 'required');
    table.push([
      trial.profile,
      trial.subject,
      ...KINDS.map((kind) => passed(ofKind(trial.results, kind), ofKind(inReach, kind))),
      ...(['fail', 'setup', 'dependency', 'retry'] as const).map((outcome) => count(required, outcome)),
    ]);
  }
  return table.toString();
}

function ofKind(results: readonly Result[], kind: Kind): Result[] {
  return results.filter((result) => result.kind === kind);
}

function count(results: readonly Result[], outcome: Outcome): number {
  return results.filter((result) => result.outcome === outcome).length;
}

function passed(results: readonly Result[], inReach: readonly Result[]): string {
  const alone = results.filter(({ passedAlone }) => passedAlone).length;
  const lines = [`${count(results, 'pass')} of ${results.length}`, `${alone} alone`];
  if (inReach.length < results.length) lines.push(`${count(inReach, 'pass')} of ${inReach.length} in reach`);
  return lines.join('\n');
}

export function line({ id, kind, outcome, message }: Result): string {
  return `  ${kind} ${id}: ${outcome}${message === undefined ? '' : ` (${message})`}`;
}
