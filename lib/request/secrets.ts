/** Which names are secret, and whether a text may hold the value of one. */
import { decodeEscapes } from './url.js';

/** Stands for every secret value. */
export const REDACTED = 'REDACTED';

const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;
// Userinfo in a URL within a text, with the slashes that browsers take for one or that JSON escapes.
export const USERINFO = /(?:https?:[\\/]+|\/\\?\/)[^\s\\/?#]*@/i;
// The value of `grant_type=password` names a secret and holds none; that of `a=password: x` may.
const ONE_NAME = /^[\w.[\]{}-]*$/;
// What can't follow a secret's name within a name, as what does in `token[]`, `password[new]`, `"token"`, `password:`.
// A pattern of what can would be a loop, and a long text a RangeError.
const NO_REST_OF_NAME = /(?:^|[\]})"'\s:=?*])[\w-]|[^\w.[\]{})"'\s:=?*-]/;
// Names in `ignoredParameters` are often words (`page`, `t`): such one has a value only where it is given one.
const ASSIGNED = /(?:\[[^\]]{0,99}\]){0,9}[^\w=:]{0,99}[=:]/y;

export class Secrets {
  readonly #redact: ReadonlySet<string>;
  readonly #ignored: ReadonlySet<string>;
  readonly #headers: ReadonlySet<string>;
  /** Whether a name is somewhere in a text, be it within a word; never where there is none. */
  readonly #mention: RegExp;
  /** A mention, or what can hide one. Asked of every URL and text, so quick to say no. */
  readonly #concern: RegExp;
  /** Each name as a word; also behind `_` and `-`, and behind the letter of an escape (`\ntoken`). */
  readonly #words: RegExp;

  constructor(redact: readonly string[], ignored: readonly string[]) {
    this.#redact = new Set(redact.map((name) => name.toLowerCase()).flatMap(withBlanks));
    this.#ignored = new Set(ignored.flatMap(withBlanks));
    this.#headers = new Set([...redact, ...ignored].map((name) => name.toLowerCase()));
    const names = [...new Set([...redact, ...ignored].flatMap(foldings))].filter((name) => name !== '');
    // `x-auth-token` is nowhere where `token` is not.
    const shortest = names.filter((name) => !names.some((part) => part !== name && name.includes(part)));
    this.#mention = new RegExp(anyOf(shortest), 'iu');
    this.#concern = new RegExp(`${anyOf(shortest)}|[%@\\\\\\0]`, 'iu');
    this.#words = new RegExp(`(?:(?<![a-z0-9])|(?<=\\\\[bfnrtv]))(?:${anyOf(names)})(?![a-z0-9_-])`, 'giu');
  }

  isHeader(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  /** False: neither the name nor the value of a secret is in the text, nor anything that would have to be decoded. */
  mayConcern(text: string): boolean {
    return this.#concern.test(text) || text.includes('&#');
  }

  /** Whether it is, or ends with, the name of a secret: `token`, `user[password]`, `your password:`. */
  isName(text: string): boolean {
    if (!this.mayConcern(text)) return false;
    if (this.isWhole(text)) return true;
    const plain = decodeAll(text);
    if (plain === undefined || USERINFO.test(plain)) return false;
    const words = this.#words;
    words.lastIndex = 0;
    let end: number | undefined;
    for (let found = words.exec(plain); found !== null; found = words.exec(plain)) {
      // `page_token` is another name.
      const isWhole = found.index === 0 || !'_-'.includes(plain.charAt(found.index - 1));
      if (isWhole && this.#isOne(found[0])) end = words.lastIndex;
    }
    return end === undefined ? this.#isOne(plain) : !NO_REST_OF_NAME.test(plain.slice(end));
  }

  /** Whether a text is the name of a secret and nothing else, save brackets: all that keys leave out for its name is. */
  isWhole(text: string): boolean {
    return this.#isOne(text) || this.#isOne(beforeBrackets(text));
  }

  /** Of a text that was not read as a form, a `+` in it may be a blank. */
  #isOne(text: string): boolean {
    return this.#has(text) || (text.includes('+') && this.#has(text.replaceAll('+', ' ')));
  }

  #has(name: string): boolean {
    return this.#ignored.has(name) || this.#isRedacted(name) || this.#isRedacted(name.trim());
  }

