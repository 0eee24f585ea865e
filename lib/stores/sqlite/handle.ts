import { CacheError, CacheStoreError } from '../../errors.js';
import { Observers } from '../observers.js';
import { IN_MEMORY } from '../paths.js';
import { failureOf, type SQLiteDriver } from './driver.js';
import { identityOf, type Place, setAside } from './file.js';
import { type ForeignSession, openSession, type Session } from './session.js';

/** How often it is looked whether the file is still the one we opened: operations, and ms. */
const OPERATIONS_A_LOOK = 64;
const LOOK_INTERVAL = 1000;
/** A disk that damages each new file must not be filled with them. */
const MOST_SET_ASIDE = 3;
/** What needs the lock for writing, and so shows that it can be had again. */
const WRITES: ReadonlySet<string> = new Set(['write', 'delete', 'clear', 'evict', 'shrink']);

/** Keeps one database open, and gets over what can happen to its file meanwhile. */
export class SQLiteHandle {
  readonly observers = new Observers();
  readonly #driver: SQLiteDriver;
  readonly #place: Place;
  readonly #path: string;
  readonly #busyTimeout: number;
  #session: Session | ForeignSession | undefined;
  /** The file that was there when it was last tried to open it. */
  #tried: string | undefined;
  #closed = false;
  #generation = 0;
  #operations = 0;
  #lookedAt = 0;
  #setAsides = 0;
  /** Somebody held the lock longer than `busyTimeout`: until it can be had again, nobody else waits for it. */
  #isImpatient = false;

  /** `busyTimeout` in seconds. Opens nothing yet. */
  constructor(driver: SQLiteDriver, place: Place, busyTimeout: number) {
    this.#driver = driver;
    this.#place = place;
    this.#path = place.path;
    this.#busyTimeout = busyTimeout;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Counts openings: what one file told of itself says nothing about the next. */
  get generation(): number {
    return this.#generation;
  }

  /** The open session, for what is done on each hit and needs no second try; undefined where `attempt` has to see to it. */
  get current(): Session | undefined {
    const session = this.#session;
    if (session?.statements === undefined || this.#isImpatient) return undefined;
    if (this.#isStillThere(session)) return session;
    this.#drop();
    return undefined;
  }

  /** Does `work` in one go, opening the file if need be; after a failure that a new connection or file mends, once more. */
  attempt<T>(what: string, work: (session: Session | ForeignSession) => T): T {
    try {
      const result = this.#tryOnce(work);
      if (this.#isImpatient && WRITES.has(what)) this.#bePatient(true);
      return result;
    } catch (error) {
      if (failureOf(error) === 'busy' && !this.#isImpatient) this.#bePatient(false);
      throw this.#wrap(what, error);
    }
  }

  /** Does `work` if no other connection is in the way, else leaves it. */
  attemptAtOnce(what: string, work: (session: Session | ForeignSession) => void): void {
    const wasPatient = !this.#isImpatient;
    if (wasPatient) this.#bePatient(false);
    try {
      this.#tryOnce(work);
    } catch (error) {
      if (failureOf(error) !== 'busy') throw this.#wrap(what, error);
    } finally {
      if (wasPatient) this.#bePatient(true);
    }
  }

  #tryOnce<T>(work: (session: Session | ForeignSession) => T): T {
    try {
      return work(this.#open());
    } catch (error) {
      if (!this.#mend(error)) throw error;
      return work(this.#open());
    }
  }

  #bePatient(isPatient: boolean): void {
    this.#isImpatient = !isPatient;
    try {
      this.#session?.connection.exec(`PRAGMA busy_timeout = ${Math.ceil(this.#patience * 1000)}`);
    } catch {
      // Whatever is wrong with the connection, the next operation meets it.
    }
  }

  /** Seconds. */
  get #patience(): number {
    return this.#isImpatient ? 0 : this.#busyTimeout;
  }

  /** The session, or an error when the tables are not ours to write. */
  writable(session: Session | ForeignSession): Session {
    if (session.statements !== undefined) return session;
    throw new CacheStoreError(`SQLite database ${this.#path} has ${session.foreign}: it is left alone`);
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #open(): Session | ForeignSession {
    if (this.#closed) throw new CacheStoreError(`SQLite database ${this.#path} is closed`);
    if (this.#session !== undefined && this.#isStillThere(this.#session)) return this.#session;
    this.#drop();
    this.#tried = this.#path === IN_MEMORY ? undefined : identityOf(this.#path);
    const session = openSession(this.#driver, this.#place, this.#patience);
    this.#session = session;
    this.#generation++;
    this.#operations = 0;
    this.#lookedAt = Date.now();
    if (session.statements === undefined) {
      const message = `SQLite database ${this.#path} has ${session.foreign}: nothing is read or written`;
      this.observers.tell(new CacheStoreError(message), 'foreign schema');
    }
    return session;
  }

  /** Now and then looks whether the file was deleted or replaced: SQLite would go on with the old one unawares. */
  #isStillThere({ identity }: Session | ForeignSession): boolean {
    if (identity === undefined) return true;
    const now = Date.now();
    if (++this.#operations < OPERATIONS_A_LOOK && now - this.#lookedAt < LOOK_INTERVAL) return true;
    this.#operations = 0;
    this.#lookedAt = now;
    return identityOf(this.#path) === identity;
  }

  /** Answers whether it is worth another try. */
  #mend(error: unknown): boolean {
    if (this.#closed || this.#path === IN_MEMORY || error instanceof CacheError) return false;
    const failure = failureOf(error);
    if (failure !== 'lost' && failure !== 'unusable') return false;
    const identity = this.#session?.identity ?? this.#tried;
    this.#drop();
    // Another process may have replaced the bad file meanwhile: then there is nothing to set aside.
    if (failure === 'unusable' && identityOf(this.#path) === identity) {
      if (++this.#setAsides > MOST_SET_ASIDE) return false;
      const target = setAside(this.#path, Date.now());
      const message = `${this.#path} is no usable SQLite database: it was renamed to ${target}`;
      this.observers.tell(new CacheStoreError(message, error), 'database set aside');
    }
    return true;
  }

  #drop(): void {
    const session = this.#session;
    this.#session = undefined;
    try {
      session?.connection.close();
    } catch {
      // A damaged connection may not even close; it is out of use either way.
    }
  }

  #wrap(what: string, error: unknown): CacheStoreError {
    if (error instanceof CacheStoreError) return error;
    const reason = failureOf(error) === 'busy' ? 'it is locked by another connection' : String(error);
    return new CacheStoreError(`SQLite database ${this.#path}: can't ${what}: ${reason}`, error);
  }
}
