import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isCacheError } from '../../lib/errors.js';
import { SQLiteBackend, type SQLiteOptions } from '../../lib/stores/sqlite.js';

export type Driver = NonNullable<SQLiteOptions['driver']>;

function isThere(driver: Driver): boolean {
  try {
    void new SQLiteBackend({ cacheName: ':memory:', driver }).close();
    return true;
  } catch (error) {
    if (isCacheError(error) && error.code === 'ERR_CACHE_DRIVER') return false;
    throw error;
  }
}

/** Those that this Node has. */
export const nativeDrivers = (['node:sqlite', 'better-sqlite3'] as const).filter(isThere);
export const drivers: Driver[] = (['node:sqlite', 'better-sqlite3', 'keyv'] as const).filter(isThere);

/** A directory of the spec's own, and how to be rid of it. */
export function temporaryDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'axios-stash-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
