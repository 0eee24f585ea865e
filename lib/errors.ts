import { inspect } from 'node:util';

const brand = Symbol.for('axios-stash.CacheError');

/**
 * What every error of this package extends. A request never rejects with one, save for a bad per-request
 * option (`CacheOptionError`): it rejects with what axios itself would have rejected with.
 */
export class CacheError extends Error {
  override name = 'CacheError';
  /** Stable, machine-readable: `ERR_CACHE_OPTION`, `ERR_CACHE_DRIVER`, `ERR_CACHE_STORE`, `ERR_CACHE_RECORD`. */
  readonly code: string;

  constructor(message: string, code: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    Object.defineProperty(this, brand, { value: true });
  }
}

/**
 * An option that is unknown, of the wrong type or out of range. The message names option, value and what is allowed; of
 * what may be a secret, `value` and message tell the kind alone.
 */
export class CacheOptionError extends CacheError {
  override name = 'CacheOptionError';
  readonly option: string;
  readonly value: unknown;

  constructor(option: string, value: unknown, allowed: string, cause?: unknown) {
    super(`Option ${option}: got ${describeValue(value)}; ${allowed}`, 'ERR_CACHE_OPTION', cause);
    this.option = option;
    this.value = value;
  }
}

/** The package that a backend needs is not installed; the message says which to install. */
export class CacheDriverMissingError extends CacheError {
  override name = 'CacheDriverMissingError';
  readonly driver: string;

  constructor(backend: string, driver: string, cause?: unknown) {
    super(`Backend ${backend} needs the package ${driver}: npm install ${driver}`, 'ERR_CACHE_DRIVER', cause);
    this.driver = driver;
  }
}

/** A store failed or is closed. Rejects maintenance calls, and is in `error` events; never rejects a request. */
export class CacheStoreError extends CacheError {
  override name = 'CacheStoreError';
  /** Whether the store failed, or only this entry did (too large for it, not from this cache): then others may go well. */
  readonly scope: 'store' | 'entry';
  constructor(message: string, cause?: unknown, scope: 'store' | 'entry' = 'store') {
    super(message, 'ERR_CACHE_STORE', cause);
    this.scope = scope;
  }
}

/** A stored record that can't be read: damaged, foreign, of a newer version, wrong seal. Only in `error` events. */
export class CacheRecordError extends CacheError {
  override name = 'CacheRecordError';
  /** A later version of this package wrote it: it is left where it is. */
  readonly isNewer: boolean;
  constructor(message: string, cause?: unknown, isNewer = false) {
    super(message, 'ERR_CACHE_RECORD', cause);
    this.isNewer = isNewer;
  }
}

/** Whether `value` is an error of this package, from either of its builds (so no `instanceof`). */
export function isCacheError(value: unknown): value is CacheError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true;
}

/** A short, one-line rendering for messages; never throws and never prints a long or secret-laden dump. */
export function describeValue(value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'a function' : `function ${value.name}`;
  try {
    // Before a long text is cut, too: what is cut may be the sign by which credentials are known.
    const text = inspect(typeof value === 'string' ? withoutUserinfo(value) : value, {
      depth: 1,
      breakLength: Number.POSITIVE_INFINITY,
      maxArrayLength: 5,
      maxStringLength: 60,
    });
    const shown = withoutUserinfo(text);
    return shown.length > 120 ? `${shown.slice(0, 117)}...` : shown;
  } catch {
    return `a value of type ${typeof value}`;
  }
}

function withoutUserinfo(text: string): string {
  return text.replace(/\/\/[^\s/?#]*@/g, '//***@');
}

const SOUNDS_SECRET = /key|se[ck]ret|pass|pwd|pin|token|auth|cred/i;

/** What may be shown of an option that is not known: not what may be a mistyped `secretKey`, since errors end up in logs. */
export function shownOf(name: string, value: unknown): unknown {
  const isPlain = typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string';
  const isHarmless = isPlain && !SOUNDS_SECRET.test(name) && !String(value).includes('@');
  return isHarmless ? value : kindOfValue(value);
}

function kindOfValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** What a thrown value says, whatever was thrown. Of several errors in one, which may say nothing itself, the first's. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return error instanceof AggregateError && error.errors.length > 0 ? messageOf(error.errors[0]) : error.name;
}
