import { CacheStoreError } from '../errors.js';
import { assertOptionNames, isObject } from './checks.js';
import { Background } from './mongo/background.js';
import { MongoConnection, type MongoConnectionOptions } from './mongo/connection.js';
import { type Collection, codeOf, isDuplicateKey } from './mongo/driver.js';
import { countFilter, dropDate, keptMeta, past } from './mongo/expiry.js';
import { collectionName, databaseName } from './mongo/names.js';
import { deleteWhere, idOf, MongoUpkeep, OURS, PAGE } from './mongo/upkeep.js';
import { ttlOffsetOf } from './native-expiry.js';
import { Observers } from './observers.js';
import { Operations } from './operations.js';
import type { CountFilter, Store, StoreMeta } from './store.js';
import { decodeTextKey, encodeTextKey } from './text-keys.js';

export type { MongoClientLike } from './mongo/driver.js';

export interface MongoOptions extends MongoConnectionOptions {
  /** The database. @default 'http_cache' */
  cacheName?: string | undefined;
  /** The collection. What else is in it is left alone. @default 'responses' */
  collection?: string | undefined;
  /**
   * How long an expired entry stays, so that it can be revalidated or served stale, before the server drops it; seconds.
   * @default 3600
   */
  ttlOffset?: number | undefined;
}

export const MONGO_OPTION_NAMES = ['url', 'client', 'collection', 'ttlOffset'] as const;

/** MongoDB's limit on a document, and an ample guess at what ours has beside value, key and URL. */
const MOST_BYTES = 16 * 1024 * 1024;
const FIELD_BYTES = 256;
/** BSONObjectTooLarge, and what older servers and other makes say of a document that is too large. */
const TOO_LARGE = [10_334, 17_419, 17_420];
/** How often a write that others thwart is tried. */
const ATTEMPTS = 6;
/** How many keys are remembered as ours. */
const MOST_KNOWN = 10_000;
/** How long close() waits for what is under way; ms. */
const CLOSE_LIMIT = 1000;

/**
 * Keeps each response in one document, of 16 MB at most. The server drops expired ones by itself; where it can't, this
 * does, with writes.
 *
 * @example cacheAdapter({ backend: 'mongodb', url: 'mongodb://db.example.org', cacheName: 'my_app' })
 */
export class MongoBackend implements Store {
  readonly #connection: MongoConnection;
  readonly #operations: Operations;
  readonly #documents: Collection;
  readonly #offset: number;
  readonly #upkeep: MongoUpkeep;
  readonly #background = new Background();
  readonly #observers = new Observers();
  /** Keys under which there was a document of ours not long ago: a guess. */
  readonly #known = new Set<string>();

