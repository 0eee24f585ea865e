import { createRequire } from 'node:module';
import { CacheDriverMissingError } from '../../errors.js';
import { isObject } from '../checks.js';

export type SqlValue = null | number | bigint | string | Uint8Array;
export type Row = Readonly<Record<string, SqlValue>>;

/** An open database: what `node:sqlite` and `better-sqlite3` have in common, so that both run the same SQL. */
export interface Connection {
  exec(sql: string): void;
  /** Prepares a statement whose result is one column, named `v` unless told, of at most one row. */
  scalar(sql: string, column?: string): (...params: SqlValue[]) => SqlValue | undefined;
  /** Prepares a pragma that answers one value, in a column of its own name. */
  pragma(name: string): () => SqlValue | undefined;
  rows(sql: string): (...params: SqlValue[]) => Row[];
  /** Prepares a statement without a result; answers how many rows it changed. */
  run(sql: string): (...params: SqlValue[]) => number;
  close(): void;
}

export interface SQLiteDriver {
  readonly name: 'node:sqlite' | 'better-sqlite3';
  open(path: string): Connection;
}

/** `busy`: locked by another connection. `unusable`: no database, or a damaged one. `lost`: the connection may be of no more use. */
export type SQLiteFailure = 'busy' | 'unusable' | 'lost' | 'other';

interface RawStatement {
  /** better-sqlite3: answers the first column alone instead of an object for the row. */
  pluck?(): { get(...params: SqlValue[]): SqlValue | undefined };
  get(...params: SqlValue[]): Row | undefined;
  all(...params: SqlValue[]): Row[];
  run(...params: SqlValue[]): { changes: number | bigint };
}

interface RawDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): RawStatement;
  close(): unknown;
}

type DatabaseClass = new (path: string) => RawDatabase;

/** The driver of that name, else the first that this Node has. Opens no file. */
export function findDriver(wanted?: SQLiteDriver['name']): SQLiteDriver {
  if (wanted !== 'better-sqlite3') {
    const Database = nodeDatabase();
    if (Database !== undefined) return { name: 'node:sqlite', open: (path) => connect(new Database(path)) };
    if (wanted === 'node:sqlite') {
      throw new CacheDriverMissingError(
        `sqlite (node:sqlite is not in Node ${process.version})`,
        'better-sqlite3',
      );
    }
  }
  const Database = betterDatabase();
  return { name: 'better-sqlite3', open: (path) => connect(new Database(path)) };
}

function nodeDatabase(): DatabaseClass | undefined {
  const module: unknown = withoutWarning(/SQLite/, () => process.getBuiltinModule('node:sqlite'));
  return isObject(module) && isDatabaseClass(module.DatabaseSync) ? module.DatabaseSync : undefined;
}

/** Node 22 calls the module experimental when it loads it: a line on stderr that no user of a cache has asked for. */
function withoutWarning<T>(about: RegExp, load: () => T): T {
  const { emitWarning } = process;
  const others = (...args: Parameters<typeof emitWarning>): void => {
    if (!about.test(String(args[0]))) Reflect.apply(emitWarning, process, args);
  };
  process.emitWarning = others as typeof emitWarning;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

let better: DatabaseClass | undefined;

function betterDatabase(): DatabaseClass {
  if (better !== undefined) return better;
  try {
    const Database: unknown = createRequire(import.meta.url)('better-sqlite3');
    if (!isDatabaseClass(Database)) throw new TypeError('better-sqlite3 exports no class');
    // Its native part is only loaded by the first database: one that was not built must show now.
    new Database(':memory:').close();
    better = Database;
    return Database;
  } catch (error) {
    throw new CacheDriverMissingError('sqlite', 'better-sqlite3', error);
  }
}

function isDatabaseClass(value: unknown): value is DatabaseClass {
  return typeof value === 'function';
}

function connect(database: RawDatabase): Connection {
  return {
    exec: (sql) => {
      database.exec(sql);
    },
    scalar: (sql, column = 'v') => {
      const statement = database.prepare(sql);
      const plucked = statement.pluck?.();
      if (plucked !== undefined) return (...params) => plucked.get(...params);
      return (...params) => statement.get(...params)?.[column];
    },
    pragma: (name) => {
      const statement = database.prepare(`PRAGMA ${name}`);
      const plucked = statement.pluck?.();
      return plucked === undefined ? () => statement.get()?.[name] : () => plucked.get();
    },
    rows: (sql) => {
      const statement = database.prepare(sql);
      return (...params) => statement.all(...params);
    },
    run: (sql) => {
      const statement = database.prepare(sql);
      return (...params) => Number(statement.run(...params).changes);
    },
    close: () => {
      database.close();
    },
  };
}

/** Work that is done wholly or not at all; takes the write lock at once, so that it waits for it instead of failing later. */
export function inTransaction<T>(connection: Connection, work: () => T): T {
  connection.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    connection.exec('COMMIT');
    return result;
  } catch (error) {
    try {
      connection.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself (disk full, I/O error): the first error tells more.
    }
    throw error;
  }
}

/** The primary result codes (https://sqlite.org/rescode.html) that call for more than reporting. */
const failures: Readonly<Record<number, SQLiteFailure>> = {
  5: 'busy', // SQLITE_BUSY
  6: 'busy', // SQLITE_LOCKED
  8: 'lost', // SQLITE_READONLY: among others, the file was moved away (READONLY_DBMOVED)
  10: 'lost', // SQLITE_IOERR
  11: 'unusable', // SQLITE_CORRUPT
  14: 'lost', // SQLITE_CANTOPEN: among others, a vanished -wal
  17: 'lost', // SQLITE_SCHEMA
  21: 'lost', // SQLITE_MISUSE: the connection is closed
  26: 'unusable', // SQLITE_NOTADB
};

const codes: Readonly<Record<string, number>> = {
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  CANTOPEN: 14,
  SCHEMA: 17,
  MISUSE: 21,
  NOTADB: 26,
};

/** What kind of failure an error thrown by either driver (or by `sqlite3`, below @keyv/sqlite) is. */
export function failureOf(error: unknown): SQLiteFailure {
  if (!isObject(error)) return 'other';
  // node:sqlite and sqlite3 give the (extended) number, better-sqlite3 the (extended) name.
  const number = error.errcode ?? error.errno;
  if (typeof number === 'number' && number > 0) return failures[number & 0xff] ?? 'other';
  if (typeof error.code !== 'string') return 'other';
  const name = /^SQLITE_([A-Z]+)/.exec(error.code)?.[1];
  return failures[codes[name ?? ''] ?? 0] ?? 'other';
}
