import Table from 'cli-table3';
import type { CaseResult, Estimate } from './harness.js';

/** A case's result as plain tables: what each subject costs, and each limit with its ratio. */
export function render({ name, what, rounds, subjects, limits }: CaseResult): string {
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
