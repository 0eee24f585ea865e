/** Which entries a maintenance call is about. */
import { types } from 'node:util';
import type { AxiosRequestConfig } from 'axios';
import { CachedResponse } from './cached-response.js';
import { CacheOptionError } from './errors.js';
import { durationMs, isDuration } from './policy/expiry.js';
import { compileUrlPattern } from './policy/patterns.js';
import type { Duration } from './policy/types.js';
import type { ResponseRecord } from './record/record.js';
import { assertKnownOptions } from './settings.js';

/** Seconds, a duration object, or the moment before which. */
export type OlderThan = number | Duration | Date;

/** Selects entries that meet all of its conditions; in a list, one of it. Without conditions it selects nothing. */
export interface Selector {
  /** Keys of stored responses (`response.cacheKey`), or keys made by `createKey`. */
  keys?: readonly string[] | undefined;
  /** All responses for these URLs, whatever method, credentials or variant. */
  urls?: readonly string[] | undefined;
  /** The responses that these requests would get. */
  requests?: readonly AxiosRequestConfig[] | undefined;
  /** URL glob as in `urlsExpireAfter`, or RegExp on the whole URL. */
  pattern?: string | RegExp | undefined;
  /** True: expired ones; false: all others. */
  expired?: boolean | undefined;
  /** True: those that can't be read; false: those that can. */
  invalid?: boolean | undefined;
  /** Stored longer ago than this, or before this moment. */
  olderThan?: OlderThan | undefined;
  /** Those for which it returns true. */
  filter?: ((response: CachedResponse) => boolean) | undefined;
}

const NAMES = ['keys', 'urls', 'requests', 'pattern', 'expired', 'invalid', 'olderThan', 'filter'];

/** A selector made ready: which keys come into question, and what a readable response must meet. */
export interface CompiledSelector {
  isEmpty: boolean;
  invalid: boolean | undefined;
  /** Undefined when the conditions say nothing of keys. */
  keys: readonly string[] | undefined;
  urls: readonly string[] | undefined;
  requests: readonly AxiosRequestConfig[] | undefined;
  meets(record: ResponseRecord): boolean;
  /** Whether a condition other than keys, requests and invalid is given, which an unreadable entry can't meet. */
  asksContent: boolean;
}

export interface SelectorContext {
  clock: () => number;
  /** A URL in the one spelling that is compared: normalised and redacted. */
  comparableUrl: (url: string) => string;
}

function list(option: string, value: unknown, isItem: (item: unknown) => boolean, what: string): void {
  if (value !== undefined && (!Array.isArray(value) || !value.every(isItem))) {
    throw new CacheOptionError(option, value, `allowed: an array of ${what}`);
  }
}

/** Throws unless each of these is a boolean or absent. */
export function assertFlags(options: object, names: readonly string[]): void {
  for (const name of names) {
    const flag: unknown = (options as Record<string, unknown>)[name];
    if (flag !== undefined && typeof flag !== 'boolean')
      throw new CacheOptionError(name, flag, 'allowed: true or false');
  }
}

function assertSelector(selector: unknown): asserts selector is Selector {
  assertKnownOptions(selector, NAMES, 'selector');
  const { keys, urls, requests, filter }: Record<string, unknown> = { ...(selector as object) };
  list('keys', keys, (item) => typeof item === 'string', 'keys');
  list('urls', urls, (item) => typeof item === 'string', 'URLs');
  list('requests', requests, (item) => typeof item === 'object' && item !== null, 'axios request configs');
  assertFlags(selector as object, ['expired', 'invalid']);
  if (filter !== undefined && typeof filter !== 'function') {
    throw new CacheOptionError('filter', filter, 'allowed: a function');
  }
}

/** The moment before which an entry must have been stored. */
export function olderThanMoment(olderThan: unknown, now: number): number {
  if (types.isDate(olderThan) && !Number.isNaN(olderThan.getTime())) return olderThan.getTime();
  const age = typeof olderThan === 'number' || isDuration(olderThan) ? durationMs(olderThan) : Number.NaN;
  if (!Number.isFinite(age) || age < 0) {
    throw new CacheOptionError(
      'olderThan',
      olderThan,
      'allowed: seconds or a duration object, not negative, or a Date',
    );
  }
  return now - age;
}

export function compileSelector(selector: unknown, context: SelectorContext): CompiledSelector {
  assertSelector(selector);
  const tests: ((record: ResponseRecord) => boolean)[] = [];
  const now = context.clock();
  const { urls, pattern, expired, olderThan, filter } = selector;
  if (pattern !== undefined) {
    const matches = compileUrlPattern(pattern);
    tests.push((record) => [record.request.url, record.url, ...record.redirects].some(matches));
  }
  if (expired !== undefined)
    tests.push((record) => (record.expiresAt !== undefined && record.expiresAt <= now) === expired);
  if (olderThan !== undefined) {
    const before = olderThanMoment(olderThan, now);
    tests.push((record) => record.createdAt < before);
  }
  if (filter !== undefined)
    tests.push((record) => filter(new CachedResponse(record, context.clock)) === true);
  const wanted = urls === undefined ? undefined : new Set(urls.map(context.comparableUrl));
  if (wanted !== undefined) {
    tests.push(({ request, url, redirects }) =>
      [request.url, url, ...redirects].some((one) => wanted.has(context.comparableUrl(one))),
    );
  }
  return {
    isEmpty: Object.values(selector).every((condition) => condition === undefined),
    invalid: selector.invalid,
    keys: selector.keys,
    urls,
    requests: selector.requests,
    meets: (record) => tests.every((test) => test(record)),
    asksContent: tests.length > 0,
  };
}
