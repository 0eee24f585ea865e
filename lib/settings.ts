/** Validates options once, at the edge, and compiles them into what the request path reads. */
import { isDeepStrictEqual } from 'node:util';
import { closest, distance } from 'fastest-levenshtein';
import { DEFAULT_INNER_ADAPTER, Inner } from './axios.js';
import { CacheOptionError, shownOf } from './errors.js';
import type { CacheSettings, CommonOptions } from './options.js';
import { assertExpireAfter, assertStaleLimit } from './policy/expiry.js';
import type { ExpiryLevels } from './policy/freshness.js';
import { compileUrlPatterns } from './policy/patterns.js';
import { type ExpireAfter, NEVER_EXPIRE, type PolicySettings } from './policy/types.js';
import { assertCompression } from './record/compression.js';
import { assertEncryptionKey, assertSecretKey } from './record/keys.js';
import { Keyer } from './request/key.js';
import { DEFAULT_REDACTED, Redactor } from './request/redact.js';
import { MOST_SECONDS } from './stores/checks.js';

type Check = (option: string, value: unknown) => void;

const boolean: Check = (option, value) => {
  if (typeof value !== 'boolean') throw new CacheOptionError(option, value, 'allowed: true or false');
};
const func: Check = (option, value) => {
  if (typeof value !== 'function') throw new CacheOptionError(option, value, 'allowed: a function');
};
const text: Check = (option, value) => {
  if (typeof value !== 'string' || value === '') {
    throw new CacheOptionError(option, value, 'allowed: a non-empty string');
  }
};
const names: Check = (option, value) => {
  if (!Array.isArray(value) || value.some((name) => typeof name !== 'string' || name === '')) {
    throw new CacheOptionError(option, value, 'allowed: an array of non-empty strings');
  }
};
const booleanOrNames: Check = (option, value) => {
  if (typeof value === 'boolean') return;
  if (!Array.isArray(value)) {
    throw new CacheOptionError(option, value, 'allowed: true, false or an array of header names');
  }
  names(option, value);
};
const codes: Check = (option, value) => {
  const isCode = (code: unknown) => Number.isInteger(code) && Number(code) >= 100 && Number(code) <= 999;
  if (!Array.isArray(value) || !value.every(isCode)) {
    throw new CacheOptionError(option, value, 'allowed: an array of status codes, 100 to 999');
  }
};
const atLeast =
  (least: number, what: string): Check =>
  (option, value) => {
    if (!Number.isSafeInteger(value) || Number(value) < least) {
      throw new CacheOptionError(option, value, `allowed: ${what}, a whole number from ${least}`);
    }
  };
const seconds: Check = (option, value) => {
  if (typeof value !== 'number' || !(value > 0 && value <= MOST_SECONDS)) {
    throw new CacheOptionError(
      option,
      value,
      `allowed: seconds, a number over 0 and at most ${MOST_SECONDS}`,
    );
  }
};
const ADAPTERS: ReadonlySet<string> = new Set(['xhr', 'http', 'fetch']);
const innerAdapter: Check = (option, value) => {
  // axios looks a name up in lower case (adapters.js); one that it does not know would fail each request.
  const isOne = (one: unknown) => typeof one === 'function' || ADAPTERS.has(String(one).toLowerCase());
  const ok = Array.isArray(value) ? value.length > 0 && value.every(isOne) : isOne(value);
  if (!ok) {
    throw new CacheOptionError(
      option,
      value,
      "allowed: an axios adapter: 'http', 'fetch', 'xhr', a function, or an array of them",
    );
  }
};
const serializer: Check = (option, value) => {
  if (value === 'binary' || value === 'json') return;
  const own = value as { encode?: unknown; decode?: unknown } | null;
  if (typeof own === 'object' && own && typeof own.encode === 'function' && typeof own.decode === 'function')
    return;
  throw new CacheOptionError(option, value, "allowed: 'binary', 'json' or an object with encode and decode");
};
// RFC 9211 2: a cache identifies itself by a token or string; a header value can't hold more than visible ASCII.
const headerName: Check = (option, value) => {
  if (typeof value !== 'string' || !/^[\x20-\x7e]+$/.test(value)) {
    throw new CacheOptionError(option, value, 'allowed: a non-empty string of printable ASCII');
  }
};

