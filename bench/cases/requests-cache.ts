/** A hit, against the same hit through Python's requests-cache. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Effort, type Figure, measure, type Survey, Unavailable } from '../harness.js';
import { startOrigin } from '../origin.js';
import { ours, target } from '../subjects.js';

const SCRIPT = fileURLToPath(new URL('../requests_cache_hits.py', import.meta.url));
const PYTHON = process.env.BENCH_PYTHON ?? 'python3';

const KIB = 1024;
const sizes = [
  { label: '1 KB', bytes: KIB },
  { label: '64 KB', bytes: 64 * KIB },
];
const backends = ['memory', 'sqlite'] as const;

export const requestsCacheCases: Survey[] = [
  {
    name: 'requests-cache',
    what: "hits of JSON, parsed, against those of Python's requests-cache; CPU time, both with their defaults",
    async survey(scratch, effort) {
      const figures: Figure[] = [];
      for (const { label, bytes } of sizes) {
        const { url, close } = await startOrigin(bytes);
        try {
          for (const backend of backends) {
            const hit = { label: `${label}, ${backend}`, url, bytes, backend };
            figures.push(...(await compare(hit, join(scratch, `${backend}-${bytes}`), effort)));
          }
        } finally {
          await close();
        }
      }
      return figures;
    },
  },
];

interface Hit {
  label: string;
  url: string;
  bytes: number;
  backend: (typeof backends)[number];
}

async function compare(hit: Hit, file: string, effort: Effort): Promise<Figure[]> {
  const { label } = hit;
  const { micros, version, python } = await theirs(hit, `${file}-theirs.sqlite`, effort);
  const own = await ownMicros(hit, `${file}-ours.sqlite`, effort);
  return [
    { name: `${label}: requests-cache ${version} on Python ${python}`, value: micros, unit: 'us' },
    { name: `${label}: this package`, value: own, unit: 'us' },
    { name: `${label}: this package / requests-cache`, value: own / micros, unit: 'x', atMost: 1 },
  ];
}

/** CPU time of a hit. */
async function ownMicros({ url, bytes, backend }: Hit, cacheName: string, effort: Effort): Promise<number> {
  const { subject, adapter } = await ours(backend, target(url, bytes, 'json'), { backend, cacheName });
  const only = { subjects: [subject], close: () => adapter.close() };
  try {
    const alone = { name: '', what: '', limits: [], open: async () => only };
    const { subjects } = await measure(alone, only, effort);
    return subjects[0]?.cpuMicros.median ?? Number.NaN;
  } finally {
    await only.close();
  }
}

interface Theirs {
  micros: number;
  version: string;
  python: string;
}

async function theirs({ url, backend }: Hit, cacheName: string, effort: Effort): Promise<Theirs> {
  const args = [SCRIPT, url, backend, cacheName, String(effort.rounds), String(effort.blockMs)];
  try {
    const { stdout } = await promisify(execFile)(PYTHON, args);
    return JSON.parse(stdout) as Theirs;
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new Unavailable(
      `${PYTHON} has no requests-cache: python3 -m pip install requests-cache, or BENCH_PYTHON=/path/to/python`,
    );
  }
}

/** No Python, or the script's word that there is no module. */
function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 127 || code === 69;
}
