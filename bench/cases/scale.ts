/** What a hit, and each way of maintenance, costs among many entries of 1 KB in SQLite. */
import { equal } from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import axios, { type AxiosAdapter } from 'axios';
import { type CacheAdapter, type CacheOptions, cacheAdapter } from '../built.js';
import type { Case, Figure, OpenCase, Subject, Survey } from '../harness.js';
import { jsonBody } from '../subjects.js';

const SMALL = 1000;
const IN_USE = 1000;
// A case is opened without being told the effort, and filling a million takes minutes.
const LARGE = process.argv.includes('--smoke') ? 2000 : entriesOf(process.env.BENCH_SCALE ?? '1000000');
/** Requests under way together while filling: what they write goes to the file together. */
const AT_ONCE = 500;
const HOUR = 3600;
/** How long one piece of work may hold the event loop, ms. */
const MOST_BLOCKED = 50;

const few = `${inWords(SMALL)} entries`;
const someOfMany = `${inWords(LARGE)} entries, ${IN_USE.toLocaleString('en')} in use`;
const allOfMany = `${inWords(LARGE)} entries, all in use`;
/** What is not in use often enough to be in memory is read from the file: to be compared with its like. */
const fewFromFile = `${inWords(SMALL)} entries, from the file`;

export const scaleCases: (Case | Survey)[] = [
  {
    name: 'scale-hit',
    what: `a hit of 1 KB of JSON among ${inWords(LARGE)} entries in SQLite, against one among ${inWords(SMALL)}`,
    limits: [
      { subject: someOfMany, over: few, atMost: 1.15 },
      { subject: allOfMany, over: fewFromFile, atMost: 1.4 },
    ],
    open: openHits,
  },
  {
    name: 'scale',
    what: 'maintenance of 1 KB JSON responses in SQLite; what blocks is the longest turn of the event loop',
    async survey(scratch, { isSmoke }) {
      const sizes = isSmoke ? [200, LARGE] : [SMALL, 100_000, LARGE];
      const figures: Figure[] = [];
      for (const size of new Set(sizes.filter((one) => one <= LARGE))) {
        figures.push(...(await maintenance(join(scratch, `${size}.sqlite`), size)));
      }
      return figures;
    },
  },
  {
    name: 'stalls',
    what: 'misses of 1 KB of JSON one after the other, stored in SQLite; the longest is one that copies the log back',
    survey: (scratch, { isSmoke }) => stalls(join(scratch, 'stalls.sqlite'), isSmoke ? 100 : 10_000),
  },
];

async function stalls(file: string, misses: number): Promise<Figure[]> {
  const adapter = entriesAdapter(file);
  const http = axios.create({ adapter });
  const took: number[] = [];
  const time = new OwnTime();
  for (let n = 0; n < misses; n++) {
    time.lap();
    await http.get(urlOf(n));
    took.push(time.lap());
  }
  await adapter.close();
  took.sort((a, b) => a - b);
  return [
    { name: 'a miss', value: (took[misses >> 1] ?? 0) * 1000, unit: 'us' },
    { name: 'the 99.9th percentile', value: took[Math.floor(misses * 0.999)] ?? 0, unit: 'ms' },
    { name: 'the longest', value: took.at(-1) ?? 0, unit: 'ms', atMost: MOST_BLOCKED },
  ];
}

async function openHits(scratch: string): Promise<OpenCase> {
  const smallFile = join(scratch, 'small.sqlite');
  const largeFile = join(scratch, 'large.sqlite');
  await makeFile(smallFile, SMALL);
  await makeFile(largeFile, LARGE);
  const opened = [
    hits(few, smallFile, () => below(SMALL)),
    hits(fewFromFile, smallFile, () => below(SMALL), { hotBytes: 0 }),
    hits(someOfMany, largeFile, () => below(IN_USE) * Math.floor(LARGE / IN_USE)),
    hits(allOfMany, largeFile, () => below(LARGE)),
  ];
  return {
    subjects: opened.map(({ subject }) => subject),
    async close() {
      for (const { adapter } of opened) await adapter.close();
    },
  };
}

/** Hits of the entries that `next` names; each makes its URL anew, as programs do. */
function hits(
  name: string,
  file: string,
  next: () => number,
  options: CacheOptions = {},
): { subject: Subject; adapter: CacheAdapter } {
  const adapter = entriesAdapter(file, options);
  const http = axios.create({ adapter });
  const subject: Subject = {
    name,
    run: () => http.get(urlOf(next())),
    async prove() {
      for (let i = 0; i < 100; i++) {
        const n = next();
        const { fromCache, data } = await http.get<{ n: number }>(urlOf(n));
        equal(fromCache, true, `${name} is no hit`);
        equal(data.n, n, name);
      }
    },
  };
  return { subject, adapter };
}

function below(bound: number): number {
  return Math.floor(Math.random() * bound);
}