  #isRedacted(name: string): boolean {
    return this.#redact.has(name.toLowerCase());
  }

  /**
   * Whether a text that has no secret name may hold a secret itself: it names one and says more than that, whatever it
   * is (a URL, JSON, XML, a form, prose), or is escaped too often to tell.
   */
  mayBeIn(text: string): boolean {
    if (!this.mayConcern(text)) return false;
    const plain = decodeAll(text);
    if (plain === undefined || USERINFO.test(plain)) return true;
    if (ONE_NAME.test(plain.trim()) || this.#isOne(plain)) return false;
    const words = this.#words;
    words.lastIndex = 0;
    for (let found = words.exec(plain); found !== null; found = words.exec(plain)) {
      if (this.#isRedacted(found[0].replaceAll('+', ' ')) || isAssigned(plain, words.lastIndex)) return true;
    }
    return false;
  }

  /** Whether free text so much as mentions a secret, or is no text. */
  isMentionedIn(text: string): boolean {
    if (!this.mayConcern(text)) return false;
    // Read as an origin reads it, or not at all: what looks like an escape may be part of a name.
    if (this.#mention.test(text) || this.#mention.test(decodeEscapes(text))) return true;
    const plain = text.includes('\0') ? undefined : decodeAll(text);
    // As JavaScript reads it, a backslash before a letter may be nothing: `tok\en`.
    return (
      plain === undefined ||
      USERINFO.test(plain) ||
      this.#mention.test(plain) ||
      (plain.includes('\\') && this.#mention.test(plain.replaceAll('\\', '')))
    );
  }
}

/** A pattern of alternatives; of none, one that never matches. */
function anyOf(names: readonly string[]): string {
  return names.length === 0 ? '(?!)' : names.map(patternOf).join('|');
}

/** A form has a `+` for each blank. */
function patternOf(name: string): string {
  return name.replace(SPECIAL, '\\$&').replaceAll(' ', '[ +]');
}

/** A name, and what it is where each `+` is taken for a blank, its own too. */
function withBlanks(name: string): string[] {
  return name.includes('+') ? [name, name.replaceAll('+', ' ')] : [name];
}

/** In lower case, as which a pattern finds all spellings; but not that of `\u0130`, which is two letters then. */
function foldings(name: string): string[] {
  const lower = name.toLowerCase();
  return lower.length === name.length ? [lower] : [lower, name];
}

/** As `isIgnored` in url.ts: of `ids[]` and `ids[0][b]` the `ids`. */
function beforeBrackets(text: string): string {
  const bracket = text.indexOf('[');
  return bracket > 0 && text.endsWith(']') ? text.slice(0, bracket) : text;
}

function isAssigned(text: string, from: number): boolean {
  ASSIGNED.lastIndex = from;
  return ASSIGNED.test(text);
}

const MAY_BE_ESCAPED = /[\\\0]|&#/;
// Of JSON and JavaScript, however many backslashes JSON within JSON has made of one; of HTML and XML; and what UTF-16
// puts between letters. A run of backslashes is begun once only, or long ones would cost the square of their length.
const ESCAPE =
  /(?<!\\)\\+(?:u([0-9a-f]{4})|u\{([0-9a-f]+)\}|x([0-9a-f]{2}))?|&#(?:x([0-9a-f]+)|([0-9]+));?|\0+/gi;
const MOST_TIMES = 8;

/** Without escapes of any kind, as of a URL within JSON within a URL; undefined where they are more than anyone has. */
export function decodeAll(text: string): string | undefined {
  let last = text;
  for (let times = 0; times < MOST_TIMES; times++) {
    let next = decodeEscapes(last);
    if (MAY_BE_ESCAPED.test(next)) next = next.replace(ESCAPE, decodeEscape);
    if (next === last) return last;
    last = next;
  }
  return undefined;
}

function decodeEscape(lexeme: string, ...groups: (string | undefined)[]): string {
  const [unicode, braced, byte, hex, decimal] = groups;
  const digits = unicode ?? braced ?? byte ?? hex;
  const code = digits === undefined ? Number(decimal) : Number.parseInt(digits, 16);
  if (Number.isNaN(code)) return lexeme.startsWith('\\') ? '\\' : '';
  return code <= 0x10ffff ? String.fromCodePoint(code) : '';
}
