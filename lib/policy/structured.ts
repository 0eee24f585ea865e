/**
 * Structured Fields (RFC 9651), as far as caching needs them: lists and dictionaries. Parameters are checked and passed
 * over. A field that is malformed anywhere is undefined as a whole (4.2). Never throws.
 */

/** `other`: a type that no field here uses (decimal, byte sequence, date, display string). */
export type BareItem =
  | { readonly type: 'integer'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'token'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'other' };

export type Member = BareItem | { readonly type: 'inner-list'; readonly items: readonly BareItem[] };

/** Of duplicates the last counts (4.2.2). */
export type Dictionary = ReadonlyMap<string, Member>;

export function parseDictionary(text: string | undefined): Dictionary | undefined {
  return text === undefined ? undefined : attempt(() => new Parser(text).dictionary());
}

export function parseList(text: string | undefined): readonly Member[] | undefined {
  return text === undefined ? undefined : attempt(() => new Parser(text).list());
}

const TRUE: BareItem = Object.freeze({ type: 'boolean', value: true });
const OTHER: BareItem = Object.freeze({ type: 'other' });

// Sticky: each matches where the parser stands, or not at all.
const KEY = /[a-z*][a-z0-9_.*-]*/y;
const DECIMAL = /-?\d{1,12}\.\d{1,3}/y;
const INTEGER = /-?\d{1,15}/y;
const STRING = /"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/y;
const TOKEN = /[A-Za-z*][!#$%&'*+.^_`|~:/0-9A-Za-z-]*/y;
const BOOLEAN = /\?[01]/y;
const BYTES = /:[A-Za-z0-9+/=]*:/y;
const DATE = /@-?\d{1,15}(?![\d.])/y;
const DISPLAY_STRING = /%"(?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*"/y;
const SPACES = / */y;
const OPTIONAL_SPACE = /[ \t]*/y;

class Malformed extends Error {}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  dictionary(): Dictionary {
    const members = new Map<string, Member>();
    this.#members(() => {
      const key = this.#take(KEY);
      members.set(key, this.#skip('=') ? this.#member() : this.#parameters(TRUE));
    });
    return members;
  }

  list(): readonly Member[] {
    const members: Member[] = [];
    this.#members(() => members.push(this.#member()));
    return members;
  }

  /** Comma-separated until the end; there may be none, but none may be empty. */
  #members(one: () => void): void {
    this.#take(SPACES);
    if (this.#isAtEnd) return;
    for (;;) {
      one();
      const before = this.#at;
      this.#take(OPTIONAL_SPACE);
      if (this.#isAtEnd) {
        // At the end of the field there are spaces only, no tabs (4.2).
        if (this.#text.slice(before).includes('\t')) throw new Malformed();
        return;
      }
      if (!this.#skip(',')) throw new Malformed();
      this.#take(OPTIONAL_SPACE);
    }
  }

  #member(): Member {
    if (!this.#skip('(')) return this.#parameters(this.#bareItem());
    const items: BareItem[] = [];
    for (;;) {
      this.#take(SPACES);
      if (this.#skip(')')) return this.#parameters({ type: 'inner-list', items });
      items.push(this.#parameters(this.#bareItem()));
      const next = this.#text[this.#at];
      if (next !== ' ' && next !== ')') throw new Malformed();
    }
  }

  #parameters<T>(of: T): T {
    while (this.#skip(';')) {
      this.#take(SPACES);
      this.#take(KEY);
      if (this.#skip('=')) this.#bareItem();
    }
    return of;
  }

  #bareItem(): BareItem {
    const string = this.#match(STRING);
    if (string !== undefined) return { type: 'string', value: string.slice(1, -1).replace(/\\(.)/g, '$1') };
    const boolean = this.#match(BOOLEAN);
    if (boolean !== undefined) return { type: 'boolean', value: boolean === '?1' };
    for (const pattern of [DECIMAL, BYTES, DATE, DISPLAY_STRING])
      if (this.#match(pattern) !== undefined) return OTHER;
    const integer = this.#match(INTEGER);
    if (integer !== undefined) return { type: 'integer', value: Number(integer) };
    return { type: 'token', value: this.#take(TOKEN) };
  }

  get #isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  #skip(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #take(pattern: RegExp): string {
    const found = this.#match(pattern);
    if (found === undefined) throw new Malformed();
    return found;
  }
}
