/** A miss and its store, against plain axios, on loopback with keep-alive. Each operation asks for a new URL. */
import { equal } from 'node:assert/strict';
import { Agent } from 'node:http';
import { join } from 'node:path';
import axios from 'axios';
import { type CacheOptions, cacheAdapter } from '../built.js';
import type { Case, Subject } from '../harness.js';
import { startOrigin } from '../origin.js';

const sizes = [
  { name: 'miss-1k', bytes: 1024, memory: 1.15, sqlite: 1.3 },
  { name: 'miss-64k', bytes: 64 * 1024, memory: 1.02, sqlite: 1.2 },
];

export const missCases: Case[] = sizes.map(({ name, bytes, memory, sqlite }) => ({
  name,
  what: `a miss of ${bytes / 1024} KiB of JSON, stored`,
  limits: [
    { subject: 'memory', over: 'plain axios', atMost: memory },
    { subject: 'sqlite', over: 'plain axios', atMost: sqlite },
  ],
  async open(scratch) {
    const origin = await startOrigin(bytes);
    const agents: Agent[] = [];
    const agent = (): Agent => {
      const made = new Agent({ keepAlive: true, maxSockets: 1 });
      agents.push(made);
      return made;
    };
    const cached = [
      storing('memory', origin.url, agent(), { backend: 'memory' }),
      storing('sqlite', origin.url, agent(), { backend: 'sqlite', cacheName: join(scratch, name) }),
    ];
    return {
      subjects: [plain(origin.url, agent()), ...cached.map(({ subject }) => subject)],
      async close() {
        for (const { close } of cached) await close();
        for (const one of agents) one.destroy();
        await origin.close();
      },
    };
  },
}));

function plain(url: string, httpAgent: Agent): Subject {
  const http = axios.create({ httpAgent });
  return {
    name: 'plain axios',
    run: (n) => http.get(`${url}?n=${n}`),
    async prove() {
      equal((await http.get(url)).status, 200);
    },
  };
}

function storing(name: string, url: string, httpAgent: Agent, options: CacheOptions) {
  const adapter = cacheAdapter(options);
  const http = axios.create({ adapter, httpAgent });
  let proofs = 0;
  const subject: Subject = {
    name,
    run: (n) => http.get(`${url}?n=${n}`),
    /** Stored entries must not pile up from block to block. */
    reset: () => adapter.clear(),
    /** Writes are grouped: those still pending belong to the block. */
    finish: () => adapter.cache.flush(),
    async prove() {
      const once = `${url}?proof=${proofs++}`;
      equal((await http.get(once)).fromCache, false, `${name} is no miss`);
      equal((await http.get(once)).fromCache, true, `${name} did not store`);
    },
  };
  return { subject, close: () => adapter.close() };
}
