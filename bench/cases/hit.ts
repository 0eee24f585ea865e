/** A hit, against the floor and against axios-cache-interceptor. */
import { join } from 'node:path';
import type { Case, Limit } from '../harness.js';
import { startOrigin } from '../origin.js';
import { floor, interceptor, jsonBody, ours } from '../subjects.js';

interface Size {
  name: string;
  bytes: number;
  /** Ratios to the floor, then to axios-cache-interceptor's safe mode. */
  memory: [floor: number, safe: number];
  sqlite: [floor: number, safe: number];
}

const sizes: Size[] = [
  { name: 'hit-1k', bytes: 1024, memory: [1.12, 0.75], sqlite: [1.2, 0.8] },
  { name: 'hit-64k', bytes: 64 * 1024, memory: [1.04, 0.45], sqlite: [1.06, 0.5] },
  { name: 'hit-1m', bytes: 1024 * 1024, memory: [1.03, 0.42], sqlite: [1.04, 0.45] },
];

export const hitCases: Case[] = sizes.map(({ name, bytes, memory, sqlite }) => ({
  name,
  what: `a hit of ${bytes / 1024} KiB of JSON`,
  limits: [
    ...limits('memory', memory),
    ...limits('sqlite', sqlite),
    // Both hand out one object to all callers; only ours can't be changed by one for the others.
    ...(bytes === 64 * 1024 ? [{ subject: 'memory frozen', over: 'interceptor shared', atMost: 1 }] : []),
  ],
  async open(scratch) {
    const origin = await startOrigin(bytes);
    const { url } = origin;
    const body = jsonBody(bytes);
    const cached = [
      await ours('memory', url, body, { backend: 'memory' }),
      await ours('sqlite', url, body, { backend: 'sqlite', cacheName: join(scratch, name) }),
      await ours('memory frozen', url, body, { backend: 'memory', frozen: true }),
    ];
    return {
      subjects: [
        await floor(url, body),
        await interceptor('interceptor safe', url, body, 'safe'),
        await interceptor('interceptor shared', url, body, 'shared'),
        ...cached.map(({ subject }) => subject),
      ],
      async close() {
        for (const { adapter } of cached) await adapter.close();
        await origin.close();
      },
    };
  },
}));

function limits(subject: string, [toFloor, toSafe]: [number, number]): Limit[] {
  return [
    { subject, over: 'floor', atMost: toFloor },
    { subject, over: 'interceptor safe', atMost: toSafe },
  ];
}
