import Table from 'cli-table3';
import type { CaseResult, Estimate, Figure } from './harness.js';

/** A case's result as plain tables: what each subject costs, each limit with its ratio, each figure. */
export function render(result: CaseResult): string {
  const { name, what, rounds, subjects, limits, figures, missing } = result;
  if (missing !== undefined) return `${name}: ${what}: not run, ${missing}`;
  if (rounds === 0) return `${name}: ${what}\n${figureTable(figures)}`;
  const costs = new Table({
    head: ['subject', 'CPU us', 'wall us', 'operations'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const subject of subjects) {
    costs.push([subject.name, micros(subject.cpuMicros), micros(subject.wallMicros), subject.operations]);
  }
  const lines = [`${name}: ${what} (${rounds} rounds)`, costs.toString()];
  if (limits.length > 0) {
    const ratios = new Table({
      head: ['ratio', 'CPU [95 %]', 'wall', 'at most', ''],
      colAligns: ['left', 'right', 'right', 'right', 'left'],
      style: { head: [], border: [] },
    });
    for (const { subject, over, atMost, cpu, wall, verdict } of limits) {
      const interval = `${cpu.median.toFixed(3)} [${cpu.low.toFixed(3)}, ${cpu.high.toFixed(3)}]`;
      ratios.push([`${subject} / ${over}`, interval, wall.median.toFixed(3), atMost.toFixed(2), verdict]);
    }
    lines.push(ratios.toString());
  }
  return lines.join('\n');
}

function micros({ median }: Estimate): string {
  return median.toFixed(median < 100 ? 2 : 0);
}

function figureTable(figures: readonly Figure[]): string {
  const table = new Table({
    head: ['figure', 'value', 'at most', ''],
    colAligns: ['left', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const { name, value, unit, atMost } of figures) {
    const bound = atMost === undefined ? '' : `${atMost} ${unit}`.trim();
    table.push([
      name,
      `${rounded(value)} ${unit}`.trim(),
      bound,
      atMost === undefined ? '' : verdictOf(value, atMost),
    ]);
  }
  return table.toString();
}

export function verdictOf(value: number, atMost: number): 'ok' | 'over' {
  return value <= atMost ? 'ok' : 'over';
}

/** Three digits that mean something. */
export function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}
