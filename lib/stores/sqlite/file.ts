import { closeSync, lstatSync, openSync, readlinkSync, realpathSync, renameSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isObject } from '../checks.js';
import { assertOwn, makeDirectories, userId } from '../paths.js';

/** Where a database is to be, and what of that is where anybody may put things. */
export interface Place {
  readonly path: string;
  readonly open: string | undefined;
}

/** What SQLite reads beside a database. */
const BESIDE = ['', '-wal', '-shm', '-journal'];

/** As many as Linux follows. */
const MOST_LINKS = 40;

/** Makes the directories above `path` and an empty file there, private to the user; leaves alone what exists. */
export function createPrivately({ path, open }: Place): void {
  if (open !== undefined) for (const suffix of BESIDE) assertOwn(open + suffix);
  if (identityOf(path) !== undefined) return;
  makeDirectories(dirname(path));
  let at = path;
  // A link to nothing: SQLite would make the file there, and not for the user alone.
  for (let links = 0; !createAt(at) && identityOf(path) === undefined; links++) {
    if (links === MOST_LINKS) throw new Error(`${path} is a link that leads nowhere`);
    at = targetOf(at);
  }
  // The system may take another way from link to link, where directories on it are links as well.
  if (identityOf(path) === undefined) throw new Error(`${path} is a link that can't be followed`);
}

/** Answers false when something is there, be it a link to nothing. */
function createAt(path: string): boolean {
  try {
    // Only ever exclusively: closing a handle of an existing database would drop the POSIX locks that any other
    // connection of this process holds on it. SQLite gives -wal and -shm the mode of the file.
    closeSync(openSync(path, 'wx', 0o600));
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Where a link leads, if it is the user's own or root's: anybody else's may lead to where only the user can write. */
function targetOf(link: string): string {
  const stat = lstatSync(link, { throwIfNoEntry: false });
  if (!stat?.isSymbolicLink()) return link; // somebody has just taken it away, or made it
  if (stat.uid !== 0 && stat.uid !== userId()) throw new Error(`${link} is somebody else's link`);
  return resolve(realpathSync(dirname(link)), readlinkSync(link));
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
