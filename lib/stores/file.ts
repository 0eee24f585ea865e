import { randomBytes } from 'node:crypto';
import { CacheError, CacheStoreError } from '../errors.js';
import { assertBoolean, assertOptionNames } from './checks.js';
import { encodeHeader, type Header } from './entry-format.js';
import {
  Draft,
  entryPath,
  LARGE,
  type Listed,
  listFiles,
  readHeader,
  readValue,
  removeFile,
  removeIfAbandoned,
} from './file/tree.js';
import { assertOwn, assertUsableDirectory, cachePath, type PathOptions, temporaryEntry } from './paths.js';
import { inSlices, isSpent, nextTurn } from './slices.js';
import type { CountFilter, MaybePromise, Store, StoreMeta } from './store.js';
import { decodeKey, encodeKey } from './stored-keys.js';

export interface FileOptions extends PathOptions {
  /**
   * The directory: `~` is the home directory, relative paths start at the working directory, missing directories are
   * made.
   * @default 'http_cache'
   */
  cacheName?: string | undefined;
}

export const FILE_OPTION_NAMES = ['useTemp', 'useCacheDir'] as const;

/**
 * Keeps each response in a file of its own; several processes and threads may share the directory. What else is in
 * the directory is left alone. It is made by the first response that is stored.
 *
 * @example cacheAdapter({ backend: 'filesystem', cacheName: '~/.cache/my_app' })
 */
export class FileBackend implements Store {
  /** Absolute path of the directory. */
  readonly path: string;
  /** What of it is where anybody may put things. */
  readonly #open: string | undefined;
  readonly #writer = randomBytes(8).toString('hex');
  #drafts = 0;
  #closed = false;
  /** The last write of a large value to each path, while it is under way. */
  readonly #latest = new Map<string, Draft>();
  readonly #writes = new Set<Promise<void>>();
  /** For each `clear` under way, what was stored since it began: that stays. */
  readonly #clears = new Set<Set<string>>();

