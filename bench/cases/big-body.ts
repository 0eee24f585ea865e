/** A body of 50 MB: how long, how much memory, how soon its first byte. */
import { equal } from 'node:assert/strict';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import axios, { type AxiosInstance } from 'axios';
import { cacheAdapter } from '../built.js';
import { type Case, type Effort, estimate, type Figure, type Survey } from '../harness.js';
import { startOrigin } from '../origin.js';
import { ours, target } from '../subjects.js';

const BYTES = 50 * 1024 * 1024;
const MIB = 2 ** 20;

export const bigBodyCases: (Case | Survey)[] = [
  {
    name: 'body-50m',
    what: 'a hit of 50 MiB as an ArrayBuffer, against one copy of the bytes',
    limits: [
      { subject: 'memory', over: 'one copy', atMost: 1.1 },
      { subject: 'sqlite', over: 'one copy', atMost: 3 },
    ],
    async open(scratch) {
      const origin = await startOrigin(BYTES);
      const wanted = target(origin.url, BYTES, 'binary');
      const bytes = wanted.body as Buffer;
      const cached = [
        await ours('memory', wanted, { backend: 'memory' }),
        await ours('sqlite', wanted, { backend: 'sqlite', cacheName: join(scratch, 'body') }),
      ];
      const copy = { name: 'one copy', run: () => Buffer.from(bytes), prove: async () => {} };
      return {
        subjects: [copy, ...cached.map(({ subject }) => subject)],
        async close() {
          for (const { adapter } of cached) await adapter.close();
          await origin.close();
        },
      };
    },
  },
  {
    name: 'stream-50m',
    what: 'a miss of 50 MiB as a stream, against plain axios',
    async survey(scratch, effort) {
      const origin = await startOrigin(BYTES);
      const small = await startOrigin(1024);
      const adapters = {
        memory: cacheAdapter({ backend: 'memory' }),
        sqlite: cacheAdapter({ backend: 'sqlite', cacheName: join(scratch, 'stream') }),
        unstored: cacheAdapter({ backend: 'memory', maxEntryBytes: MIB }),
      };
      try {
        return await streamed(`${origin.url}binary`, `${small.url}binary`, adapters, effort);
      } finally {
        for (const adapter of Object.values(adapters)) await adapter.close();
        await small.close();
        await origin.close();
      }
    },
  },
];

/** A full collection takes compiled code with it: the first byte would wait for that, ours, axios' and Node's. */
async function warmUp(http: AxiosInstance, url: string, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    const { data } = await http.get<Readable>(`${url}-${n}`, { responseType: 'stream' });
    for await (const _ of data);
  }
}

type Adapters = Record<'memory' | 'sqlite' | 'unstored', ReturnType<typeof cacheAdapter>>;

async function streamed(
  url: string,
  smallUrl: string,
  adapters: Adapters,
  { isSmoke }: Effort,
): Promise<Figure[]> {
  const clients: Record<string, AxiosInstance> = { plain: axios.create() };
  for (const [name, adapter] of Object.entries(adapters)) clients[name] = axios.create({ adapter });
  const seen: Record<string, Reading[]> = { plain: [], memory: [], sqlite: [], unstored: [] };
  for (let round = 0; round < (isSmoke ? 2 : 15); round++) {
    for (const [name, http] of Object.entries(clients)) {
      globalThis.gc?.();
      await warmUp(http, `${smallUrl}?round=${round}-${name}`, isSmoke ? 2 : 200);
      seen[name]?.push(await read(http, `${url}?round=${round}-${name}`));
      for (const adapter of Object.values(adapters)) await adapter.clear();
    }
  }
  const of = (name: string, what: keyof Reading): number =>
    estimate((seen[name] ?? []).map((one) => one[what])).median;
  const over = (name: string, what: keyof Reading): number => of(name, what) / of('plain', what);
  return [
    { name: 'plain axios: first byte', value: of('plain', 'firstByte'), unit: 'ms' },
    { name: 'plain axios: all of it', value: of('plain', 'whole'), unit: 'ms' },
    ...['memory', 'sqlite'].flatMap((name): Figure[] => [
      { name: `${name}: first byte, x plain axios`, value: over(name, 'firstByte'), unit: 'x', atMost: 1.2 },
      { name: `${name}: all of it, x plain axios`, value: over(name, 'whole'), unit: 'x' },
    ]),
    { name: 'plain axios: bytes held at most', value: of('plain', 'held'), unit: 'MB' },
    { name: 'memory: bytes held at most', value: of('memory', 'held'), unit: 'MB' },
    // The part that is given up when the bound is met, and what the garbage collector has not seen yet.
    {
      name: 'maxEntryBytes 1 MiB: bytes held at most, more than plain axios',
      value: of('unstored', 'held') - of('plain', 'held'),
      unit: 'MB',
      atMost: 8,
    },
  ];
}

/** Milliseconds, and MiB of buffers. */
interface Reading {
  firstByte: number;
  whole: number;
  held: number;
}

async function read(http: AxiosInstance, url: string): Promise<Reading> {
  const before = process.memoryUsage().arrayBuffers;
  const began = performance.now();
  const { data } = await http.get<Readable>(url, { responseType: 'stream' });
  let firstByte = 0;
  let held = 0;
  let length = 0;
  let sampled = 0;
  for await (const chunk of data as AsyncIterable<Buffer>) {
    if (length === 0) firstByte = performance.now() - began;
    length += chunk.length;
    if (length - sampled < MIB) continue;
    sampled = length;
    held = Math.max(held, process.memoryUsage().arrayBuffers - before);
  }
  equal(length, BYTES);
  return { firstByte, whole: performance.now() - began, held: held / MIB };
}
