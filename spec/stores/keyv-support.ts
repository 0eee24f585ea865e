/** What the specs of KeyvBackend share: adapters that fail on demand, and those of real servers. */
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import KeyvMongo from '@keyv/mongo';
import { Collection, MongoClient } from 'mongodb';

/** An adapter that records what it is asked, and answers as it is told. */
export class FakeAdapter extends EventEmitter {
  readonly kept = new Map<string, unknown>();
  readonly lifetimes: unknown[] = [];
  answer: () => unknown = () => undefined;

  async get(key: string): Promise<unknown> {
    await this.answer();
    return this.kept.get(key);
  }
  async set(key: string, value: unknown, lifetime?: number): Promise<unknown> {
    this.lifetimes.push(lifetime);
    this.kept.set(key, value);
    return this.answer();
  }
  async delete(key: string): Promise<unknown> {
    await this.answer();
    return this.kept.delete(key);
  }
  async clear(): Promise<void> {
    await this.answer();
    this.kept.clear();
  }
  async disconnect(): Promise<void> {}
}

/** An adapter as Keyv 6 wants them: it takes the moment of expiry, and keeps a namespace apart by itself. */
export class FakeAdapter6 extends FakeAdapter {
  namespace: string | undefined;
  readonly capabilities = { expires: true, methods: { iterator: { exists: true } } };

  override get(key: string): Promise<unknown> {
    return super.get(this.#full(key));
  }
  override set(key: string, value: unknown, expires?: number): Promise<unknown> {
    return super.set(this.#full(key), value, expires);
  }
  override delete(key: string): Promise<unknown> {
    return super.delete(this.#full(key));
  }
  deleteMany(keys: string[]): Promise<unknown[]> {
    return Promise.all(keys.map((key) => this.delete(key)));
  }
  async *iterator(): AsyncGenerator<[string, unknown]> {
    const before = this.#full('');
    for (const [key, value] of this.kept) {
      if (key.startsWith(before)) yield [key.slice(before.length), value];
    }
  }

  #full(key: string): string {
    return this.namespace === undefined ? key : `${this.namespace}\n${key}`;
  }
}

/** A promise that never settles. */
export const never = () => new Promise<never>(() => {});

/** For a namespace, database or collection of the test's own. */
export function uniqueName(): string {
  return `keyv-spec-${randomUUID()}`;
}

/** Waits until it holds; fails when it does not within 15 s. */
export async function until(holds: () => unknown): Promise<void> {
  const end = performance.now() + 15_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`it did not come to hold in time: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const original = Object.getOwnPropertyDescriptor(Collection.prototype, 'createIndex');

/** Lets @keyv/mongo connect to a server that refuses its TTL index, as FerretDB does: by itself it hangs then. */
export function allowRefusedIndices(): void {
  const createIndex: unknown = original?.value;
  if (typeof createIndex !== 'function') throw new Error('the driver makes no index');
  Object.defineProperty(Collection.prototype, 'createIndex', {
    ...original,
    value: async function (this: Collection, ...parameters: unknown[]) {
      try {
        return await createIndex.apply(this, parameters);
      } catch (error) {
        if (error instanceof Error && 'codeName' in error && error.codeName === 'NotImplemented') return '';
        throw error;
      }
    },
  });
}

export function refuseIndicesAgain(): void {
  if (original !== undefined) Object.defineProperty(Collection.prototype, 'createIndex', original);
}

export function mongoAdapter(url: string, db: string, more: Record<string, unknown> = {}): KeyvMongo {
  // One connection: FerretDB's SQLite is locked when several write.
  return new KeyvMongo({ url, db, maxPoolSize: 1, ...more });
}

export async function dropDatabase(url: string, name: string): Promise<void> {
  const client = new MongoClient(url);
  await client.db(name).dropDatabase();
  await client.close();
}