  constructor(options: FileOptions = {}) {
    assertOptionNames(options, ['cacheName', ...FILE_OPTION_NAMES], 'filesystem');
    assertBoolean('useTemp', options.useTemp);
    assertBoolean('useCacheDir', options.useCacheDir);
    this.path = cachePath(options);
    this.#open = temporaryEntry(this.path, options);
    assertUsableDirectory(this.path, this.#open);
  }

  get(key: string): MaybePromise<Uint8Array | undefined> {
    return this.#attempt('read', () => {
      const stored = encodeKey(key);
      return readValue(entryPath(this.path, stored), stored);
    });
  }

  set(key: string, value: Uint8Array, meta: StoreMeta): MaybePromise<void> {
    return this.#attempt('write', () => {
      const stored = encodeKey(key);
      const path = entryPath(this.path, stored);
      const parts = [encodeHeader(stored, value.byteLength, meta), value];
      this.#latest.delete(path);
      const draft = new Draft(path, `${this.#writer}-${this.#drafts++}`);
      if (value.byteLength > LARGE) return this.#follow(this.#writeLate(path, draft, parts));
      try {
        try {
          draft.write(parts);
        } finally {
          draft.close();
        }
        this.#land(path, draft);
      } catch (error) {
        draft.drop();
        throw error;
      }
    });
  }

  delete(keys: string[]): MaybePromise<number> {
    let next = 0;
    let deleted = 0;
    const done = inSlices(() =>
      this.#attempt('delete', () => {
        const start = performance.now();
        while (next < keys.length) {
          const path = entryPath(this.path, encodeKey(keys[next++] ?? ''));
          this.#latest.delete(path);
          if (removeFile(path)) deleted++;
          if (isSpent(start)) return false;
        }
        return true;
      }),
    );
    return done === undefined ? deleted : done.then(() => deleted);
  }

  async clear(): Promise<void> {
    this.#latest.clear();
    const since = new Set<string>();
    this.#clears.add(since);
    try {
      await this.#visit('clear', ({ path, isDraft }) => {
        if (isDraft) removeIfAbandoned(path);
        else if (!since.has(path) && (readHeader(path) ?? 'foreign') !== 'foreign') removeFile(path);
      });
    } finally {
      this.#clears.delete(since);
    }
  }

  async *keys(): AsyncGenerator<string, void, undefined> {
    const files = this.#attempt('list', () => listFiles(this.path));
    let start = performance.now();
    for (;;) {
      const file = this.#attempt('list', () => files.next());
      if (file.done === true) return;
      const header = this.#attempt('list', () => headerOf(file.value));
      if (header !== undefined) yield decodeKey(header.key);
      if (!isSpent(start)) continue;
      await nextTurn();
      start = performance.now();
    }
  }

  /** Waits for what is being written. */
  close(): MaybePromise<void> {
    this.#closed = true;
    if (this.#writes.size > 0) return Promise.allSettled(this.#writes).then(() => {});
  }

  async count({ expired, now }: CountFilter): Promise<number> {
    let found = 0;
    await this.#visitHeaders('count', (header) => {
      if (!header.index && (expired === undefined || isExpired(header, now) === expired)) found++;
    });
    return found;
  }

  async size(): Promise<number> {
    let bytes = 0;
    await this.#visitHeaders('count', ({ size }) => {
      bytes += size;
    });
    return bytes;
  }

  /** What is damaged goes too: nobody can read it. */
  async deleteExpired(now: number): Promise<number> {
    let deleted = 0;
    await this.#visit('delete', ({ path, isDraft }) => {
      if (isDraft) return removeIfAbandoned(path);
      const header = readHeader(path);
      if (header === undefined || header === 'foreign') return;
      if (header !== 'damaged' && !isExpired(header, now)) return;
      if (removeFile(path) && (header === 'damaged' || !header.index)) deleted++;
    });
    return deleted;
  }

  async keysByUrl(url: string): Promise<string[]> {
    const keys: string[] = [];
    await this.#visitHeaders('list', (header) => {
      if (header.url === url) keys.push(decodeKey(header.key));
    });
    return keys;
  }

  async #writeLate(path: string, draft: Draft, parts: readonly Uint8Array[]): Promise<void> {
    this.#latest.set(path, draft);
    try {
      try {
        await draft.writeLate(parts);
      } finally {
        draft.close();
      }
      // Replaced, deleted or cleared meanwhile: then this is the older.
      if (this.#latest.get(path) !== draft) return draft.drop();
      this.#land(path, draft);
    } catch (error) {
      draft.drop();
      throw error;
    } finally {
      if (this.#latest.get(path) === draft) this.#latest.delete(path);
    }
  }

  #land(path: string, draft: Draft): void {
    draft.land();
    for (const since of this.#clears) since.add(path);
  }

  async #follow(write: Promise<void>): Promise<void> {
    this.#writes.add(write);
    try {
      await write;
    } finally {
      this.#writes.delete(write);
    }
  }

  #visitHeaders(what: string, visit: (header: Header) => void): Promise<void> {
    return this.#visit(what, (file) => {
      const header = headerOf(file);
      if (header !== undefined) visit(header);
    });
  }

  /** Calls `visit` with each of our files, handing the event loop back in between. */
  async #visit(what: string, visit: (file: Listed) => void): Promise<void> {
    const files = listFiles(this.path);
    await inSlices(() =>
      this.#attempt(what, () => {
        const start = performance.now();
        for (;;) {
          const file = files.next();
          if (file.done === true) return true;
          visit(file.value);
          if (isSpent(start)) return false;
        }
      }),
    );
  }

  /** What fails, at once or later, fails with an error of ours. */
  #attempt<T>(what: string, work: () => T): T {
    if (this.#closed) throw new CacheStoreError(`The store in ${this.path} is closed`);
    try {
      if (this.#open !== undefined) assertOwn(this.#open);
      const done = work();
      return done instanceof Promise ? (done.catch((error) => this.#fail(what, error)) as T) : done;
    } catch (error) {
      return this.#fail(what, error);
    }
  }

  #fail(what: string, error: unknown): never {
    if (error instanceof CacheError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new CacheStoreError(`${this.path}: ${what} failed: ${message}`, error);
  }
}

/** The header of an entry that is ours and whole. */
function headerOf({ path, isDraft }: Listed): Header | undefined {
  const header = isDraft ? undefined : readHeader(path);
  return typeof header === 'string' ? undefined : header;
}

function isExpired({ expiresAt }: Header, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}
