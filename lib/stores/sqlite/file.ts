import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isObject } from '../checks.js';

/** Makes the directories above `path` and an empty file there, private to the user; leaves alone what exists. */
export function createPrivately(path: string): void {
  if (identityOf(path) !== undefined) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    // Only ever exclusively: closing a handle of an existing database would drop the POSIX locks that any other
    // connection of this process holds on it. SQLite gives -wal and -shm the mode of the file.
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** Which file is at `path`: another text after it was replaced, undefined when there is none. */
export function identityOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}

/** Renames a database that can't be used, and its journals with it; answers the new name. */
export function setAside(path: string, now: number): string {
  const target = freeName(`${path}.corrupt-${now}`);
  renameSync(path, target);
  for (const journal of ['-wal', '-shm', '-journal']) {
    try {
      renameSync(path + journal, target + journal);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
  return target;
}

function freeName(name: string): string {
  let free = name;
  for (let n = 1; statSync(free, { throwIfNoEntry: false }) !== undefined; n++) free = `${name}-${n}`;
  return free;
}

function codeOf(error: unknown): unknown {
  return isObject(error) ? error.code : undefined;
}
