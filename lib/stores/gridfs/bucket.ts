import { CacheStoreError } from '../../errors.js';
import { isObject } from '../checks.js';
import type { Background } from '../mongo/background.js';
import { type Collection, isDuplicateKey } from '../mongo/driver.js';
import { keptMeta } from '../mongo/expiry.js';
import { idOf } from '../mongo/upkeep.js';
import type { StoreMeta } from '../store.js';
import { nextRevision, olderThan, revisionsOf } from './revisions.js';

/** What every files document of ours has, and none of the application's. */
export const OUR_FILES = { 'metadata.stash': 1 };
const STASH = 1;
/** Bytes of a chunk, as by default in all of GridFS. */
const CHUNK_BYTES = 255 * 1024;
/** Chunks in one command: 8 MB. */
const CHUNKS_AT_ONCE = 32;
const WRITE_ATTEMPTS = 5;
const LOOKS = 10;

/** For revisions in order of age. */
const IDS_ONLY = { projection: { _id: 1 }, sort: { _id: 1 } };

interface FileFound {
  readonly _id: string;
  readonly length: number;
}

/**
 * One bucket of GridFS, in which a key's value is a file of its own, and the next value another: a new revision. There
 * are no transactions (neither a single mongod nor FerretDB has them), so it goes by order:
 *
 * - A write inserts its chunks, then its files document, which makes it visible, whole, at once; only then goes what is
 *   older. So a reader always finds a revision, and a process that dies leaves chunks without a files document at worst,
 *   or an older revision that nobody reads any more: both go with the key's next write, or with the sweep.
 * - Of two writers at once the one with the newer revision wins. It removes the older one's files document and chunks,
 *   as many as it finds; the older one looks for a newer revision after its own has become visible, and then removes
 *   itself. One of the two looks last and sees the other. Neither ever removes what is newer: so never each other.
 * - A removal takes the files document first. A reader that finds chunks missing looks again: it finds another
 *   revision, or none, or the same: only then is that one damaged.
 * - The sweep (`gridfs-sweep.ts`) can't tell the chunks of a dead process from those of a write that is under way. It
 *   claims them first, by inserting a files document under their id: the writer's own insertion then fails, or the sweep's
 *   does, since ids are unique. After the claim is gone again a writer still sees that chunks of its are missing, for it
 *   counts them once it is visible. In both cases it starts again with a new revision.
 */
export class GridFSBucket {
  readonly #files: Collection;
  readonly #chunks: Collection;
  readonly #background: Background;
  /** Told of what stays behind though the write went well. */
  readonly #failed: (error: unknown, reason: string) => void;
  readonly #name: string;

  constructor(
    name: string,
    collections: { files: Collection; chunks: Collection },
    background: Background,
    failed: (error: unknown, reason: string) => void,
  ) {
    this.#name = name;
    this.#files = collections.files;
    this.#chunks = collections.chunks;
    this.#background = background;
    this.#failed = failed;
  }

  async read(textKey: string): Promise<Uint8Array | undefined> {
    let before: string | undefined;
    for (let look = 0; look < LOOKS; look++) {
      const file = await this.#newest(textKey);
      if (file === undefined) return undefined;
      const value = await this.#content(file);
      if (value !== undefined) return value;
      if (file._id === before) throw this.#entryError(textKey, 'is damaged: it lacks bytes');
      before = file._id;
    }
    throw this.#entryError(textKey, 'is replaced faster than it can be read');
  }

  async write(textKey: string, value: Uint8Array, meta: StoreMeta): Promise<void> {
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      const id = nextRevision(textKey, (await this.#newest(textKey))?._id);
      if (await this.#publish(id, textKey, value, meta)) return;
    }
    throw this.#entryError(textKey, "can't be written: its chunks are removed again and again");
  }

  /** Resolves with how many files there were; their chunks go after them. */
  async remove(ids: readonly string[]): Promise<number> {
    const list = { $in: ids };
    const { deletedCount } = await this.#files.deleteMany({ ...OUR_FILES, _id: list });
    await this.#chunks.deleteMany({ files_id: list });
    return deletedCount;
  }

  async #newest(textKey: string): Promise<FileFound | undefined> {
    const ours = { ...OUR_FILES, _id: revisionsOf(textKey) };
    const options = { projection: { _id: 1, length: 1 }, sort: { _id: -1 } };
    const found = await this.#files.findOne(ours, options);
    if (!isObject(found) || typeof found._id !== 'string') return undefined;
    return { _id: found._id, length: Number(found.length) };
  }

  /** Undefined: not all of it is there. */
  async #content({ _id, length }: FileFound): Promise<Uint8Array | undefined> {
    if (length === 0) return Buffer.alloc(0);
    const options = { projection: { _id: 0, n: 1, data: 1 }, sort: { n: 1 } };
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (const chunk of await this.#chunks.find({ files_id: _id }, options).toArray()) {
      if (!isObject(chunk) || chunk.n !== parts.length || !(chunk.data instanceof Uint8Array))
        return undefined;
      parts.push(chunk.data);
      bytes += chunk.data.byteLength;
    }
    if (bytes !== length) return undefined;
    return parts.length === 1 ? parts[0] : Buffer.concat(parts, bytes);
  }

