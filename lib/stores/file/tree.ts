/** The files below a cache's directory: `<directory>/ab/<62 hex digits>.stash1`, named by a hash of the key alone. */
import { hash } from 'node:crypto';
import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  openSync,
  readdirSync,
  readFile,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFile,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CacheRecordError } from '../../errors.js';
import { isObject } from '../checks.js';
import { HEADER_GUESS, headerLength, type Parsed, parseHeader } from '../entry-format.js';
import { makeDirectories } from '../paths.js';
import type { MaybePromise } from '../store.js';

// 256 directories: at a million entries 4000 files each, and few to look through when there are few entries.
const DIRECTORY = /^[0-9a-f]{2}$/;
// With the version in the name, another version's files are neither met nor touched.
const ENTRY = /^[0-9a-f]{62}\.stash1$/;
const DRAFT = /^[0-9a-f]{62}\.[0-9a-f]{16}-\d+\.stash-draft$/;
/** A draft this old is nobody's work any more; ms. */
const ABANDONED_AFTER = 3_600_000;

/** What is no file may be there too: to open a pipe must not wait for whoever writes to it. Windows has none. */
const READING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Above this many bytes a file is read and written behind the event loop's back, which costs small ones ten times the time. */
export const LARGE = 1024 * 1024;

export interface Listed {
  readonly path: string;
  /** What a writer has begun, and may have left behind. */
  readonly isDraft: boolean;
}

/** Where the entry of a key is. Names never hold text of the key, so nothing in it can lead elsewhere or be too long. */
export function entryPath(root: string, key: Uint8Array): string {
  const digest = hash('sha256', key, 'hex');
  return join(root, digest.slice(0, 2), `${digest.slice(2)}.stash1`);
}

/** All files whose names are ours, directory by directory; what else is there is passed over. */
export function* listFiles(root: string): Generator<Listed, void, undefined> {
  for (const entry of readDirectory(root)) {
    if (!entry.isDirectory() || !DIRECTORY.test(entry.name)) continue;
    const directory = join(root, entry.name);
    for (const { name } of readDirectory(directory)) {
      const isDraft = DRAFT.test(name);
      if (isDraft || ENTRY.test(name)) yield { path: join(directory, name), isDraft };
    }
  }
}

function readDirectory(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The header of a file; undefined when it is gone. */
export function readHeader(path: string): Parsed | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, READING);
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (isHidden(error) || isNoFile(error)) return 'foreign';
    throw error;
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return 'foreign';
    const beginning = readBeginning(descriptor, Math.min(HEADER_GUESS, stat.size));
    const length = headerLength(beginning) ?? 0;
    const isEnough = length <= beginning.length || length > stat.size;
    return parseHeader(isEnough ? beginning : readBeginning(descriptor, length), stat.size);
  } finally {
    closeSync(descriptor);
  }
}

/** The value in a file, when it is that key's; undefined when there is no file. */
export function readValue(path: string, key: Uint8Array): MaybePromise<Uint8Array | undefined> {
  let descriptor: number;
  try {
    descriptor = openSync(path, READING);
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (isNoFile(error)) throw noFile(path, error);
    throw error;
  }
  // Once it is open, whatever takes its place under that name does not change what is read.
  let isLate = false;
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw noFile(path);
    const { size } = stat;
    isLate = size > LARGE;
    return isLate
      ? readLate(descriptor, path, key)
      : valueIn(readBeginning(descriptor, size, Buffer.allocUnsafeSlow(size)), path, key);
  } finally {
    if (!isLate) closeSync(descriptor);
  }
}

async function readLate(descriptor: number, path: string, key: Uint8Array): Promise<Uint8Array> {
  try {
    return valueIn(await promisify(readFile)(descriptor), path, key);
  } finally {
    closeSync(descriptor);
  }
}

function valueIn(bytes: Buffer, path: string, key: Uint8Array): Uint8Array {
  const header = parseHeader(bytes, bytes.length);
  if (typeof header === 'string') throw new CacheRecordError(`${path} is ${header}`);
  if (Buffer.compare(header.key, key) !== 0) throw new CacheRecordError(`${path} is another key's`);
  return bytes.subarray(header.start);
}

function readBeginning(descriptor: number, length: number, target = Buffer.allocUnsafe(length)): Buffer {
  let filled = 0;
  while (filled < length) {
    const read = readSync(descriptor, target, filled, length - filled, filled);
    if (read === 0) break;
    filled += read;
  }
  return target.subarray(0, filled);
}

/** Answers whether there was one. */
export function removeFile(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Removes what a writer that died has left behind. By the system's clock, as the file's time is. */
export function removeIfAbandoned(draft: string): void {
  const stat = statSync(draft, { throwIfNoEntry: false });
  if (stat?.isFile() && Date.now() - stat.mtimeMs > ABANDONED_AFTER) removeFile(draft);
}

/** A file in the making. It has a name of its own until it is whole, so that nobody ever reads half of it. */
export class Draft {
  readonly #path: string;
  readonly #target: string;
  readonly #descriptor: number;

  /** `id`: nobody else's, in the form that `DRAFT` knows. */
  constructor(target: string, id: string) {
    this.#target = target;
    this.#path = `${target.slice(0, -'.stash1'.length)}.${id}.stash-draft`;
    this.#descriptor = openPrivately(this.#path);
  }

  write(parts: readonly Uint8Array[]): void {
    for (const part of parts) writeFileSync(this.#descriptor, part);
  }

  async writeLate(parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) await promisify(writeFile)(this.#descriptor, part);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Atomically in the place of what was there. Without fsync: what a loss of power damages is fetched again. */
  land(): void {
    renameSync(this.#path, this.#target);
  }

  drop(): void {
    try {
      removeFile(this.#path);
    } catch {
      // The failure that led here is the one to tell; what stays is swept up later.
    }
  }
}

/** Makes a file, and the directories above it if they are not there or have been removed. */
function openPrivately(path: string): number {
  for (let attempt = 1; ; attempt++) {
    try {
      return openSync(path, 'wx', 0o600);
    } catch (error) {
      // Somebody may be removing the directories just now.
      if (!isMissing(error) || attempt === 5) throw error;
      makeDirectories(dirname(path));
    }
  }
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

function isHidden(error: unknown): boolean {
  return codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM';
}

/** What opening a socket or a device without a driver says, or links that lead round in a circle. */
const NO_FILE: ReadonlySet<unknown> = new Set(['ENXIO', 'ENODEV', 'EOPNOTSUPP', 'ELOOP']);

function isNoFile(error: unknown): boolean {
  return NO_FILE.has(codeOf(error));
}

function noFile(path: string, cause?: unknown): CacheRecordError {
  return new CacheRecordError(`${path} is no file`, cause);
}

function codeOf(error: unknown): unknown {
  return isObject(error) ? error.code : undefined;
}
