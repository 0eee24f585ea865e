/**
 * npm run profile [-- --backend memory|sqlite] [--hits N]: where the time of a 1 KB hit goes, by function. Self times, by a sampling
 * profiler in the same process, which itself makes all of it slower.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import axios from 'axios';
import Table from 'cli-table3';
import { cacheAdapter, ESM_BUILD } from './built.js';
import { startOrigin } from './origin.js';

const SAMPLING_MICROS = 100;
const WARM_UP = 20_000;
const SHOWN = 30;

const { values: options } = parseArgs({
  options: { backend: { type: 'string', default: 'memory' }, hits: { type: 'string', default: '100000' } },
});

interface Place {
  functionName: string;
  url: string;
  lineNumber: number;
}

const scratch = await mkdtemp(join(tmpdir(), 'axios-stash-profile-'));
const origin = await startOrigin(1024);
const adapter = cacheAdapter({ backend: options.backend, cacheName: join(scratch, 'profile') } as object);
const http = axios.create({ adapter });
await http.get(origin.url);
await origin.close();
for (let n = 0; n < WARM_UP; n++) await http.get(origin.url);

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_MICROS });
await session.post('Profiler.start');
const hits = Number(options.hits);
for (let n = 0; n < hits; n++) await http.get(origin.url);
const { profile } = await session.post('Profiler.stop');
await adapter.close();
await rm(scratch, { recursive: true, force: true });

const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
const byFunction = new Map<string, number>();
const byOwner = new Map<string, number>();
for (const [at, id] of (profile.samples ?? []).entries()) {
  const place = places.get(id);
  const micros = (profile.timeDeltas?.[at] ?? 0) / hits;
  if (place === undefined) continue;
  add(byOwner, ownerOf(place), micros);
  add(byFunction, `${ownerOf(place)}: ${place.functionName || '(anonymous)'}`, micros);
}
print('whose', byOwner);
print('function', byFunction);

function add(sums: Map<string, number>, name: string, micros: number): void {
  sums.set(name, (sums.get(name) ?? 0) + micros);
}

function ownerOf({ url, functionName }: Place): string {
  if (url === ESM_BUILD.href) return 'axios-stash';
  if (url.includes('/node_modules/axios/')) return 'axios';
  if (url.includes('better-sqlite3') || /sqlite/i.test(functionName)) return 'SQLite';
  if (functionName === '(garbage collector)') return 'garbage collector';
  return url === '' ? 'V8 and native code' : 'Node and this script';
}

function print(head: string, sums: ReadonlyMap<string, number>): void {
  const table = new Table({
    head: [head, 'us per hit'],
    colAligns: ['left', 'right'],
    style: { head: [], border: [] },
  });
  const sorted = [...sums].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
  for (const [name, micros] of sorted) table.push([name, micros.toFixed(2)]);
  process.stdout.write(`${table.toString()}\n`);
}
