/**
 * Rewrites JSON text without parsing its values: members are sorted, dropped or replaced, every number, string and
 * name stays the lexeme it was. So nothing that `JSON.parse` would lose (1 and 1.0, 1e400, long integers, duplicate
 * names, `__proto__`) can make two texts equal.
 */

/** What to do with a member, by its (unescaped) name. */
export type MemberVerdict = 'keep' | 'drop' | 'replace';

export interface JsonRewrite {
  /** Members of one object in order of name; those of one name keep their order. */
  sort: boolean;
  member: (name: string) => MemberVerdict;
  /** Stands for the value of a replaced member; JSON text. */
  replacement?: string;
  /** Sees the lexeme, quotes included, of each string value that is neither dropped nor replaced. */
  string?: (lexeme: string) => string;
}

interface Frame {
  isObject: boolean;
  /** Within a member that is dropped or replaced: what is in it is asked nobody. */
  isHidden: boolean;
  /** What is closed so far, without the brackets; or, of what is sorted, its members. */
  text: string;
  members: { name: string; text: string }[] | undefined;
  /** Name and its lexeme, of the member whose value comes next. */
  name: string;
  lexeme: string;
  verdict: MemberVerdict;
}

// No body that anyone means is deeper or longer; such ones are told apart by their bytes.
const MAX_DEPTH = 256;
const MAX_LENGTH = 16 * 1024 * 1024;

/** Undefined: it is no JSON, is nested too deep or is too long; the caller decides what to do without. */
export function rewriteJson(text: string, rewrite: JsonRewrite): string | undefined {
  if (text.length > MAX_LENGTH || !isJson(text)) return undefined;
  const stack: Frame[] = [];
  let frame: Frame | undefined;
  let at = 0;
  for (;;) {
    at = skipSeparators(text, at);
    const char = text.charCodeAt(at);
    let value: string;
    if (char === OPEN_OBJECT || char === OPEN_ARRAY) {
      if (stack.length >= MAX_DEPTH) return undefined;
      const isHidden = hides(frame);
      const isObject = char === OPEN_OBJECT;
      const members = isObject && rewrite.sort ? [] : undefined;
      frame = { isObject, isHidden, text: '', members, name: '', lexeme: '', verdict: 'keep' };
      stack.push(frame);
      at++;
      value = '';
    } else if (frame !== undefined && (char === CLOSE_OBJECT || char === CLOSE_ARRAY)) {
      value = close(frame);
      stack.pop();
      frame = stack.at(-1);
      at++;
    } else {
      const end = lexemeEnd(text, at);
      value = text.slice(at, end);
      if (char === QUOTE && rewrite.string !== undefined && !hides(frame)) value = rewrite.string(value);
      at = end;
    }
    if (value !== '') {
      if (frame === undefined) return value;
      add(frame, value, rewrite.replacement);
    }
    if (frame?.isObject === true) at = readName(text, at, frame, rewrite);
  }
}

// V8's JSON parser keeps its own stack, so depth is no danger here. Its grammar is what the scanner below relies on.
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function hides(frame: Frame | undefined): boolean {
  return frame !== undefined && (frame.isHidden || frame.verdict !== 'keep');
}

function add(frame: Frame, value: string, replacement = 'null'): void {
  if (frame.verdict === 'drop') return;
  const given = frame.verdict === 'replace' ? replacement : value;
  const text = frame.isObject ? `${frame.lexeme}:${given}` : given;
  if (frame.members === undefined) append(frame, text);
  else frame.members.push({ name: frame.name, text });
}

// Not `join`, which copies: each level would copy all that is below it.
function append(frame: Frame, text: string): void {
  frame.text += frame.text === '' ? text : `,${text}`;
}

function close(frame: Frame): string {
  const { members } = frame;
  if (members !== undefined) {
    if (members.length > 1) members.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    for (const { text } of members) append(frame, text);
  }
  return frame.isObject ? `{${frame.text}}` : `[${frame.text}]`;
}

/** Reads a member's name and its colon, if one follows; returns where to go on. */
function readName(text: string, from: number, frame: Frame, rewrite: JsonRewrite): number {
  const at = skipSeparators(text, from);
  if (text.charCodeAt(at) !== QUOTE) return at;
  const end = lexemeEnd(text, at);
  frame.lexeme = text.slice(at, end);
  frame.name = stringOf(frame.lexeme);
  frame.verdict = frame.isHidden ? 'keep' : rewrite.member(frame.name);
  return skipSeparators(text, end);
}

/** The string that a lexeme stands for. */
export function stringOf(lexeme: string): string {
  return lexeme.includes('\\') ? String(JSON.parse(lexeme)) : lexeme.slice(1, -1);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

function skipSeparators(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSeparator(text.charCodeAt(at))) at++;
  return at;
}

function isSeparator(code: number): boolean {
  return code === COMMA || code === COLON || code <= 0x20;
}

/** Where the string, number or word that begins at `from` ends. */
function lexemeEnd(text: string, from: number): number {
  if (text.charCodeAt(from) === QUOTE) return stringEnd(text, from);
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (isSeparator(code) || code === CLOSE_OBJECT || code === CLOSE_ARRAY) break;
    at++;
  }
  return at;
}

function stringEnd(text: string, from: number): number {
  for (let at = from + 1; ; at++) {
    at = text.indexOf('"', at);
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
}
