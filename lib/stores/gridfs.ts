import { assertOptionNames, isObject } from './checks.js';
import { GridFSBucket, OUR_FILES } from './gridfs/bucket.js';
import { isRevision, textKeyOf } from './gridfs/revisions.js';
import { fileIds, sweep } from './gridfs/sweep.js';
import { Background } from './mongo/background.js';
import { MongoConnection, type MongoConnectionOptions } from './mongo/connection.js';
import type { Collection } from './mongo/driver.js';
import { countFilter, past } from './mongo/expiry.js';
import { type IndexSpec, MongoIndices } from './mongo/indices.js';
import { collectionName, databaseName } from './mongo/names.js';
import { idOf, PAGE } from './mongo/upkeep.js';
import { Observers } from './observers.js';
import { Operations } from './operations.js';
import type { CountFilter, Store, StoreMeta } from './store.js';
import { decodeTextKey, encodeTextKey } from './text-keys.js';

export interface GridFSOptions extends MongoConnectionOptions {
  /** The database. @default 'http_cache' */
  cacheName?: string | undefined;
  /** The bucket: the files are in the collections `<bucketName>.files` and `<bucketName>.chunks`. What else is in it is left alone. @default 'http_cache' */
  bucketName?: string | undefined;
}

export const GRIDFS_OPTION_NAMES = ['url', 'client', 'bucketName'] as const;

/** How long close() waits for what is under way; ms. */
const CLOSE_LIMIT = 1000;

/** As every driver makes them. */
const CHUNK_INDEX: IndexSpec = { key: { files_id: 1, n: 1 }, name: 'files_id_1_n_1', unique: true };
const FILE_INDICES: readonly IndexSpec[] = [
  { key: { filename: 1, uploadDate: 1 }, name: 'filename_1_uploadDate_1' },
  { key: { 'metadata.url': 1 }, name: 'axios_stash_url' },
  { key: { 'metadata.expires': 1 }, name: 'axios_stash_expires' },
];

/**
 * Keeps each response as a file of GridFS, of any size. Any tool for GridFS can read them: the file name is the key.
 * Expired ones stay until `removeExpiredResponses()`: the server can't drop a file with its chunks.
 *
 * @example cacheAdapter({ backend: 'gridfs', url: 'mongodb://db.example.org', cacheName: 'my_app' })
 */
export class GridFSBackend implements Store {
  readonly #connection: MongoConnection;
  readonly #operations: Operations;
  readonly #files: Collection;
  readonly #chunks: Collection;
  readonly #bucket: GridFSBucket;
  readonly #indices: MongoIndices;
  readonly #background = new Background();
  readonly #observers = new Observers();

  constructor(options: GridFSOptions = {}) {
    assertOptionNames(options, ['cacheName', ...GRIDFS_OPTION_NAMES], 'gridfs');
    const database = databaseName(options.cacheName);
    const bucket = collectionName('bucketName', options.bucketName, {
      fallback: 'http_cache',
      database,
      suffixes: ['.files', '.chunks'],
    });
    this.#connection = new MongoConnection(options, ['gridfs', 'mongodb']);
    // Always the primary: another member may not have the chunks of a file yet, or no longer.
    const primary = { readPreference: 'primary' };
    this.#files = this.#connection.collection(database, `${bucket}.files`, primary);
    this.#chunks = this.#connection.collection(database, `${bucket}.chunks`, primary);
    const name = `GridFS bucket ${database}.${bucket}`;
    this.#operations = new Operations(name);
    const collections = { files: this.#files, chunks: this.#chunks };
    this.#bucket = new GridFSBucket(name, collections, this.#background, this.#tell);
    this.#indices = new MongoIndices(
      [[this.#chunks, CHUNK_INDEX], ...FILE_INDICES.map((index) => [this.#files, index] as const)],
      this.#background,
      this.#tell,
    );
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#run('read', () => this.#bucket.read(encodeTextKey(key)));
  }

  set(key: string, value: Uint8Array, meta: StoreMeta): Promise<void> {
    return this.#run('write', () => {
      this.#indices.afterWrite();
      return this.#background.follow(this.#bucket.write(encodeTextKey(key), value, meta));
    });
  }

