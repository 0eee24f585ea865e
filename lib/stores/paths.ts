import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { CacheOptionError } from '../errors.js';
import { isObject } from './checks.js';

export interface PathOptions {
  /** A path; `~` is the home directory. @default 'http_cache' */
  cacheName?: string | undefined;
  /**
   * Puts a relative `cacheName` into the system's directory for temporary files. What is there already and not the
   * user's own is neither read nor written. @default false
   */
  useTemp?: boolean | undefined;
  /** Puts a relative `cacheName` into the user's cache directory; wins over `useTemp`. @default false */
  useCacheDir?: boolean | undefined;
}

/** SQLite's name for a database that is never written to disk. */
export const IN_MEMORY = ':memory:';

/** The absolute path that the options name, without any extension added. */
export function cachePath(options: PathOptions): string {
  const { cacheName = 'http_cache', useCacheDir } = options;
  if (typeof cacheName !== 'string' || cacheName === '' || cacheName.includes('\0')) {
    throw new CacheOptionError('cacheName', cacheName, 'allowed: a non-empty path');
  }
  const path = expandHome(cacheName);
  if (isAbsolute(path)) return resolve(path);
  if (useCacheDir === true) return resolve(userCacheDir(), path);
  return options.useTemp === true ? resolve(tmpdir(), path) : resolve(path);
}

/**
 * What a cache at `path` has right below the directory for temporary files, for `assertOwn`; undefined: it is not there.
 * Anybody may put files there, and choose beforehand what a cache of a known name would read, or read what it writes.
 */
export function temporaryEntry(
  path: string,
  { cacheName = 'http_cache', useTemp, useCacheDir }: PathOptions,
): string | undefined {
  if (useTemp !== true || useCacheDir === true || isAbsolute(expandHome(cacheName))) return undefined;
  const [first] = relative(tmpdir(), path).split(sep);
  return first === undefined || first === '..' ? undefined : resolve(tmpdir(), first);
}

/** Throws when there is something at `path` that is not the user's own; a link neither, wherever it leads. */
export function assertOwn(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  const user = userId();
  if (stat === undefined || user === undefined || (stat.uid === user && !stat.isSymbolicLink())) return;
  throw new Error(`${path} is not the user's own: somebody else may have put it there`);
}

/** As files are owned by; undefined on Windows. */
export function userId(): number | undefined {
  return process.geteuid?.();
}

/** The path of a SQLite database: as `cachePath`, `.sqlite` appended iff the base name has no dot. */
export function sqlitePath(options: PathOptions): string {
  if (options.cacheName === IN_MEMORY) return IN_MEMORY;
  const path = cachePath(options);
  return basename(path).includes('.') ? path : `${path}.sqlite`;
}

/**
 * Throws when no file can ever be at `path`: it is a directory, or something above it is no directory.
 * What time or permissions may mend (a missing directory, one that can't be read) is none of this, nor what is at
 * `open`, where somebody else may have put it.
 */
export function assertUsablePath(path: string, open: string | undefined): void {
  if (path === open) return;
  if (kindOf(path) === 'directory') {
    throw new CacheOptionError('cacheName', path, 'it is a directory; the path of a file is needed');
  }
  assertDirectories(path, dirname(path), open);
}

/** The same where a directory is to be at `path`. */
export function assertUsableDirectory(path: string, open: string | undefined): void {
  assertDirectories(path, path, open);
}

/** Throws when `from`, or something above it and below `open`, is there and no directory. */
function assertDirectories(path: string, from: string, open: string | undefined): void {
  for (let at = from; at !== open; at = dirname(at)) {
    const kind = kindOf(at);
    if (kind === 'other') throw new CacheOptionError('cacheName', path, `${at} is not a directory`);
    if (kind === 'directory' || dirname(at) === at) return;
  }
}

/** `unknown`: missing, or hidden from us (no permission), or below a file. */
function kindOf(path: string): 'directory' | 'other' | 'unknown' {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return 'unknown';
    return stat.isDirectory() ? 'directory' : 'other';
  } catch {
    return 'unknown';
  }
}

function expandHome(path: string): string {
  if (path === '~') return homedir();
  return path.startsWith('~/') || path.startsWith('~\\') ? join(homedir(), path.slice(2)) : path;
}

/** Where the platform wants caches of a user; `XDG_CACHE_HOME` (absolute, as its specification demands) everywhere first. */
function userCacheDir(): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: localAppData } = process.env;
  if (xdg !== undefined && isAbsolute(xdg)) return xdg;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  if (process.platform === 'win32') return localAppData || join(homedir(), 'AppData', 'Local');
  return join(homedir(), '.cache');
}

/** Level by level: Node's own `recursive` never ends below a directory in which nothing can be made (/proc). */
export function makeDirectories(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectories(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!isObject(error) || error.code !== 'EEXIST') throw error; // somebody else was quicker
  }
}
