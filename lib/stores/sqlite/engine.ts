import { inSlices, isSpent, nextTurn, Pace } from '../slices.js';
import type { CountFilter, MaybePromise, Store, StoreLimits, StoreMeta } from '../store.js';
import { decodeKey, encodeKey, urlHash } from '../stored-keys.js';
import { inTransaction, type SQLiteDriver } from './driver.js';
import type { Place } from './file.js';
import { SQLiteHandle } from './handle.js';
import { CHECKPOINT_PAGES, type ForeignSession, type Session } from './session.js';
import { Touches } from './touches.js';

const KEYS_A_PAGE = 1000;
/** Waiting uses from which on a write takes them along. */
const MANY_TOUCHES = 512;
/** Free pages (of 4 KB) above which a bulk delete gives them back. */
const MANY_FREE_PAGES = 256;

/** The store on either native driver. The file is opened by the first operation. */
export class SQLiteEngine implements Store {
  readonly #handle: SQLiteHandle;
  readonly #touches = new Touches();
  /** Somebody set limits: only then is the order of use worth writing down. */
  #isTrimmed = false;

  constructor(driver: SQLiteDriver, place: Place, busyTimeout: number) {
    this.#handle = new SQLiteHandle(driver, place, busyTimeout);
  }

  get(key: string): Uint8Array | undefined {
    return this.#handle.attempt('read', (session) => {
      const value = session.statements?.get(encodeKey(key));
      return value instanceof Uint8Array ? value : undefined;
    });
  }

  set(key: string, value: Uint8Array, meta: StoreMeta): void {
    this.#handle.attempt('write', (session) => {
      const { statements } = this.#handle.writable(session);
      if (this.#isTrimmed && this.#touches.size >= MANY_TOUCHES) this.#writeTouches(session);
      statements.set(
        encodeKey(key),
        meta.createdAt,
        meta.expiresAt ?? null,
        value.byteLength,
        this.#touches.now(),
        meta.index === true ? 1 : 0,
        urlHash(meta.url),
        meta.url,
        value,
      );
      // The row has a later use now than any that waits.
      this.#touches.take(key);
    });
  }

  delete(keys: string[]): MaybePromise<number> {
    let next = 0;
    let deleted = 0;
    const done = this.#bulk('delete', (session, limit) => {
      const { statements } = session;
      const some = keys.slice(next, next + limit);
      let gone = 0;
      const remove = () => {
        for (const key of some) gone += statements.delete(encodeKey(key));
      };
      if (some.length > 1) inTransaction(session.connection, remove);
      else remove();
      // What was done only counts once it is committed: it may be tried again.
      next += some.length;
      deleted += gone;
      return some.length;
    });
    return then(done, () => deleted);
  }

  clear(onProgress?: (done: number) => void): MaybePromise<void> {
    this.#touches.clear();
    // What is stored from now on is new: it stays.
    const last = this.#handle.attempt('clear', (session) => {
      return Number(this.#handle.writable(session).statements.lastId() ?? -1);
    });
    const done = this.#bulk(
      'clear',
      ({ statements }, limit) => statements.deleteUpTo(last, limit),
      onProgress,
    );
    return then(
      then(done, () => this.#shrink()),
      () => this.#eraseLog(done),
    );
  }

  async *keys(): AsyncGenerator<string, void, undefined> {
    let last: Uint8Array = new Uint8Array(0);
    for (;;) {
      const page = this.#handle.attempt(
        'list',
        (session) => session.statements?.keysAfter(last, KEYS_A_PAGE) ?? [],
      );
      for (const row of page) {
        if (!(row.key instanceof Uint8Array)) continue;
        last = row.key;
        yield decodeKey(row.key);
      }
      if (page.length < KEYS_A_PAGE) return;
      await nextTurn();
    }
  }

  close(): void {
    if (this.#handle.closed) return;
    try {
      if (this.#isTrimmed && this.#touches.size > 0) {
        this.#handle.attempt('write', (session) => this.#writeTouches(session));
      }
    } catch {
      // Only the order of eviction suffers.
    }
    this.#handle.close();
  }

  count({ expired, now }: CountFilter): number {
    return this.#handle.attempt('count', (session) => {
      if (session.statements === undefined) return 0;
      const { entries } = counters(session);
      if (expired === undefined) return entries;
      const gone = Number(session.statements.countExpired(now));
      return expired ? gone : entries - gone;
    });
  }

  size(): number {
    return this.#handle.attempt('count', (session) =>
      session.statements === undefined ? 0 : counters(session).bytes,
    );
  }

  deleteExpired(now: number, onProgress?: (done: number) => void): MaybePromise<number> {
    let deleted = 0;
    let gone = 0;
    const work = ({ statements }: Session, limit: number) => {
      const rows = statements.deleteExpired(now, limit);
      gone += rows.length;
      for (const row of rows) if (row.pointer === 0) deleted++;
      return rows.length;
    };
    const done = this.#bulk('delete', work, onProgress);
    const shrunk = then(done, () => this.#shrink());
    const erased = then(shrunk, () => (gone > 0 ? this.#eraseLog(done) : undefined));
    return then(erased, () => deleted);
  }

  touch(key: string): void {
    this.#touches.note(key);
  }

  trim(limits: StoreLimits): MaybePromise<string[]> {
    this.#isTrimmed = true;
    const evicted: string[] = [];
    const done = inSlices(() =>
      this.#handle.attempt('evict', (session) => {
        if (session.statements === undefined || excess(counters(session), limits) <= 0) return true;
        this.#touches.follow(Number(session.statements.lastUsed() ?? 0));
        const page = inTransaction(session.connection, () => this.#evict(session, limits));
        evicted.push(...page.evicted);
        return page.isLast;
      }),
    );
    return then(done, () => evicted);
  }

  keysByUrl(url: string): string[] {
    return this.#handle.attempt('list', (session) => {
      const rows = session.statements?.keysByUrl(urlHash(url), url) ?? [];
      return rows.flatMap((row) => (row.key instanceof Uint8Array ? [decodeKey(row.key)] : []));
    });
  }

  /** Hot: asked on each hit, where it takes most of what a hit costs more than from memory: two locks of the file. */
  version(): number {
    const session = this.#handle.current;
    if (session !== undefined) {
      try {
        return this.#handle.generation * 2 ** 32 + Number(session.statements.dataVersion());
      } catch {
        // Once more, with what mends it.
      }
    }
    return this.#handle.attempt('read', ({ statements }) => {
      const version = Number(statements?.dataVersion() ?? 0);
      return this.#handle.generation * 2 ** 32 + version;
    });
  }

  observe(observer: (error: Error, reason: string) => void): () => void {
    return this.#handle.observers.add(observer);
  }

  /** Evicts one page of the least recently used, whatever they are; those used since it was written down are passed over. */
  #evict(session: Session, limits: StoreLimits): { evicted: string[]; isLast: boolean } {
    const { statements } = session;
    const evicted: string[] = [];
    const now = counters(session);
    const start = performance.now();
    const page = statements.oldest(Math.min(500, Math.max(16, excess(now, limits))));
    for (const row of page) {
      if (excess(now, limits) <= 0) return { evicted, isLast: true };
      if (isSpent(start)) break;
      if (!(row.key instanceof Uint8Array)) continue;
      const key = decodeKey(row.key);
      if (this.#writeTouch(session, key) > 0) continue;
      statements.deleteById(row.id ?? null);
      evicted.push(key);
      if (row.pointer === 0) now.entries--;
      now.bytes -= Number(row.size);
    }
    return { evicted, isLast: page.length === 0 || excess(now, limits) <= 0 };
  }

  /** Writes down the uses that wait, as many as one slice may take. */
  #writeTouches(session: Session | ForeignSession): void {
    if (session.statements === undefined) return;
    inTransaction(session.connection, () => {
      const start = performance.now();
      for (const key of this.#touches.keys()) {
        this.#writeTouch(session, key);
        if (isSpent(start)) return;
      }
    });
  }

  /** Answers how many rows have a later use now. */
  #writeTouch(session: Session, key: string): number {
    const used = this.#touches.take(key);
    return used === undefined ? 0 : session.statements.touch(used, encodeKey(key), used);
  }

  /** Deletes in slices: `work` deletes at most `limit` rows, and answers how many it looked at. Much free space is given back. */
  #bulk(
    what: string,
    work: (session: Session, limit: number) => number,
    onProgress?: (done: number) => void,
  ): MaybePromise<void> {
    let gone = 0;
    const step = (limit: number) => {
      const some = this.#handle.attempt(what, (session) =>
        session.statements === undefined ? 0 : work(session, limit),
      );
      gone += some;
      onProgress?.(gone);
      return some;
    };
    const done = this.#inSlices(step);
    // Done at once, as on the way of a request: the next writes will use the space.
    if (done === undefined) return;
    this.#checkpointEvery(0);
    return done.then(() => this.#shrink()).finally(() => this.#checkpointEvery(CHECKPOINT_PAGES));
  }

  /** Gives free pages back. */
  #shrink(): MaybePromise<void> {
    if (this.#handle.attempt('shrink', freePages) <= MANY_FREE_PAGES) return;
    const step = (limit: number) =>
      this.#handle.attempt('shrink', (session) => {
        const before = freePages(session);
        if (before === 0) return 0;
        session.connection.exec(`PRAGMA incremental_vacuum(${limit})`);
        return before - freePages(session);
      });
    // The file itself only shrinks when the log is copied back.
    return then(this.#inSlices(step), (): MaybePromise<void> => nextTurn().then(() => this.#copyBack()));
  }

  /**
   * Does work of at most `limit` items, which answers how many it did, until it is done. Between two slices the log is
   * copied back, in a turn of its own: it waits for the disk, for longer the more pages were changed.
   */
  #inSlices(work: (limit: number) => number): MaybePromise<void> {
    const pace = new Pace();
    let took = 0;
    let isChanged = false;
    return inSlices(() => {
      const start = performance.now();
      if (isChanged) {
        this.#copyBack();
        pace.took(took, performance.now() - start);
        isChanged = false;
        return false;
      }
      const { limit } = pace;
      const done = work(limit);
      took = performance.now() - start;
      isChanged = true;
      return done < limit;
    });
  }

  /** Without waiting for anybody: what others still read stays in the log. */
  #copyBack(): void {
    this.#handle.attempt('shrink', ({ connection }) => connection.exec('PRAGMA wal_checkpoint(PASSIVE)'));
  }

  /**
   * What was deleted is still to be read in the log until that is begun anew: at once, unless somebody else reads it.
   * For a deletion that no request waits for: it may take as long as when the log is full.
   */
  #eraseLog(deleted: MaybePromise<void>): MaybePromise<void> {
    if (deleted !== undefined) return nextTurn().then(() => this.#eraseLog(undefined));
    this.#handle.attemptAtOnce('erase', (session) => {
      if (session.statements !== undefined && session.isOurs)
        session.connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    });
  }

  /** 0: never by a write, whose time it would take beside its own. */
  #checkpointEvery(pages: number): void {
    try {
      this.#handle.attempt('check', ({ connection }) =>
        connection.exec(`PRAGMA wal_autocheckpoint = ${pages}`),
      );
    } catch {
      // Closed meanwhile; or the operation that follows meets the same failure and reports it.
    }
  }
}

interface Counters {
  entries: number;
  bytes: number;
}

function counters({ statements }: Session): Counters {
  const row = statements.counters()[0];
  return { entries: Number(row?.entries ?? 0), bytes: Number(row?.bytes ?? 0) };
}

/** How far above the limits it is: in entries, or 1 when only in bytes; 0 or less when within. */
function excess({ entries, bytes }: Counters, { maxEntries, maxBytes }: StoreLimits): number {
  const over = maxEntries === undefined ? 0 : entries - maxEntries;
  return over <= 0 && maxBytes !== undefined && bytes > maxBytes ? 1 : over;
}

function freePages(session: Session | ForeignSession): number {
  if (session.statements === undefined || !session.isOurs) return 0;
  return Number(session.statements.freePages() ?? 0);
}

function then<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