const live: Record<string, Check> = {
  expireAfter: assertExpireAfter,
  urlsExpireAfter: compileUrlPatterns,
  allowableMethods: names,
  allowableCodes: codes,
  ignoredParameters: names,
  redact: names,
  matchHeaders: booleanOrNames,
  includeGetHeaders: booleanOrNames,
  keyFn: func,
  filterFn: func,
  cacheControl: boolean,
  shared: boolean,
  staleIfError: assertStaleLimit,
  oldDataOnError: assertStaleLimit,
  staleWhileRevalidate: assertStaleLimit,
  alwaysRevalidate: boolean,
  onlyIfCached: boolean,
  readOnly: boolean,
  coalesce: boolean,
  maxEntries: atLeast(1, 'responses'),
  maxBytes: atLeast(1, 'bytes'),
  maxEntryBytes: atLeast(0, 'bytes'),
  frozen: boolean,
  adapter: innerAdapter,
  storeTimeout: seconds,
  cacheStatusHeader: headerName,
};
const fixed: Record<string, Check> = {
  backend: () => {}, // resolveBackend checks it
  cacheName: text,
  secretKey: assertSecretKey,
  encryptionKey: assertEncryptionKey,
  compression: assertCompression,
  serializer,
  hotBytes: atLeast(0, 'bytes'),
  clock: func,
};
const aliases: Record<string, string> = { includeGetHeaders: 'matchHeaders', oldDataOnError: 'staleIfError' };

/** Names that every cache takes, whatever its backend. */
export const COMMON_OPTION_NAMES: readonly string[] = [...Object.keys(live), ...Object.keys(fixed)];

const DEFAULT_METHODS: readonly string[] = Object.freeze(['GET', 'HEAD']);
export const DEFAULT_HOT_BYTES = 32 * 1024 * 1024;
/** Keys take a thirtieth of what the records do that they lead to. */
const MOST_MEMO_BYTES = 4 * 1024 * 1024;
const DEFAULT_MAX_ENTRY_BYTES = 64 * 1024 * 1024;

/** What the request path reads: validated, defaulted, compiled. Replaced as a whole when a setting changes. */
export interface Settings {
  policy: PolicySettings;
  /** Of a request that says nothing itself. With `cacheControl` an adapter's expiry takes part only if one was given. */
  levels: ExpiryLevels;
  urlExpiry: ((url: string) => { matched: boolean; expireAfter: ExpireAfter }) | undefined;
  methods: ReadonlySet<string>;
  keyer: Keyer;
  redactor: Redactor;
  filterFn: CommonOptions['filterFn'];
  readOnly: boolean;
  coalesce: boolean;
  maxEntries: number | undefined;
  maxBytes: number | undefined;
  maxEntryBytes: number;
  frozen: boolean;
  inner: Inner;
  storeTimeout: number;
  cacheStatusHeader: string | undefined;
}

/** Throws `CacheOptionError` for an unknown name, with the nearest known one. */
export function assertKnownOptions(options: unknown, allowed: readonly string[], where: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new CacheOptionError(where, options, `allowed: an object with some of ${allowed.join(', ')}`);
  }
  for (const name of Object.keys(options)) {
    if (allowed.includes(name)) continue;
    const near = closest(name, allowed);
    const hint = distance(name, near) <= Math.max(2, name.length / 3) ? `did you mean ${near}? ` : '';
    const shown = shownOf(name, (options as Record<string, unknown>)[name]);
    throw new CacheOptionError(name, shown, `${hint}unknown ${where}; known: ${allowed.join(', ')}`);
  }
}