  /** Answers false when it must be done again: its chunks were swept away meanwhile. */
  async #publish(id: string, textKey: string, value: Uint8Array, meta: StoreMeta): Promise<boolean> {
    let present: Present;
    try {
      const count = await this.#insertChunks(id, value);
      const isVisible = await this.#insertFile(id, textKey, value.byteLength, meta);
      present = await this.#present(id, textKey);
      if (!isVisible || present.hasNewer || present.chunks !== count) {
        await this.remove([id]);
        // A newer writer takes the chunks too: it may have become visible since.
        return present.hasNewer || ((await this.#newest(textKey))?._id ?? '') > id;
      }
    } catch (error) {
      // If that fails as well, the key's next write or the sweep does it.
      this.#background.run(() => this.remove([id]), ignore);
      throw error;
    }
    await this.#removeOlder(id, present).catch((error) => this.#failed(error, 'remove replaced'));
    return true;
  }

  async #insertChunks(id: string, value: Uint8Array): Promise<number> {
    const count = Math.ceil(value.byteLength / CHUNK_BYTES);
    for (let first = 0; first < count; first += CHUNKS_AT_ONCE) {
      const batch = [];
      for (let n = first; n < Math.min(first + CHUNKS_AT_ONCE, count); n++) {
        const start = n * CHUNK_BYTES;
        const length = Math.min(CHUNK_BYTES, value.byteLength - start);
        batch.push({ files_id: id, n, data: Buffer.from(value.buffer, value.byteOffset + start, length) });
      }
      await this.#chunks.insertMany(batch);
    }
    return count;
  }

  /** Answers whether the id was free. */
  async #insertFile(id: string, filename: string, length: number, meta: StoreMeta): Promise<boolean> {
    const metadata = { stash: STASH, ...keptMeta(meta) };
    try {
      const file = { _id: id, length, chunkSize: CHUNK_BYTES, uploadDate: new Date(), filename, metadata };
      const { acknowledged } = await this.#files.insertOne(file);
      if (!acknowledged) {
        throw new Error('the write concern w: 0 is of no use here, the server must acknowledge');
      }
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** What there is of a key, seen from one of its revisions. */
  async #present(id: string, textKey: string): Promise<Present> {
    const range = revisionsOf(textKey);
    const ids = { projection: { _id: 0, files_id: 1 } };
    const [files, chunks] = await Promise.all([
      this.#files.find({ ...OUR_FILES, _id: range }, IDS_ONLY).toArray(),
      this.#chunks.find({ files_id: range }, ids).toArray(),
    ]);
    const fileIds = files.map((file) => String(idOf(file)));
    const chunkIds = chunks.map((chunk) => (isObject(chunk) ? String(chunk.files_id) : ''));
    return {
      hasNewer: fileIds.some((other) => other > id),
      hasOlder: fileIds.some((other) => other < id),
      hasOlderChunks: chunkIds.some((other) => other < id),
      chunks: chunkIds.filter((other) => other === id).length,
    };
  }

  async #removeOlder(id: string, { hasOlder, hasOlderChunks }: Present): Promise<void> {
    if (hasOlder) await this.#files.deleteMany({ ...OUR_FILES, _id: olderThan(id) });
    if (hasOlderChunks) await this.#chunks.deleteMany({ files_id: olderThan(id) });
  }

  #entryError(textKey: string, what: string): CacheStoreError {
    return new CacheStoreError(`${this.#name}: ${textKey} ${what}`, undefined, 'entry');
  }
}

/** What there is of a key beside one revision, and how many chunks of that. */
interface Present {
  readonly hasNewer: boolean;
  readonly hasOlder: boolean;
  readonly hasOlderChunks: boolean;
  readonly chunks: number;
}

function ignore(): void {}
