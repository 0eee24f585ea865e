/** Several processes on one SQLite file. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Done, Task } from '../children/hits.js';
import type { Figure, Survey } from '../harness.js';
import { entriesAdapter, makeFile } from './scale.js';

const CHILD = fileURLToPath(new URL('../children/hits.ts', import.meta.url));
/** URLs that are hit, and what each process writes. */
const ENTRIES = 500;

export const processCases: Survey[] = [
  {
    name: 'processes',
    what: `processes on one SQLite file, each with hits over ${ENTRIES} URLs, then ${ENTRIES} writes; 1 KB of JSON`,
    async survey(scratch, { isSmoke }) {
      const figures: Figure[] = [];
      for (const count of [1, 2, 4]) {
        figures.push(...(await together(join(scratch, `${count}.sqlite`), count, isSmoke ? 1 : 40)));
      }
      return figures;
    },
  },
];

async function together(file: string, count: number, passes: number): Promise<Figure[]> {
  await makeFile(file, ENTRIES);
  const children = Array.from({ length: count }, (_, number) => new Child(file, number));
  try {
    await each(children, (child) => child.answer());
    const all = { entries: ENTRIES, passes: 1 };
    await each(children, (child) => child.does({ hits: all })); // opens the file, and compiles the way of a hit
    const hits = await perSecond(children, { hits: { ...all, passes } }, ENTRIES * passes);
    const writes = await perSecond(children, { writes: ENTRIES }, ENTRIES);
    const done = await each(children, (child) => child.does({}));
    await each(children, (child) => child.end());

    const lost = ENTRIES * (1 + count) - (await stored(file));
    const label = count === 1 ? '1 process' : `${count} processes`;
    return [
      { name: `${label}: hits per second`, value: Math.round(hits), unit: '' },
      { name: `${label}: writes per second`, value: Math.round(writes), unit: '' },
      { name: `${label}: misses`, value: sum(done, 'misses'), unit: '', atMost: 0 },
      { name: `${label}: errors`, value: sum(done, 'errors'), unit: '', atMost: 0 },
      { name: `${label}: lost entries`, value: lost, unit: '', atMost: 0 },
    ];
  } finally {
    for (const child of children) child.stop();
  }
}

/** Operations of all processes a second while each does its task of so many. */
async function perSecond(children: readonly Child[], task: Task, operations: number): Promise<number> {
  const began = performance.now();
  await each(children, (child) => child.does(task));
  return (operations * children.length * 1000) / (performance.now() - began);
}

async function stored(file: string): Promise<number> {
  const adapter = entriesAdapter(file);
  try {
    return await adapter.cache.count();
  } finally {
    await adapter.close();
  }
}

function each<T>(children: readonly Child[], work: (child: Child) => Promise<T>): Promise<T[]> {
  return Promise.all(children.map(work));
}

function sum(done: readonly Done[], what: keyof Done): number {
  return done.reduce((total, one) => total + one[what], 0);
}

class Child {
  readonly #process: ChildProcess;
  /** Rejects when it ends before it is told to. */
  readonly #gone: Promise<never>;

  constructor(file: string, number: number) {
    this.#process = fork(CHILD, [file, String(number)], { execArgv: ['--import', 'tsx'] });
    this.#gone = once(this.#process, 'exit').then(([code]) => {
      throw new Error(`process ${number} ended with ${String(code)}`);
    });
    this.#gone.catch(() => {}); // told to who waits for an answer
  }

  async answer(): Promise<Done> {
    const [done]: unknown[] = await Promise.race([once(this.#process, 'message'), this.#gone]);
    return done as Done;
  }

  does(task: Task): Promise<Done> {
    this.#process.send(task);
    return this.answer();
  }

  async end(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.send('end');
    await exited;
  }

  stop(): void {
    this.#process.kill();
  }
}
