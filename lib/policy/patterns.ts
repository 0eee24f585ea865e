import { types } from 'node:util';
import { CacheOptionError } from '../errors.js';
import { parseUrl } from '../parse-url.js';
import { assertExpireAfter } from './expiry.js';
import { globExpression, globSubject } from './glob.js';
import type { ExpireAfter } from './types.js';

/** What the patterns say of a URL; `expireAfter` is that of the first one that matches. */
export interface PatternMatch {
  readonly matched: boolean;
  readonly expireAfter: ExpireAfter;
}

type Test = (url: UrlText) => boolean;

const ALLOWED = 'allowed: an object of URL pattern -> expiry, or an array of [URL pattern or RegExp, expiry]';
const NO_MATCH: PatternMatch = Object.freeze({ matched: false, expireAfter: undefined });

/** Matches kept; beyond it all are dropped, which costs one miss each and no bookkeeping on a hit. */
const MEMO_SIZE = 1000;
/** Longer URLs are not kept. */
const MEMO_URL_LENGTH = 2048;

/**
 * Checks the patterns and makes them ready: the first that matches the URL decides, also when its value is null. What
 * they say of a URL is remembered. Throws `CacheOptionError`.
 */
export function compileUrlPatterns(option: string, patterns: unknown): (url: string) => PatternMatch {
  const tests: (readonly [Test, PatternMatch])[] = [];
  for (const [pattern, expireAfter] of entriesOf(option, patterns)) {
    const test = compile(option, pattern);
    assertExpireAfter(`${option}[${describe(pattern)}]`, expireAfter);
    tests.push([test, Object.freeze({ matched: true, expireAfter })]);
  }
  if (tests.length === 0) return () => NO_MATCH;
  const memo = new Map<string, PatternMatch>();
  return (url) => {
    const known = memo.get(url);
    if (known !== undefined) return known;
    const text = new UrlText(url);
    const match = tests.find(([test]) => test(text))?.[1] ?? NO_MATCH;
    if (memo.size >= MEMO_SIZE) memo.clear();
    if (url.length <= MEMO_URL_LENGTH) memo.set(url, match);
    return match;
  };
}

/**
 * Makes a test of URLs from one pattern. Throws `CacheOptionError` for what is none.
 *
 * A string is a glob (micromatch) over host, port, path and query. It matches what it names and everything below:
 * `site.com/res` matches `/res`, `/res/x` and `/res?x=1`, not `/resource`; `site.com/res/` only `/res/` and below.
 * - scheme, userinfo and fragment do not count, neither in the pattern nor in the URL
 * - host: in any case; without a port it matches every port (`site.com:443` also matches `https://site.com`);
 *   `*.site.com` is every subdomain at any depth, not `site.com` itself
 * - path: case counts; `*` and `?` stop at `/`, a segment `**` is any number of segments; escapes compare normalised
 * - `*` alone is every URL; a leading `!` turns the pattern round; `[a-z]`, `{a,b}`, `{1..9}` and `@(a|b)` as in micromatch
 * - a `?` with `name=` after it, or `\?`, begins the query: `site.com/a?x=1` matches `?x=1` and `?x=1&y=2`, and `*` in it
 *   matches anything
 *
 * A `RegExp` is tested against the whole URL, as `new URL(url).href` spells it, less userinfo and fragment; its `g` and
 * `y` keep no state.
 */
export function compileUrlPattern(pattern: string | RegExp, option = 'pattern'): (url: string) => boolean {
  const test = compile(option, pattern);
  return (url) => test(new UrlText(url));
}

/** A URL parsed when first needed, for any number of patterns. */
class UrlText {
  readonly #text: string;
  #url: URL | undefined;
  #subject: string | undefined;
  #whole: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** For globs; undefined when it can't be parsed. */
  get subject(): string | undefined {
    if (this.#subject === undefined) {
      const url = this.#parse();
      if (url !== undefined) this.#subject = globSubject(url);
    }
    return this.#subject;
  }

  /** For regular expressions. */
  get whole(): string {
    this.#whole ??= this.#wholeUrl();
    return this.#whole;
  }

  #wholeUrl(): string {
    const url = this.#parse();
    if (url === undefined) return this.#text;
    if (url.hash === '' && url.username === '' && url.password === '') return url.href;
    const plain = new URL(url);
    plain.hash = '';
    plain.username = '';
    plain.password = '';
    return plain.href;
  }

  #parse(): URL | undefined {
    this.#url ??= parseUrl(this.#text);
    return this.#url;
  }
}

function compile(option: string, pattern: unknown): Test {
  if (types.isRegExp(pattern)) return regExpTest(pattern);
  if (typeof pattern !== 'string')
    throw new CacheOptionError(option, pattern, 'a URL pattern is a string or a RegExp');
  const isNegated = /^!(?!\()/.test(pattern);
  const glob = isNegated ? pattern.slice(1) : pattern;
  if (glob === '*' || glob === '**') return () => !isNegated;
  const expression = compileGlob(option, pattern, glob);
  return (url) => {
    const { subject } = url;
    return subject !== undefined && expression.test(subject) !== isNegated;
  };
}

function compileGlob(option: string, pattern: string, glob: string): RegExp {
  try {
    return globExpression(glob);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CacheOptionError(option, pattern, `no usable URL pattern: ${reason}`, error);
  }
}

/** A copy: what is the caller's keeps its lastIndex, and ours starts at 0 each time. */
function regExpTest(pattern: RegExp): Test {
  const own = new RegExp(pattern);
  return (url) => {
    own.lastIndex = 0;
    return own.test(url.whole);
  };
}

function entriesOf(option: string, patterns: unknown): readonly (readonly [unknown, unknown])[] {
  if (Array.isArray(patterns)) return patterns.map((entry: unknown) => pairOf(option, entry));
  if (!isPlainObject(patterns)) throw new CacheOptionError(option, patterns, ALLOWED);
  return Object.entries(patterns);
}

function pairOf(option: string, entry: unknown): readonly [unknown, unknown] {
  if (Array.isArray(entry) && entry.length === 2) return [entry[0], entry[1]];
  throw new CacheOptionError(option, entry, ALLOWED);
}

/** Not a Map, a Date or a class instance, whose entries would silently be none. Of any realm. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || (typeof prototype === 'object' && Object.getPrototypeOf(prototype) === null);
}

function describe(pattern: unknown): string {
  return typeof pattern === 'string' ? `'${pattern}'` : String(pattern);
}
