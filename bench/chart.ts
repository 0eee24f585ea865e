/** Costs of hits as bars, each case on a scale of its own: multiples of the floor. */
import type { CaseResult } from './harness.js';

const WIDTH = 720;
const LABELS = 170;
const ROW = 20;
const HEAD = 34;
const OURS = /^(memory|sqlite)/;

export function barChart(results: readonly CaseResult[]): string {
  const parts: string[] = [];
  let top = 10;
  for (const { what, subjects } of results) {
    const floor = subjects.find(({ name }) => name === 'floor')?.cpuMicros.median ?? 1;
    const bars = subjects.map(({ name, cpuMicros }) => ({ name, times: cpuMicros.median / floor }));
    const longest = Math.max(...bars.map(({ times }) => times));
    parts.push(text(0, top + 14, `${what}, x floor (CPU time)`, 'head'));
    for (const [at, { name, times }] of bars.entries()) {
      const y = top + HEAD - 10 + at * ROW;
      const length = (times / longest) * (WIDTH - LABELS - 60);
      parts.push(
        text(LABELS - 8, y + 13, name, 'label'),
        `<rect x="${LABELS}" y="${y + 2}" width="${length.toFixed(1)}" height="${ROW - 5}" class="${kindOf(name)}"/>`,
        text(LABELS + length + 6, y + 13, times.toFixed(2), 'value'),
      );
    }
    top += HEAD + bars.length * ROW + 6;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" font-family="sans-serif" font-size="12">
<title>What a hit costs, as multiples of the floor</title>
<style>rect.ours{fill:#2a6fdb}rect.peer{fill:#9aa4b2}rect.floor{fill:#d5dae1}text{fill:#222}.label{text-anchor:end}.head{font-weight:bold}
@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>
${parts.join('\n')}
</svg>
`;
}

function kindOf(name: string): 'floor' | 'ours' | 'peer' {
  if (name === 'floor') return 'floor';
  return OURS.test(name) ? 'ours' : 'peer';
}

function text(x: number, y: number, content: string, style: string): string {
  return `<text x="${x.toFixed(1)}" y="${y}" class="${style}">${content.replace(/[<&]/g, '')}</text>`;
}
