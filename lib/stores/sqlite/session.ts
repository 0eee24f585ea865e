import { IN_MEMORY } from '../paths.js';
import { type Connection, failureOf, inTransaction, type SQLiteDriver } from './driver.js';
import { createPrivately, identityOf, type Place } from './file.js';

/** Of our tables; kept in `axios_stash_meta`, since `user_version` belongs to whoever else uses the file. */
const SCHEMA_VERSION = 1;

/**
 * Pages in the write-ahead log before it is copied back, by the write that fills it, which waits for the disk meanwhile:
 * 30 ms where with 4000 pages it was 80. All writes together take no longer; with 500 they take a quarter more.
 */
export const CHECKPOINT_PAGES = 1000;

// The value comes last, so that the small columns are read without walking the pages of a large one.
// A rowid table: with values of a kilobyte and more, WITHOUT ROWID takes four times the time a write.
// Counters are kept by triggers: exact whichever process writes, and read in microseconds.
const SCHEMA = `
CREATE TABLE IF NOT EXISTS axios_stash_meta (
  id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, entries INTEGER NOT NULL, bytes INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS axios_stash (
  id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, created INTEGER NOT NULL, expires INTEGER, size INTEGER NOT NULL,
  used INTEGER NOT NULL, pointer INTEGER NOT NULL, url_hash INTEGER NOT NULL, url TEXT NOT NULL, value BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS axios_stash_expires ON axios_stash (expires, pointer) WHERE expires IS NOT NULL;
CREATE INDEX IF NOT EXISTS axios_stash_used ON axios_stash (used);
CREATE INDEX IF NOT EXISTS axios_stash_url ON axios_stash (url_hash);
CREATE TRIGGER IF NOT EXISTS axios_stash_inserted AFTER INSERT ON axios_stash BEGIN
  UPDATE axios_stash_meta SET entries = entries + 1 - NEW.pointer, bytes = bytes + NEW.size;
END;
CREATE TRIGGER IF NOT EXISTS axios_stash_deleted AFTER DELETE ON axios_stash BEGIN
  UPDATE axios_stash_meta SET entries = entries - 1 + OLD.pointer, bytes = bytes - OLD.size;
END;
CREATE TRIGGER IF NOT EXISTS axios_stash_updated AFTER UPDATE OF size, pointer ON axios_stash
WHEN NEW.size <> OLD.size OR NEW.pointer <> OLD.pointer BEGIN
  UPDATE axios_stash_meta SET entries = entries + OLD.pointer - NEW.pointer, bytes = bytes + NEW.size - OLD.size;
END;
INSERT OR IGNORE INTO axios_stash_meta VALUES (1, ${SCHEMA_VERSION}, 0, 0);
`;

/** The statements in use, prepared once a connection. */
function prepare(connection: Connection) {
  return {
    // What somebody made text or a number of is bytes that are no record.
    get: connection.scalar('SELECT CAST(value AS BLOB) AS v FROM axios_stash WHERE key = ?'),
    // node:sqlite binds an empty array as a blob, older ones as NULL: hence coalesce.
    set: connection.run(`
      INSERT INTO axios_stash (key, created, expires, size, used, pointer, url_hash, url, value)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, zeroblob(0)))
      ON CONFLICT (key) DO UPDATE SET created = excluded.created, expires = excluded.expires, size = excluded.size,
        used = excluded.used, pointer = excluded.pointer, url_hash = excluded.url_hash, url = excluded.url,
        value = excluded.value`),
    delete: connection.run('DELETE FROM axios_stash WHERE key = ?'),
    deleteUpTo: connection.run(
      'DELETE FROM axios_stash WHERE id IN (SELECT id FROM axios_stash WHERE id <= ? ORDER BY id LIMIT ?)',
    ),
    deleteExpired: connection.rows(`
      DELETE FROM axios_stash WHERE id IN (SELECT id FROM axios_stash WHERE expires <= ? LIMIT ?) RETURNING pointer`),
    deleteById: connection.run('DELETE FROM axios_stash WHERE id = ?'),
    lastUsed: connection.scalar('SELECT max(used) AS v FROM axios_stash'),
    lastId: connection.scalar('SELECT max(id) AS v FROM axios_stash'),
    keysAfter: connection.rows('SELECT key FROM axios_stash WHERE key > ? ORDER BY key LIMIT ?'),
    keysByUrl: connection.rows('SELECT key FROM axios_stash WHERE url_hash = ? AND url = ?'),
    countExpired: connection.scalar(
      'SELECT count(*) AS v FROM axios_stash WHERE expires <= ? AND pointer = 0',
    ),
    counters: connection.rows('SELECT entries, bytes FROM axios_stash_meta'),
    oldest: connection.rows('SELECT id, key, size, pointer, used FROM axios_stash ORDER BY used LIMIT ?'),
    touch: connection.run('UPDATE axios_stash SET used = ? WHERE key = ? AND used < ?'),
    dataVersion: connection.pragma('data_version'),
    freePages: connection.pragma('freelist_count'),
  };
}

