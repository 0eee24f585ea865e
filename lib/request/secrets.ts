/** Which names are secret, and whether a text may hold the value of one. */
import { unescape as decodeEscapes } from 'node:querystring';

/** Stands for every secret value. */
export const REDACTED = 'REDACTED';

const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;
// Userinfo in a URL within a text.
const USERINFO = /\/\/[^\s/?#]*@/;
const SEGMENTS = /[[\].]+/;
// `grant_type=password` names no secret, `password=x`, `"password": x` and `[password]=x` do.
const ASSIGNED = /[=:%@]/;

export class Secrets {
  readonly #redact: ReadonlySet<string>;
  readonly #ignored: ReadonlySet<string>;
  readonly #headers: ReadonlySet<string>;
  readonly #mention: RegExp | undefined;
  readonly #assignment: RegExp | undefined;

  constructor(redact: readonly string[], ignored: readonly string[]) {
    this.#redact = new Set(redact.map((name) => name.toLowerCase()));
    this.#ignored = new Set(ignored);
    this.#headers = new Set([...redact, ...ignored].map((name) => name.toLowerCase()));
    if (this.#headers.size === 0) return;
    const names = [...this.#headers]
      .filter((name) => name !== '')
      .map((name) => name.replace(SPECIAL, '\\$&'))
      .join('|');
    this.#mention = new RegExp(names, 'iu');
    this.#assignment = new RegExp(`(?<![a-z0-9])(?:${names})[\\]"'\\\\\\s]{0,8}[=:]`, 'iu');
  }

  isHeader(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  /** By a parameter's, field's or member's decoded name; `user[password]` and `user.password` are such too. */
  isName(name: string): boolean {
    if (this.#isOne(name)) return true;
    return SEGMENTS.test(name) && name.split(SEGMENTS).some((segment) => this.#isOne(segment));
  }

  #isOne(name: string): boolean {
    return this.#ignored.has(name) || this.#redact.has(name.trim().toLowerCase());
  }

  /** Whether a value that has no secret name may hold a secret itself: a URL, JSON or a form within a value. */
  mayBeIn(value: string): boolean {
    if (!ASSIGNED.test(value)) return false;
    const text = decodeDeeply(value);
    return USERINFO.test(text) || this.#assignment?.test(text) === true;
  }

  /** Whether free text so much as names a secret. */
  isMentionedIn(text: string): boolean {
    return USERINFO.test(text) || this.#mention?.test(decodeDeeply(text)) === true;
  }
}

/** A URL within a URL within a URL: escapes of escapes. */
function decodeDeeply(value: string): string {
  let text = value;
  for (let times = 0; times < 3 && text.includes('%'); times++) text = decodeEscapes(text);
  return text;
}