  constructor(options: MongoOptions = {}) {
    assertOptionNames(options, ['cacheName', ...MONGO_OPTION_NAMES], 'mongodb');
    const database = databaseName(options.cacheName);
    const collection = collectionName('collection', options.collection, { fallback: 'responses', database });
    this.#offset = ttlOffsetOf(options.ttlOffset);
    // The driver only: @keyv/mongo itself waits for ever for a server that is not there (research/keyv.md, D.2).
    this.#connection = new MongoConnection(options, ['mongodb', 'mongodb', '@keyv/mongo']);
    this.#documents = this.#connection.collection(database, collection);
    this.#operations = new Operations(`MongoDB collection ${database}.${collection}`);
    this.#upkeep = new MongoUpkeep(this.#documents, this.#background, (error, reason) => {
      if (!this.#operations.closed) this.#observers.tell(this.#operations.failure(reason, error), reason);
    });
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#run('read', async () => {
      const id = encodeTextKey(key);
      const found = await this.#documents.findOne(
        { _id: id },
        { projection: { _id: 0, stash: 1, value: 1 } },
      );
      if (found === null) return undefined;
      if (!isObject(found) || found.stash !== OURS.stash || !(found.value instanceof Uint8Array)) {
        throw this.#foreign(id);
      }
      this.#remember(id);
      return found.value;
    });
  }

  set(key: string, value: Uint8Array, meta: StoreMeta): Promise<void> {
    return this.#run('write', async () => {
      const id = encodeTextKey(key);
      const bytes = value.byteLength + Buffer.byteLength(meta.url) + id.length + FIELD_BYTES;
      if (bytes > MOST_BYTES) {
        // What is there now is older: it must not be served as if it were the last that was stored.
        await this.#delete([id]);
        throw this.#tooLarge(value.byteLength);
      }
      await this.#background.follow(this.#write(id, this.#documentOf(value, meta)));
      this.#upkeep.afterWrite();
    });
  }

  delete(keys: string[]): Promise<number> {
    return this.#run('delete', async () => {
      const ids = [...new Set(keys)].map(encodeTextKey);
      let deleted = 0;
      for (let at = 0; at < ids.length; at += PAGE) deleted += await this.#delete(ids.slice(at, at + PAGE));
      return deleted;
    });
  }

  clear(): Promise<void> {
    return this.#run('clear', async () => {
      for await (const page of this.#pages()) await this.#delete(page);
    });
  }

  async *keys(): AsyncGenerator<string, void, undefined> {
    const pages = this.#pages();
    for (;;) {
      const page = await this.#run('list', () => pages.next());
      if (page.done === true) return;
      yield* decodeAll(page.value);
    }
  }

  count(filter: CountFilter): Promise<number> {
    return this.#run('count', () => this.#documents.countDocuments({ ...OURS, ...countFilter(filter) }));
  }

  size(): Promise<number> {
    return this.#run('count', async () => {
      const sum = { $group: { _id: null, size: { $sum: '$size' } } };
      const [total] = await this.#documents.aggregate([{ $match: OURS }, sum]).toArray();
      return isObject(total) ? Number(total.size) : 0;
    });
  }

  deleteExpired(now: number): Promise<number> {
    return this.#run('delete', async () => {
      const expired = { ...OURS, expires: past(now) };
      await deleteWhere(this.#documents, { ...expired, index: true });
      return deleteWhere(this.#documents, { ...expired, index: { $ne: true } });
    });
  }

  keysByUrl(url: string): Promise<string[]> {
    return this.#run('list', async () => {
      const found = await this.#documents.find({ ...OURS, url }, { projection: { _id: 1 } }).toArray();
      return [...decodeAll(found.map(idOf))];
    });
  }

  /** A client that was handed in stays open. */
  async close(): Promise<void> {
    if (!this.#operations.close()) return;
    this.#upkeep.close();
    await this.#background.settle(CLOSE_LIMIT);
    await this.#connection.close();
  }

  observe(observer: (error: Error, reason: string) => void): () => void {
    return this.#observers.add(observer);
  }

  #run<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.#operations.run(what, async () => {
      await this.#connection.ready();
      return work();
    });
  }

  #documentOf(value: Uint8Array, meta: StoreMeta): object {
    const drop = dropDate(meta.expiresAt, this.#offset);
    return {
      ...OURS,
      ...keptMeta(meta),
      ...(drop === undefined ? {} : { drop }),
      size: value.byteLength,
      // Last: the server reads the others without going over it.
      value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    };
  }

  /**
   * Inserts or replaces, whichever is likelier first. No upsert: one that also asks for the mark can't tell a document
   * of the application from two writers at once, and makes FerretDB go through the whole collection.
   */
  async #write(id: string, document: object): Promise<void> {
    let isThere = this.#known.has(id);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (isThere ? await this.#replace(id, document) : await this.#insert(id, document)) {
        return this.#remember(id);
      }
      if (attempt > 1) await this.#assertOurs(id);
      isThere = !isThere;
    }
    const message = `${this.#operations.name}: ${id} can't be written: either others keep adding and deleting it, or an index of the collection forbids it`;
    throw new CacheStoreError(message, undefined, 'entry');
  }

  /** Answers whether there was none. */
  async #insert(id: string, document: object): Promise<boolean> {
    try {
      this.#assertAcknowledged(await this.#documents.insertOne({ _id: id, ...document }));
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw this.#writeError(error);
    }
  }

  /** Answers whether there was one. */
  async #replace(id: string, document: object): Promise<boolean> {
    try {
      const done = await this.#documents.replaceOne({ _id: id, ...OURS }, document);
      this.#assertAcknowledged(done);
      return done.matchedCount > 0;
    } catch (error) {
      throw this.#writeError(error);
    }
  }

  /** Unacknowledged, an entry that can't be written would look as if it had been. */
  #assertAcknowledged({ acknowledged }: { acknowledged: boolean }): void {
    if (!acknowledged)
      throw new Error('the write concern w: 0 is of no use here, the server must acknowledge');
  }

  async #assertOurs(id: string): Promise<void> {
    const found = await this.#documents.findOne({ _id: id }, { projection: { stash: 1 } });
    if (isObject(found) && found.stash !== OURS.stash) throw this.#foreign(id);
  }

  async #delete(ids: readonly string[]): Promise<number> {
    for (const id of ids) this.#known.delete(id);
    return (await this.#documents.deleteMany({ ...OURS, _id: { $in: ids } })).deletedCount;
  }

  /** Ids of our documents in order: each once whatever changes meanwhile, and no cursor that could be left open. */
  async *#pages(): AsyncGenerator<string[], void, undefined> {
    let last = '';
    for (;;) {
      const options = { projection: { _id: 1 }, sort: { _id: 1 }, limit: PAGE };
      const found = await this.#documents.find({ ...OURS, _id: { $gt: last } }, options).toArray();
      const ids = found.map(idOf).filter((id) => typeof id === 'string');
      yield ids;
      if (found.length < PAGE) return;
      last = ids.at(-1) ?? last;
    }
  }

  #remember(id: string): void {
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.add(id);
  }

  #writeError(error: unknown): unknown {
    const code = codeOf(error);
    if (code === undefined || !TOO_LARGE.includes(code)) return error;
    return new CacheStoreError(
      `${this.#operations.name}: the server takes no such large document`,
      error,
      'entry',
    );
  }

  #tooLarge(bytes: number): CacheStoreError {
    const message = `${this.#operations.name}: ${bytes} bytes are more than a document of MongoDB holds (16 MB); backend 'gridfs' keeps larger ones`;
    return new CacheStoreError(message, undefined, 'entry');
  }

  #foreign(id: string): CacheStoreError {
    const message = `${this.#operations.name} holds under ${id} what is not from this cache`;
    return new CacheStoreError(message, undefined, 'entry');
  }
}

function* decodeAll(ids: readonly unknown[]): Generator<string, void, undefined> {
  for (const id of ids) {
    const key = typeof id === 'string' ? decodeTextKey(id) : undefined;
    if (key !== undefined) yield key;
  }
}