/** Checks the value of each common option that is given; `undefined` means not given. */
export function assertOptionValues(options: CommonOptions): void {
  for (const [name, check] of [...Object.entries(live), ...Object.entries(fixed)]) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined) check(name, value);
  }
  for (const [alias, name] of Object.entries(aliases)) {
    const given = options as Record<string, unknown>;
    if (given[alias] !== undefined && given[name] !== undefined) {
      throw new CacheOptionError(
        alias,
        given[alias],
        `it is an alias of ${name}, and both are given: give one`,
      );
    }
  }
}

/** From validated options to what the request path reads. */
export function compileSettings(options: CommonOptions): Settings {
  const codesGiven = options.allowableCodes;
  return {
    policy: {
      cacheControl: options.cacheControl ?? false,
      shared: options.shared ?? false,
      allowableCodes: codesGiven === undefined ? undefined : new Set(codesGiven),
      staleIfError: options.staleIfError ?? options.oldDataOnError ?? false,
      staleWhileRevalidate: options.staleWhileRevalidate ?? false,
      alwaysRevalidate: options.alwaysRevalidate ?? false,
      onlyIfCached: options.onlyIfCached ?? false,
    },
    levels: {
      request: undefined,
      url: undefined,
      adapter: options.expireAfter ?? (options.cacheControl ? undefined : NEVER_EXPIRE),
    },
    urlExpiry:
      options.urlsExpireAfter === undefined
        ? undefined
        : compileUrlPatterns('urlsExpireAfter', options.urlsExpireAfter),
    methods: new Set((options.allowableMethods ?? DEFAULT_METHODS).map((method) => method.toUpperCase())),
    keyer: new Keyer({
      ignoredParameters: options.ignoredParameters ?? [],
      matchHeaders: options.matchHeaders ?? options.includeGetHeaders ?? false,
      redact: options.redact ?? DEFAULT_REDACTED,
      keyFn: options.keyFn,
      memoBytes: Math.min(MOST_MEMO_BYTES, (options.hotBytes ?? DEFAULT_HOT_BYTES) / 8),
    }),
    redactor: new Redactor({
      redact: options.redact ?? DEFAULT_REDACTED,
      ignoredParameters: options.ignoredParameters ?? [],
    }),
    filterFn: options.filterFn,
    readOnly: options.readOnly ?? false,
    coalesce: options.coalesce ?? true,
    maxEntries: options.maxEntries,
    maxBytes: options.maxBytes,
    maxEntryBytes: options.maxEntryBytes ?? DEFAULT_MAX_ENTRY_BYTES,
    frozen: options.frozen ?? false,
    inner: new Inner(options.adapter ?? DEFAULT_INNER_ADAPTER),
    storeTimeout: options.storeTimeout ?? 2,
    cacheStatusHeader: options.cacheStatusHeader,
  };
}

const DEFAULT_CODES: readonly number[] = Object.freeze([200]);

const defaults: Readonly<Record<string, unknown>> = {
  backend: 'sqlite',
  cacheName: 'http_cache',
  expireAfter: NEVER_EXPIRE,
  allowableMethods: DEFAULT_METHODS,
  allowableCodes: DEFAULT_CODES,
  ignoredParameters: Object.freeze([]),
  redact: DEFAULT_REDACTED,
  matchHeaders: false,
  includeGetHeaders: false,
  cacheControl: false,
  shared: false,
  staleIfError: false,
  oldDataOnError: false,
  staleWhileRevalidate: false,
  alwaysRevalidate: false,
  onlyIfCached: false,
  readOnly: false,
  coalesce: true,
  maxEntryBytes: DEFAULT_MAX_ENTRY_BYTES,
  hotBytes: DEFAULT_HOT_BYTES,
  frozen: false,
  adapter: DEFAULT_INNER_ADAPTER,
  storeTimeout: 2,
  compression: false,
  serializer: 'binary',
};