/** One opened database that has our tables, in the version that we know. */
export interface Session {
  readonly connection: Connection;
  readonly statements: ReturnType<typeof prepare>;
  /** Which file this is, to notice when another one takes its place; undefined in memory. */
  readonly identity: string | undefined;
  /** Nobody else's tables are in it: then it may be shrunk, and its journal mode is ours to choose. */
  readonly isOurs: boolean;
}

/** A database whose tables are not ours to read: of a newer schema, or somebody else's of the same name. */
export interface ForeignSession {
  readonly connection: Connection;
  readonly statements: undefined;
  readonly identity: string | undefined;
  /** What is met there, for messages. */
  readonly foreign: string;
}

/** Opens the file, making it and our tables if need be. Throws what the driver or the file system threw. */
export function openSession(
  driver: SQLiteDriver,
  place: Place,
  busyTimeout: number,
): Session | ForeignSession {
  const { path } = place;
  if (path !== IN_MEMORY) createPrivately(place);
  const connection = driver.open(path);
  try {
    connection.exec(`PRAGMA busy_timeout = ${Math.ceil(busyTimeout * 1000)}`);
    const isOurs = path !== IN_MEMORY && hasNoOtherTables(connection);
    if (isOurs) chooseJournal(connection, busyTimeout);
    // secure_delete: a response that was deleted is overwritten, not only unlinked.
    connection.exec(`PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA journal_size_limit = 67108864; PRAGMA secure_delete = ON`);
    const identity = path === IN_MEMORY ? undefined : identityOf(path);
    const foreign = makeTables(connection);
    if (foreign !== undefined) return { connection, statements: undefined, identity, foreign };
    return { connection, statements: prepare(connection), identity, isOurs };
  } catch (error) {
    connection.close();
    throw error;
  }
}

function hasNoOtherTables(connection: Connection): boolean {
  const others = connection.scalar(String.raw`
    SELECT count(*) AS v FROM sqlite_schema
    WHERE tbl_name NOT LIKE 'axios\_stash%' ESCAPE '\' AND tbl_name NOT LIKE 'sqlite\_%' ESCAPE '\'`);
  return others() === 0;
}

/** WAL, so that readers and a writer do not wait for each other; and in a new file, pages that can be given back. */
function chooseJournal(connection: Connection, busyTimeout: number): void {
  if (connection.scalar('PRAGMA journal_mode', 'journal_mode')() === 'wal') return;
  const giveUp = performance.now() + busyTimeout * 1000;
  for (;;) {
    try {
      // Only takes effect while the file is empty, and before the change to WAL.
      connection.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      const failure = failureOf(error);
      if (failure === 'lost') return; // read-only: reading may still work
      // SQLite does not wait here, though several processes that open a new file at once meet here.
      if (failure !== 'busy' || performance.now() > giveUp) throw error;
      pause(5);
    }
  }
}

/** Makes our tables unless they are there; answers what is in their place when that is not for us. */
function makeTables(connection: Connection): string | undefined {
  const found = ourTables(connection);
  if (found.length === 0) {
    inTransaction(connection, () => connection.exec(SCHEMA));
  } else if (!found.includes('axios_stash_meta') || !found.includes('axios_stash')) {
    return 'a table axios_stash that is not ours';
  }
  const version = connection.scalar('SELECT version AS v FROM axios_stash_meta')();
  return version === SCHEMA_VERSION ? undefined : `schema version ${version}`;
}

function ourTables(connection: Connection): unknown[] {
  const tables = connection.rows(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('axios_stash', 'axios_stash_meta')",
  );
  return tables().map((row) => row.name);
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
