/** A hit, against the floor, axios-cache-interceptor and undici's cache. */
import { join } from 'node:path';
import type { Case, Limit } from '../harness.js';
import { startOrigin } from '../origin.js';
import { floor, interceptor, ours, target, undici } from '../subjects.js';

interface Size {
  name: string;
  bytes: number;
  kind: 'json' | 'binary';
  /** At most so many times the floor, and axios-cache-interceptor's safe mode; none: only shown. */
  memory?: [floor: number, safe: number];
  sqlite?: [floor: number, safe: number];
}

const KIB = 1024;

const sizes: Size[] = [
  { name: 'hit-1k', bytes: KIB, kind: 'json', memory: [1.12, 0.75], sqlite: [1.2, 0.8] },
  { name: 'hit-2.9k', bytes: 2900, kind: 'json' },
  { name: 'hit-64k', bytes: 64 * KIB, kind: 'json', memory: [1.04, 0.45], sqlite: [1.06, 0.5] },
  { name: 'hit-1m', bytes: KIB * KIB, kind: 'json', memory: [1.03, 0.42], sqlite: [1.04, 0.45] },
  { name: 'hit-1m-binary', bytes: KIB * KIB, kind: 'binary' },
];

export const hitCases: Case[] = sizes.map(({ name, bytes, kind, memory, sqlite }) => ({
  name,
  what: `a hit of ${bytes < KIB * KIB ? `${(bytes / 1000).toFixed(1)} kB` : '1 MiB'} of ${kind === 'json' ? 'JSON' : 'bytes'}`,
  limits: [
    ...limits('memory', memory),
    ...limits('sqlite', sqlite),
    // Both hand out one object to all callers; only ours can't be changed by one for the others.
    ...(name === 'hit-64k' ? [{ subject: 'memory frozen', over: 'interceptor shared', atMost: 1 }] : []),
  ],
  async open(scratch) {
    const origin = await startOrigin(bytes);
    const wanted = target(origin.url, bytes, kind);
    const cached = [
      await ours('memory', wanted, { backend: 'memory' }),
      await ours('sqlite', wanted, { backend: 'sqlite', cacheName: join(scratch, name) }),
    ];
    if (kind === 'json')
      cached.push(await ours('memory frozen', wanted, { backend: 'memory', frozen: true }));
    const peer = await undici('undici cache', wanted);
    return {
      subjects: [
        await floor('floor', wanted),
        await interceptor('interceptor safe', wanted, 'safe'),
        await interceptor('interceptor shared', wanted, 'shared'),
        peer,
        ...cached.map(({ subject }) => subject),
      ],
      async close() {
        for (const { adapter } of cached) await adapter.close();
        await peer.close();
        await origin.close();
      },
    };
  },
}));

function limits(subject: string, atMost: [number, number] | undefined): Limit[] {
  if (atMost === undefined) return [];
  const [toFloor, toSafe] = atMost;
  return [
    { subject, over: 'floor', atMost: toFloor },
    { subject, over: 'interceptor safe', atMost: toSafe },
  ];
}
