import { type HeaderList, headerValue } from '../record/record.js';
import { parseDictionary } from './structured.js';

/** Directive by lower-case name: `true` without an argument, else the argument, unquoted. */
export type Directives = ReadonlyMap<string, string | true>;

/** Request directives (RFC 9111 5.2.1); lengths in seconds. */
export interface RequestDirectives {
  readonly noStore: boolean;
  readonly noCache: boolean;
  readonly onlyIfCached: boolean;
  /** Malformed: 0, so that nothing stored is taken for young enough. */
  readonly maxAge: number | undefined;
  readonly minFresh: number | undefined;
  /** `true`: however stale. */
  readonly maxStale: number | true | undefined;
  /** RFC 5861 4. */
  readonly staleIfError: number | undefined;
}

/** Response directives (RFC 9111 5.2.2, RFC 5861, RFC 8246); lengths in seconds. */
export interface ResponseDirectives {
  readonly noStore: boolean;
  /** `true`: the whole response; a list: only these fields, by lower-case name. */
  readonly noCache: boolean | readonly string[];
  readonly private: boolean | readonly string[];
  readonly public: boolean;
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly mustUnderstand: boolean;
  readonly immutable: boolean;
  /** Malformed: 0, that is stale (RFC 9111 4.2.1). */
  readonly maxAge: number | undefined;
  readonly sMaxage: number | undefined;
  readonly staleWhileRevalidate: number | undefined;
  readonly staleIfError: number | undefined;
  /** Whether they come from a targeted field (RFC 9213), which puts Expires out of force too. */
  readonly targeted: boolean;
}

/** RFC 9111 1.2.2: what is larger is taken for this. Seconds. */
export const MAX_DELTA = 2 ** 31;

const EMPTY: Directives = new Map();
const DIGITS = /^\d+$/;
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/**
 * Cache-Control by the grammar of RFC 9111 5.2 as its recipients should read it: names in any case, arguments as token
 * or quoted string, empty members skipped. Of duplicates the first counts (4.2.1), except that `no-cache` and `private`
 * keep the most restrictive form. Never throws.
 */
export function parseCacheControl(value: string | undefined): Directives {
  if (value === undefined || value === '') return EMPTY;
  const directives = new Map<string, string | true>();
  for (const member of splitMembers(value)) {
    const equals = member.indexOf('=');
    const name = (equals < 0 ? member : member.slice(0, equals)).trim().toLowerCase();
    if (name === '') continue;
    const argument = equals < 0 ? true : unquote(member.slice(equals + 1));
    const earlier = directives.get(name);
    if (earlier === undefined) directives.set(name, argument);
    else if (name === 'no-cache' || name === 'private')
      directives.set(name, mostRestrictive(earlier, argument));
  }
  return directives;
}

const NO_REQUEST_DIRECTIVES: RequestDirectives = Object.freeze({
  noStore: false,
  noCache: false,
  onlyIfCached: false,
  maxAge: undefined,
  minFresh: undefined,
  maxStale: undefined,
  staleIfError: undefined,
});

/** What the caller's Cache-Control asks for; `headers` by lower-case name. */
export function requestDirectives(headers: Readonly<Record<string, string>>): RequestDirectives {
  const value = headers['cache-control'];
  if (value === undefined || value === '') {
    // RFC 9111 5.4: Pragma counts only without Cache-Control.
    const pragma = headers.pragma;
    const isNoCache = pragma !== undefined && parseCacheControl(pragma).has('no-cache');
    return isNoCache ? { ...NO_REQUEST_DIRECTIVES, noCache: true } : NO_REQUEST_DIRECTIVES;
  }
  const directives = parseCacheControl(value);
  const maxStale = directives.get('max-stale');
  return {
    noStore: directives.has('no-store'),
    noCache: directives.has('no-cache'),
    onlyIfCached: directives.has('only-if-cached'),
    maxAge: deltaOr(directives.get('max-age'), 0),
    minFresh: deltaOr(directives.get('min-fresh'), undefined),
    maxStale: maxStale === true ? true : deltaOr(maxStale, undefined),
    staleIfError: deltaOr(directives.get('stale-if-error'), undefined),
  };
}

