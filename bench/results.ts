/** RESULTS.md: what a run found, on what, as anyone can read it. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus, release, totalmem, type } from 'node:os';
import { barChart } from './chart.js';
import type { CaseResult, Estimate } from './harness.js';
import { rounded, verdictOf } from './report.js';

/** The packages whose versions decide the figures. */
const PACKAGES = ['axios', 'axios-cache-interceptor', 'undici', 'better-sqlite3', '@redis/client'];
/** What the chart shows. */
const CHARTED = ['hit-1k', 'hit-64k', 'hit-1m'];

export async function writeResults(results: readonly CaseResult[]): Promise<void> {
  const here = new URL('.', import.meta.url);
  const charted = results.filter(({ name }) => CHARTED.includes(name));
  await writeFile(new URL('results.svg', here), barChart(charted));
  await writeFile(new URL('RESULTS.md', here), markdown(results));
}

function markdown(results: readonly CaseResult[]): string {
  const [cpu] = cpus();
  const lines = [
    '# What the bench found',
    '',
    'Written by `npm run bench -- --write`; how it measures: [harness.ts](harness.ts), what it means:',
    '[docs/performance.md](../docs/performance.md).',
    '',
    `- ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${PACKAGES.map(versionOf).join(', ')}`,
    `- ${cpus().length} x ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`,
    '',
    'Microseconds of CPU time per operation (all threads of the process), median of the blocks; ratios are medians of',
    'the ratios within each round, with the 95 % confidence interval of the median. `over`: beyond doubt; `unclear`: the',
    'median is over the limit, the interval is not.',
    '',
    '![hits, as multiples of the floor](results.svg)',
  ];
  for (const result of results) lines.push('', ...section(result));
  return `${lines.join('\n')}\n`;
}

function section({ name, what, rounds, subjects, limits, figures, missing }: CaseResult): string[] {
  const lines = [`## ${name}`, '', `${sentence(what)}${rounds > 0 ? ` ${rounds} rounds.` : ''}`];
  if (missing !== undefined) return [...lines, '', `Not run: ${missing}`];
  if (subjects.length > 0) {
    lines.push('', '| subject | CPU us | wall us |', '|---|--:|--:|');
    for (const one of subjects)
      lines.push(`| ${one.name} | ${median(one.cpuMicros)} | ${median(one.wallMicros)} |`);
  }
  if (limits.length > 0) {
    lines.push('', '| ratio | CPU [95 %] | wall | at most | |', '|---|--:|--:|--:|---|');
    for (const { subject, over, atMost, cpu, wall, verdict } of limits) {
      const interval = `${cpu.median.toFixed(3)} [${cpu.low.toFixed(3)}, ${cpu.high.toFixed(3)}]`;
      lines.push(
        `| ${subject} / ${over} | ${interval} | ${wall.median.toFixed(3)} | ${atMost} | ${verdict} |`,
      );
    }
  }
  if (figures.length > 0) {
    lines.push('', '| figure | value | at most | |', '|---|--:|--:|---|');
    for (const { name: figure, value, unit, atMost } of figures) {
      const judged = atMost === undefined ? ' | ' : `${atMost} ${unit} | ${verdictOf(value, atMost)}`;
      lines.push(`| ${figure} | ${rounded(value)} ${unit} | ${judged} |`);
    }
  }
  return lines;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function median({ median: value }: Estimate): string {
  return rounded(value);
}

function versionOf(name: string): string {
  // By its file: not every package exports it.
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return `${name} ${version}`;
}