/** What nobody can change behind our back, or in vain: a setting is changed by assigning another. */
function fixedCopy(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(fixedCopy));
  if (value instanceof Date) return new Date(value);
  if (typeof value !== 'object' || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([name, one]) => [name, fixedCopy(one)])),
  );
}

/** Holds the options in force and what they compile to. */
export class LiveSettings {
  readonly #assertKept: (options: CommonOptions) => void;
  #options: CommonOptions;
  /** Read by the request path at the start of each request; a request keeps what it read. */
  current: Settings;
  /** What `adapter.settings` is. */
  readonly view: CacheSettings;

  /** `assertKept`: what the store has to say about options that are valid in themselves. */
  constructor(options: CommonOptions, assertKept: (options: CommonOptions) => void = () => {}) {
    assertOptionValues(options);
    assertKept(options);
    this.#assertKept = assertKept;
    this.#options = Object.assign(Object.create(null), options);
    for (const name of Object.keys(live)) {
      const given = this.#options as Record<string, unknown>;
      if (given[name] !== undefined) given[name] = fixedCopy(given[name]);
    }
    this.current = compileSettings(this.#options);
    this.view = this.#makeView();
  }

  #assign(name: string, value: unknown): void {
    if (!Object.hasOwn(live, name)) {
      if (Object.hasOwn(fixed, name))
        throw new CacheOptionError(name, value, 'it is fixed when the cache is made');
      assertKnownOptions({ [name]: value }, Object.keys(live), 'setting');
    }
    const next: Record<string, unknown> = Object.assign(Object.create(null), this.#options);
    // An assignment through an alias means the option itself, and the other way round.
    for (const [alias, real] of Object.entries(aliases))
      if (name === alias || name === real) delete next[alias];
    const real = aliases[name] ?? name;
    if (value === undefined) delete next[real];
    else next[real] = fixedCopy(value);
    assertOptionValues(next as CommonOptions);
    this.#assertKept(next as CommonOptions);
    this.current = compileSettings(next as CommonOptions);
    this.#options = next as CommonOptions;
  }

  /** Whether the two make the same keys, and keep the same of requests. */
  keysAsIn(other: LiveSettings): boolean {
    return ['ignoredParameters', 'redact', 'matchHeaders', 'keyFn'].every((name) =>
      isDeepStrictEqual(this.#read(name), other.#read(name)),
    );
  }

  #read(name: string): unknown {
    const real = aliases[name] ?? name;
    const given = this.#options as Record<string, unknown>;
    const alias = Object.keys(aliases).find((key) => aliases[key] === real);
    const value = given[real] ?? (alias === undefined ? undefined : given[alias]);
    // With cacheControl the RFC decides, unless something is given: no list and no number can tell.
    const isRfcs = value === undefined && this.#options.cacheControl === true;
    if (isRfcs && (real === 'allowableCodes' || real === 'expireAfter')) return undefined;
    return value ?? defaults[real];
  }

  // A proxy, so that a misspelt setting throws instead of being ignored; only users go through it, never a request.
  #makeView(): CacheSettings {
    const known = new Set(COMMON_OPTION_NAMES);
    return new Proxy({} as CacheSettings, {
      get: (_, name) => (typeof name === 'string' && known.has(name) ? this.#read(name) : undefined),
      set: (_, name, value) => {
        this.#assign(String(name), value);
        return true;
      },
      has: (_, name) => typeof name === 'string' && known.has(name),
      deleteProperty: (_, name) => {
        this.#assign(String(name), undefined);
        return true;
      },
      ownKeys: () => [...known],
      getOwnPropertyDescriptor: (_, name) =>
        typeof name === 'string' && known.has(name)
          ? // An alias is no setting of its own: a copy of all settings has it once.
            { value: this.#read(name), writable: true, enumerable: !(name in aliases), configurable: true }
          : undefined,
    });
  }
}