const privateMemo = new WeakMap<HeaderList, ResponseDirectives>();
const sharedMemo = new WeakMap<HeaderList, ResponseDirectives>();

/** The response's directives, for a private or shared cache; parsed once for a header list. */
export function responseDirectives(headers: HeaderList, shared = false): ResponseDirectives {
  const memo = shared ? sharedMemo : privateMemo;
  const known = memo.get(headers);
  if (known !== undefined) return known;
  const targeted = shared ? targetedDirectives(headers) : undefined;
  const directives = targeted ?? parseCacheControl(headerValue(headers, 'cache-control'));
  const parsed: ResponseDirectives = {
    noStore: directives.has('no-store'),
    noCache: fieldNames(directives.get('no-cache')),
    private: fieldNames(directives.get('private')),
    public: directives.has('public'),
    mustRevalidate: directives.has('must-revalidate'),
    proxyRevalidate: directives.has('proxy-revalidate'),
    mustUnderstand: directives.has('must-understand'),
    immutable: directives.has('immutable'),
    maxAge: deltaOr(directives.get('max-age'), 0),
    sMaxage: deltaOr(directives.get('s-maxage'), 0),
    staleWhileRevalidate: deltaOr(directives.get('stale-while-revalidate'), undefined),
    staleIfError: deltaOr(directives.get('stale-if-error'), undefined),
    targeted: targeted !== undefined,
  };
  memo.set(headers, parsed);
  return parsed;
}

/** Members between commas; a comma in a quoted string does not count. */
function splitMembers(value: string): string[] {
  if (!value.includes('"')) return value.split(',');
  const members: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < value.length; i++) {
    const char = value[i];
    if (char === '"') quoted = !quoted;
    else if (quoted && char === '\\') i++;
    else if (!quoted && char === ',') {
      members.push(value.slice(start, i));
      start = i + 1;
    }
  }
  members.push(value.slice(start));
  return members;
}

/** White space next to the `=` is kept: it makes the argument malformed (RFC 9111 5.2). */
function unquote(argument: string): string {
  const text = argument.trimEnd();
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replace(/\\(.)/g, '$1');
}

function mostRestrictive(a: string | true, b: string | true): string | true {
  return a === true || b === true ? true : `${a},${b}`;
}

/** A field list that is empty or malformed is read as the stricter form without one. */
function fieldNames(argument: string | true | undefined): boolean | readonly string[] {
  if (argument === undefined || argument === true) return argument === true;
  const names = argument.split(',').map((name) => name.trim().toLowerCase());
  return names.every((name) => FIELD_NAME.test(name)) ? names : true;
}

function deltaOr<T>(argument: string | true | undefined, malformed: T): number | T | undefined {
  if (argument === undefined) return undefined;
  return argument !== true && DIGITS.test(argument) ? Math.min(MAX_DELTA, Number(argument)) : malformed;
}

/** The directives that RFC 9213 2.1 maps to an Integer; the others to a Boolean, or a String or Token. */
const INTEGERS: ReadonlySet<string> = new Set([
  'max-age',
  's-maxage',
  'stale-while-revalidate',
  'stale-if-error',
]);

/**
 * RFC 9213 2.2: a CDN-Cache-Control that is a valid, non-empty dictionary stands in for Cache-Control. One whose lengths
 * are no integers is not valid.
 */
function targetedDirectives(headers: HeaderList): Directives | undefined {
  const members = parseDictionary(headerValue(headers, 'cdn-cache-control'));
  if (members === undefined || members.size === 0) return undefined;
  const directives = new Map<string, string | true>();
  for (const [name, member] of members) {
    if (INTEGERS.has(name) && member.type !== 'integer') return undefined;
    switch (member.type) {
      case 'boolean':
        if (member.value) directives.set(name, true);
        break;
      case 'integer':
      case 'string':
      case 'token':
        directives.set(name, String(member.value));
        break;
      case 'inner-list':
      case 'other':
        directives.set(name, ''); // malformed: the stricter reading
        break;
      default:
        member satisfies never;
    }
  }
  return directives;
}
