/** What the specs of MongoBackend and GridFSBackend share. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Db, type Document, MongoClient } from 'mongodb';
import { isCacheError } from '../../lib/errors.js';
import type { Store } from '../../lib/stores/store.js';
import { allKeys, type ContractOptions, meta, type StoreFixture, storeContract, text } from './contract.js';

/** A client of the specs' own, and what a test makes on the server, to be removed after it. */
export class Lab {
  readonly client: MongoClient;
  readonly url: string;
  readonly #names = new Set<string>();
  readonly #closables: { close(): unknown }[] = [];

  constructor(url: string) {
    this.url = url;
    this.client = new MongoClient(url);
  }

  /** A database of this test's own. */
  name(suffix = ''): string {
    const name = `stash_${randomBytes(6).toString('hex')}${suffix}`;
    this.#names.add(name);
    return name;
  }

  db(name: string): Db {
    return this.client.db(name);
  }

  documents(database: string, collection: string): Promise<Document[]> {
    return this.db(database).collection(collection).find().sort({ _id: 1 }).toArray();
  }

  /** Closes it after the test. */
  keep<T extends { close(): unknown }>(closable: T): T {
    this.#closables.push(closable);
    return closable;
  }

  async clean(): Promise<void> {
    for (const closable of this.#closables.splice(0).reverse()) await closable.close();
    for (const name of this.#names) await this.db(name).dropDatabase();
    this.#names.clear();
  }
}

/** For one test: FerretDB is slow, and some have several processes; ms. */
export const PATIENCE = 90_000;

export const OFFERED = ['count', 'size', 'deleteExpired', 'keysByUrl'] as const;

/** Goes through every document for each operation but an insertion: hundreds of keys take long. */
const SLOW = [
  'lists and deletes 2000 keys',
  'lists each key once while entries come, go and change',
  'clears everything, and goes on',
  'deletes what is expired and keeps what is fresh or never expires',
];

/** The contract of a store on FerretDB: what is in it about many keys is done with `many`. */
export function contractWithFewerKeys(
  name: string,
  makeStore: () => Promise<StoreFixture>,
  { many, ...options }: ContractOptions & { many: number },
): void {
  describe('on a server that is slow with many keys', () => {
    storeContract(name, makeStore, options);
  }).suites.forEach((suite) => {
    suite.tests = suite.tests.filter((test) => !SLOW.includes(test.title));
  });

  describe(`${name}: the contract of a store, with ${many} keys`, () => {
    let fixture: StoreFixture;
    let store: Store;
    beforeEach(async () => {
      fixture = await makeStore();
      store = fixture.store;
    });
    afterEach(async () => {
      await store.close();
      await fixture.dispose?.();
    });
    const keys = Array.from({ length: many }, (_, n) => `key ${n}`);
    const fill = (more = {}) => Promise.all(keys.map((key) => store.set(key, Buffer.from(key), meta(more))));

    it('lists and deletes them', async () => {
      await fill();
      expect((await allKeys(store)).sort()).to.deep.equal([...keys].sort());
      expect(await store.delete(keys)).to.equal(many);
      expect(await allKeys(store)).to.deep.equal([]);
    });

    it('lists each key once while entries come, go and change', async () => {
      await fill();
      const seen: string[] = [];
      for await (const key of store.keys()) {
        seen.push(key);
        if (seen.length % 4 === 0) await store.delete([key]);
        if (seen.length % 10 === 0) await store.set('key 0', Buffer.from('again'), meta());
        if (seen.length > 2 * many) break;
      }
      expect(keys.filter((key) => !seen.includes(key))).to.deep.equal([]);
      expect(new Set(seen).size).to.equal(seen.length);
    });

    it('clears everything, and goes on', async () => {
      await fill({ index: true });
      await store.set('response', Buffer.alloc(2000), meta());
      await store.clear();
      expect(await allKeys(store)).to.deep.equal([]);
      expect(await store.get('response')).to.equal(undefined);
      await store.set('key', Buffer.from('new'), meta());
      expect(text(await store.get('key'))).to.equal('new');
    });

    it('deletes what is expired and keeps what is fresh or never expires', async () => {
      const now = meta().createdAt;
      await fill({ expiresAt: now - 1 });
      await store.set('expires now', Buffer.from('1'), meta({ expiresAt: now }));
      await store.set('expired index', Buffer.from('1'), meta({ expiresAt: now - 1, index: true }));
      await store.set('fresh', Buffer.from('2'), meta({ expiresAt: now + 1 }));
      await store.set('never', Buffer.from('3'), meta());
      expect(await store.deleteExpired?.(now)).to.equal(many + 1);
      expect((await allKeys(store)).sort()).to.deep.equal(['fresh', 'never']);
      expect(await store.deleteExpired?.(now)).to.equal(0);
    });
  });
}

const worker = fileURLToPath(new URL('./mongo-worker.ts', import.meta.url));

export type WorkerArguments = [backend: 'mongodb' | 'gridfs', url: string, cacheName: string, ...string[]];

/** Resolves with what a process of its own printed (see `mongo-worker.ts`); rejects when that failed. */
export async function inProcess(...args: WorkerArguments): Promise<string> {
  const child = startProcess(...args);
  let [printed, complaints] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    printed += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    complaints += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`the process ended with ${code}: ${complaints}`);
  return printed;
}

export function startProcess(...args: WorkerArguments): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', worker, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Waits until `holds` answers true; fails when it does not within `limit` ms. */
export async function until(holds: () => Promise<boolean> | boolean, limit = 10_000): Promise<void> {
  const end = performance.now() + limit;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`it did not come to hold within ${limit} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** How long a call takes, ms. */
export async function duration(call: () => unknown): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

export function scopeOf(error: unknown): string {
  return isCacheError(error) && 'scope' in error ? String(error.scope) : String(error);
}