/** All that happens to one file, in an order in which each finds what it needs. */
async function maintenance(file: string, size: number): Promise<Figure[]> {
  const label = inWords(size);
  const filling = await makeFile(file, size);
  const fileBytes = await bytesOnDisk(file);

  const figures: Figure[] = [];
  const note = (name: string, value: number, unit: Figure['unit'], atMost?: number) =>
    figures.push({ name: `${label}: ${name}`, value, unit, ...(atMost !== undefined && { atMost }) });
  const time = async (name: string, unit: 'ms' | 's', expected: number, work: () => Promise<number>) => {
    const { took, blocked } = await watched(name, expected, work);
    note(name, unit === 's' ? took / 1000 : took, unit);
    note(`${name} blocks`, blocked, 'ms', size === LARGE ? MOST_BLOCKED : undefined);
  };

  let ahead = 0;
  const adapter = entriesAdapter(file, { clock: () => Date.now() + ahead });
  const { cache } = adapter;
  try {
    note('a write while filling', (filling * 1000) / size, 'us');
    const opening = new OwnTime();
    equal((await axios.get(urlOf(0), { adapter })).fromCache, true, 'the first entry is no hit');
    note('open, up to the first hit', opening.lap(), 'ms');
    note('file', fileBytes / 1e6, 'MB');
    await time('count()', 'ms', size, () => cache.count());
    await time('urls()', 's', size, async () => (await cache.urls()).length);
    await time('iteration over keys()', 's', size, () => lengthOf(cache.keys()));
    const tenth = size / GROUPS;
    await time('delete({ pattern }) of a tenth', 's', tenth, () => cache.delete({ pattern: GROUP_3 }));
    ahead = 2 * HOUR * 1000;
    const half = (size - tenth) / 2;
    await time('removeExpiredResponses() of half', 's', half, () => adapter.removeExpiredResponses());
    await time('clear() of the rest', 's', 0, async () => {
      await adapter.clear();
      return cache.count();
    });
    note('file after clear()', (await bytesOnDisk(file)) / 1e6, 'MB');
  } finally {
    await adapter.close();
  }
  return figures;
}

/** Does work that has to answer `expected`: milliseconds it took, and those of the longest turn of the event loop meanwhile. */
async function watched(
  name: string,
  expected: number,
  work: () => Promise<number>,
): Promise<{ took: number; blocked: number }> {
  globalThis.gc?.(); // what was done before pays for its own garbage
  const time = new OwnTime();
  let took = 0;
  let blocked = 0;
  const look = (): void => {
    const lap = time.lap();
    took += lap;
    blocked = Math.max(blocked, lap);
  };
  let turn = setImmediate(function again() {
    look();
    turn = setImmediate(again);
  });
  try {
    equal(await work(), expected, name);
    look(); // the last piece was not handed back
    return { took, blocked };
  } finally {
    clearImmediate(turn);
  }
}

/** Milliseconds since it was last read, without those in which other processes had the CPU: it is not we who block then. */
class OwnTime {
  #wall = performance.now();
  #waited = waitedForCpu();

  lap(): number {
    const wall = performance.now();
    const waited = waitedForCpu();
    const lap = wall - this.#wall - Math.max(0, waited - this.#waited);
    this.#wall = wall;
    this.#waited = waited;
    return Math.max(0, lap);
  }
}

const SCHEDSTAT = '/proc/thread-self/schedstat';
const tellsWaiting = existsSync(SCHEDSTAT);

/** Milliseconds that this thread could have run and did not. Only Linux tells: the second number, in nanoseconds. */
function waitedForCpu(): number {
  return tellsWaiting ? Number(readFileSync(SCHEDSTAT, 'latin1').split(' ')[1]) / 1e6 : 0;
}

async function lengthOf(items: AsyncIterable<unknown>): Promise<number> {
  let length = 0;
  for await (const _ of items) length += 1;
  return length;
}

/** With its journals. */
async function bytesOnDisk(file: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(dirname(file))) {
    const path = join(dirname(file), name);
    if (path.startsWith(file)) bytes += (await stat(path)).size;
  }
  return bytes;
}

/** A cache on that file over an origin that is a function: nothing but the cache is timed. */
export function entriesAdapter(file: string, options: CacheOptions = {}): CacheAdapter {
  return cacheAdapter({ backend: 'sqlite', cacheName: file, adapter: origin, ...options });
}

/** Makes a file of entries 0 to `size`, closed; answers the milliseconds that it took. */
export async function makeFile(file: string, size: number): Promise<number> {
  const adapter = entriesAdapter(file);
  const http = axios.create({ adapter });
  const time = new OwnTime();
  for (let first = 0; first < size; first += AT_ONCE) {
    const count = Math.min(AT_ONCE, size - first);
    await Promise.all(Array.from({ length: count }, (_, i) => http.get(urlOf(first + i), lifeOf(first + i))));
    await adapter.cache.flush(); // only so many writes may wait
  }
  const took = time.lap();
  equal(await adapter.cache.count(), size, 'not all was stored');
  await adapter.close();
  return took;
}

const GROUPS = 10;
const GROUP_3 = 'api.example.org/group-3';

export function urlOf(n: number): string {
  return `https://api.example.org/group-${n % GROUPS}/items/${n}`;
}

/** Half of each group expires in an hour. */
function lifeOf(n: number): { expireAfter: number } {
  return { expireAfter: Math.floor(n / GROUPS) % 2 === 0 ? HOUR : -1 };
}

const users = jsonBody(1000);

const origin: AxiosAdapter = async (config) => ({
  data: `{"n":${config.url?.split('/').at(-1)},"users":${users}}`,
  status: 200,
  statusText: 'OK',
  headers: {
    'content-type': 'application/json; charset=utf-8',
    date: 'Tue, 01 Jul 2025 12:00:00 GMT',
    etag: '"33a64df551425fcc55e4d42a148795d9f25f89d4"',
    'cache-control': 'max-age=3600',
    server: 'nginx',
    connection: 'keep-alive',
  },
  config,
  request: {},
  fromCache: false,
  isExpired: false,
  revalidated: false,
});

/** Of BENCH_SCALE. */
function entriesOf(text: string): number {
  const entries = Number(text);
  if (entries >= IN_USE && entries % IN_USE === 0) return entries;
  throw new Error(`BENCH_SCALE takes a multiple of ${IN_USE}, not ${text}`);
}

function inWords(count: number): string {
  if (count % 1_000_000 === 0) return `${count / 1_000_000}m`;
  return count % 1000 === 0 ? `${count / 1000}k` : String(count);
}