  delete(keys: string[]): Promise<number> {
    return this.#run('delete', async () => {
      const textKeys = [...new Set(keys)].map(encodeTextKey);
      let deleted = 0;
      for (let at = 0; at < textKeys.length; at += PAGE) {
        deleted += await this.#delete(textKeys.slice(at, at + PAGE));
      }
      return deleted;
    });
  }

  clear(): Promise<void> {
    return this.#run('clear', async () => {
      for await (const page of fileIds(this.#files)) await this.#bucket.remove(page);
      await this.#sweep();
    });
  }

  async *keys(): AsyncGenerator<string, void, undefined> {
    const pages = fileIds(this.#files);
    let before: string | undefined;
    for (;;) {
      const page = await this.#run('list', () => pages.next());
      if (page.done === true) return;
      for (const id of page.value) {
        const textKey = textKeyOf(id);
        if (textKey === undefined || textKey === before) continue;
        before = textKey;
        yield decodeTextKey(textKey) ?? textKey;
      }
    }
  }

  /** While an entry is being replaced, or if a process died in the middle of that, it may be counted twice. */
  count(filter: CountFilter): Promise<number> {
    const responses = countFilter(filter, 'metadata.');
    return this.#run('count', () => this.#files.countDocuments({ ...OUR_FILES, ...responses }));
  }

  size(): Promise<number> {
    return this.#run('count', async () => {
      const sum = { $group: { _id: null, size: { $sum: '$length' } } };
      const [total] = await this.#files.aggregate([{ $match: OUR_FILES }, sum]).toArray();
      return isObject(total) ? Number(total.size) : 0;
    });
  }

  /** Also removes what writers left behind that died. */
  deleteExpired(now: number): Promise<number> {
    return this.#run('delete', async () => {
      const expired = { 'metadata.expires': past(now) };
      await this.#deleteFiles({ ...expired, 'metadata.index': true });
      const deleted = await this.#deleteFiles({ ...expired, 'metadata.index': { $ne: true } });
      await this.#sweep();
      return deleted;
    });
  }

  keysByUrl(url: string): Promise<string[]> {
    return this.#run('list', async () => {
      const ours = { ...OUR_FILES, 'metadata.url': url };
      const found = await this.#files.find(ours, { projection: { _id: 1 } }).toArray();
      const textKeys = new Set(found.map((file) => textKeyOf(idOf(file)) ?? ''));
      return [...textKeys].map(decodeTextKey).filter((key) => key !== undefined);
    });
  }

  /** A client that was handed in stays open. */
  async close(): Promise<void> {
    if (!this.#operations.close()) return;
    await this.#background.settle(CLOSE_LIMIT);
    await this.#connection.close();
  }

  observe(observer: (error: Error, reason: string) => void): () => void {
    return this.#observers.add(observer);
  }

  readonly #tell = (error: unknown, reason: string): void => {
    if (!this.#operations.closed) this.#observers.tell(this.#operations.failure(reason, error), reason);
  };

  #run<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.#operations.run(what, async () => {
      await this.#connection.ready();
      return work();
    });
  }

  #sweep(): Promise<void> {
    return sweep(this.#files, this.#chunks, (ids) => this.#bucket.remove(ids));
  }

  /** Resolves with how many of these keys there were. */
  async #delete(textKeys: string[]): Promise<number> {
    const ours = { ...OUR_FILES, filename: { $in: textKeys } };
    const found = await this.#files.find(ours, { projection: { _id: 1 } }).toArray();
    const ids = found.map(idOf).filter(isRevision);
    if (ids.length === 0) return 0;
    await this.#bucket.remove(ids);
    return new Set(ids.map(textKeyOf)).size;
  }

  /** Resolves with how many there were; a page at a time, so that no command takes long. */
  async #deleteFiles(filter: object): Promise<number> {
    let deleted = 0;
    for await (const page of fileIds(this.#files, filter)) deleted += await this.#bucket.remove(page);
    return deleted;
  }
}
