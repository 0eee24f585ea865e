/** Many requests at once: for different URLs, and for one. */
import { equal } from 'node:assert/strict';
import { Agent } from 'node:http';
import { join } from 'node:path';
import axios, { type AxiosInstance } from 'axios';
import { cacheAdapter } from '../built.js';
import type { Case, Figure, Subject, Survey } from '../harness.js';
import { startOrigin } from '../origin.js';

const AT_ONCE = 1000;
const IDENTICAL = 10_000;
const BODY = 64 * 1024;
/** Copies of the body in memory that 10,000 callers may cost. */
const MOST_BODIES = 100;

export const burstCases: (Case | Survey)[] = [
  {
    name: 'burst',
    what: `${AT_ONCE} misses of 1.0 kB of JSON at once, stored`,
    limits: [],
    async open(scratch) {
      const origin = await startOrigin(1024);
      const httpAgent = new Agent({ keepAlive: true, maxSockets: 50 });
      const adapters = [
        cacheAdapter({ backend: 'memory' }),
        cacheAdapter({ backend: 'sqlite', cacheName: join(scratch, 'burst') }),
      ];
      const [memory, sqlite] = adapters.map((adapter) => ({
        http: axios.create({ adapter, httpAgent }),
        reset: () => adapter.clear(),
        finish: () => adapter.cache.flush(),
      }));
      const plain = { http: axios.create({ httpAgent }), reset: async () => {}, finish: async () => {} };
      return {
        subjects: Object.entries({ 'plain axios': plain, memory, sqlite }).map(([name, one]) =>
          burst(name, origin.url, one as typeof plain),
        ),
        async close() {
          for (const adapter of adapters) await adapter.close();
          httpAgent.destroy();
          await origin.close();
        },
      };
    },
  },
  {
    name: 'coalescing',
    what: `${IDENTICAL} requests for one URL at once, 64 KiB of text`,
    async survey() {
      const origin = await startOrigin(BODY);
      const adapter = cacheAdapter({ backend: 'memory' });
      const http = axios.create({ adapter, responseType: 'text' });
      try {
        return await identical(http, origin.url);
      } finally {
        await adapter.close();
        await origin.close();
      }
    },
  },
];

interface Bursting {
  http: AxiosInstance;
  reset(): Promise<void>;
  finish(): Promise<void>;
}

function burst(name: string, url: string, { http, reset, finish }: Bursting): Subject {
  const all = (n: number) =>
    Promise.all(Array.from({ length: AT_ONCE }, (_, i) => http.get(`${url}?n=${n}-${i}`)));
  return {
    name,
    run: all,
    reset,
    finish,
    async prove() {
      await reset();
      for (const { status, fromCache } of await all(-1)) {
        equal(status, 200, name);
        equal(fromCache ?? false, false, `${name} is no miss`);
      }
    },
  };
}

async function identical(http: AxiosInstance, url: string): Promise<Figure[]> {
  await http.get(`${url}?warm`);
  globalThis.gc?.();
  const before = process.memoryUsage();
  const began = performance.now();
  const responses = await Promise.all(Array.from({ length: IDENTICAL }, () => http.get<string>(url)));
  const took = performance.now() - began;
  globalThis.gc?.();
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.external - before.heapUsed - before.external;
  return [
    {
      name: 'requests that reached the origin',
      value: new Set(responses.map(asked)).size,
      unit: '',
      atMost: 1,
    },
    {
      name: 'memory held by all responses',
      value: grown / 2 ** 20,
      unit: 'MB',
      atMost: (MOST_BODIES * BODY) / 2 ** 20 + 50,
    },
    { name: 'time', value: took, unit: 'ms' },
  ];
}

const asked = ({ headers }: { headers: Record<string, unknown> }): unknown => headers['x-asked'];
