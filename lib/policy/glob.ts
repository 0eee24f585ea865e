/** URL globs to regular expressions: micromatch reads braces, brackets and extglobs; `*` and `**` are laid out here. */
import { createRequire } from 'node:module';
import { domainToASCII } from 'node:url';
import type Micromatch from 'micromatch';
import { parseUrl } from '../parse-url.js';

/** One character of the path or host; `/` and `?` end a segment. */
const CHAR = '[^/?]';
/** One character of the query. */
const QUERY_CHAR = '[\\s\\S]';
const MAX_ALTERNATIVES = 1000;
const MAX_RANGE = 100;

/** Whole extglobs without nesting; with a repetition only where it can't backtrack badly (see isBounded). */
const EXTGLOB = /([!@+?*])\(([^()]*)\)/g;
const EXTGLOB_START = /[!@+?*]\(/;
const TOKEN = /\\([\s\S]?)|(\*+)|(\?)|(\[[!^]?\]?(?:\[:\w+:\]|\\[\s\S]|[^\]\\])*\])|([^\\*?[]+|\[)/g;
const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;
const IPV6 = /^\[(?=[^\]]*:)[0-9a-f:.*?]+\]/;
/** A `?` that parts path and query: escaped, or with a parameter (`name=`) after it; any other is a glob. */
const QUERY_START = /\\\?|\?(?=[^/?(]*=)/;

/**
 * The expression that a glob stands for, to be tested against `globSubject`. Throws an `Error` that says what is wrong.
 * Its cost is linear in the URL: what has matched before a later `*` or `**` is never tried again (`atomic`).
 */
export function globExpression(glob: string): RegExp {
  if (glob === '') throw new Error('it is empty');
  const alternatives = expandBraces(withNormalEscapes(glob, true)).map((alternative, index) =>
    new UrlGlob(`${index}_`).source(alternative),
  );
  return new RegExp(`^(?:${alternatives.join('|')})`);
}

/** What a glob is matched against: host, port, path and query, without scheme, userinfo and fragment. */
export function globSubject(url: URL): string {
  const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? '') : url.port;
  const rest = url.pathname + url.search;
  return `${url.hostname}:${port}${rest.includes('%') ? withNormalEscapes(rest, false) : rest}`;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** One alternative of a glob; `prefix` keeps its group names apart from the others'. */
class UrlGlob {
  readonly #prefix: string;
  #groups = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  source(glob: string): string {
    const text = glob.replace(/^[^/]*?:\/\/|^\/\//, '').replace(/#.*$/s, '');
    const query = QUERY_START.exec(text);
    const beforeQuery = query === null ? text : text.slice(0, query.index);
    const slash = beforeQuery.indexOf('/');
    let host = (slash < 0 ? beforeQuery : beforeQuery.slice(0, slash)).replace(/^.*@(?!\()/s, '');
    let path = slash < 0 ? '' : beforeQuery.slice(slash);
    if (host === '') throw new Error("it has no host: begin with one, or with '*' for any host");
    if (host === '**') {
      host = '*';
      path = `/**${path}`;
    }
    const parameters = query === null ? undefined : text.slice(query.index + query[0].length);
    return this.#host(host.toLowerCase()) + this.#path(path, parameters);
  }

  #host(host: string): string {
    const ipv6 = IPV6.exec(host)?.[0] ?? '';
    const [, name = '', port = ''] = /^(.*?)(?::([^:\]]*))?$/s.exec(host.slice(ipv6.length)) ?? [];
    const address = ipv6 === '' ? '' : `\\[${this.#segment(canonicalIpv6(ipv6).slice(1, -1), CHAR)}\\]`;
    const source = name === '*' ? `${CHAR}*` : this.#segment(toAscii(name), CHAR);
    return `${address}${source}:${port === '' ? '\\d*' : this.#segment(port, CHAR)}`;
  }

  #path(path: string, parameters: string | undefined): string {
    const segments = path.split('/').slice(1);
    let end = '';
    for (let last = segments.at(-1); last === '' || last === '**'; last = segments.at(-1)) {
      if (end !== '**') end = last === '**' ? '**' : '/';
      segments.pop();
    }
    const source = this.#blocks(segments);
    if (parameters === undefined) return end === '' ? `${source}(?=[/?]|$)` : `${source}/`;
    const exact = end === '**' ? `/[^?]*` : end === '/' || segments.length === 0 ? '/' : '';
    return `${source}${exact}\\?${this.#segment(parameters, QUERY_CHAR)}(?=&|$)`;
  }

  /** Runs of segments with `**` between them: any number of segments. */
  #blocks(segments: string[]): string {
    const blocks: string[] = [''];
    for (const segment of segments) {
      if (segment !== '**') blocks.push(`${blocks.pop()}/${this.#pathSegment(segment)}`);
      else if (blocks.length === 1 || blocks.at(-1) !== '') blocks.push('');
    }
    const [first = '', ...others] = blocks;
    const last = others.pop();
    if (last === undefined) return first;
    const between = others.map((block) => this.#atomic(`(?:/${CHAR}*)*?${block}(?=/)`)).join('');
    return `${first}${between}(?:/${CHAR}*)*?${last}`;
  }

  /** A segment of the path takes all there is up to its end, so there is one way only to match an extglob. */
  #pathSegment(segment: string): string {
    const source = this.#segment(segment, CHAR);
    return EXTGLOB_START.test(segment) ? this.#atomic(`${source}(?=[/?]|$)`) : source;
  }

  #segment(segment: string, char: string): string {
    if (EXTGLOB_START.test(segment)) return extglobSource(segment);
    if (/^\*+$/.test(segment)) return `${char}+`;
    const [first = '', ...others] = chunksOf(segment, char);
    const last = others.pop();
    if (last === undefined) return first;
    // The leftmost place of each chunk is as good as any later one, so there is no way back to try others.
    const between = others.map((chunk) => this.#atomic(`${char}*?${chunk}`)).join('');
    return `${first}${between}${char}*${last}`;
  }

  /** JavaScript has no atomic groups; a look-ahead is one. */
  #atomic(source: string): string {
    const name = `g${this.#prefix}${this.#groups++}`;
    return `(?=(?<${name}>${source}))\\k<${name}>`;
  }
}

/** The sources between the stars of a segment, each of a fixed length. */
function chunksOf(segment: string, char: string): string[] {
  const chunks = [''];
  for (const [, escaped, stars, single, brackets, text] of segment.matchAll(TOKEN)) {
    if (stars !== undefined) chunks.push('');
    else chunks.push(`${chunks.pop()}${tokenSource(char, single, brackets, escaped ?? text)}`);
  }
  return chunks;
}

function tokenSource(
  char: string,
  single: string | undefined,
  brackets: string | undefined,
  text = '',
): string {
  if (single !== undefined) return char;
  return brackets === undefined ? literal(text) : `(?!/)${micromatchSource(brackets)}`;
}

function extglobSource(segment: string): string {
  const rest = segment.replace(EXTGLOB, '');
  const extglobs = [...segment.matchAll(EXTGLOB)];
  // Each of these may match any number of characters: two of them share what there is in as many ways as it is long.
  const runs =
    (segment.match(/\*(?!\()/g)?.length ?? 0) +
    extglobs.filter(([, kind = '']) => '!+*'.includes(kind)).length;
  if (
    EXTGLOB_START.test(rest) ||
    runs > (/^!\([^()]*\)\*$/.test(segment) ? 2 : 1) ||
    !extglobs.every(([, kind, body = '']) => isBounded(kind, body))
  ) {
    throw new Error(`'${segment}' nests or repeats too much: use a regular expression`);
  }
  return micromatchSource(segment);
}

/** A repeated group is linear when its branches can't be taken for each other: one class, or literals of one length. */
function isBounded(kind: string | undefined, body: string): boolean {
  if (kind !== '+' && kind !== '*') return true;
  if (/^\[[^\]]*\]$/.test(body)) return true;
  const branches = body.split('|');
  return branches.every((branch) => /^[\w.%~-]+$/.test(branch) && branch.length === branches[0]?.length);
}

let loaded: typeof Micromatch | undefined;

/** Loaded for the first glob that needs it, as drivers are: it takes a third of what importing this package does. */
function micromatch(): typeof Micromatch {
  loaded ??= createRequire(import.meta.url)('micromatch') as typeof Micromatch;
  return loaded;
}

function micromatchSource(glob: string): string {
  const { source } = micromatch().makeRe(glob, {
    dot: true,
    nonegate: true,
    posix: true,
    literalBrackets: false,
  });
  // What micromatch makes of an impossible range.
  if (source === '$^') throw new Error(`'${glob}' is no valid set of characters`);
  return (
    source
      .replace(/^\^\(\?:(.*)\)\$$/s, '(?:$1)')
      .replace(/\\\/\?\)$/, ')')
      .replaceAll('[^/]', CHAR)
      // micromatch ends a negation where the text ends; here it is where the segment does.
      .replace(/(?<!\\)\$(?=\))/g, '(?=[/?]|$)')
  );
}

function expandBraces(glob: string): readonly string[] {
  if (!glob.includes('{')) return [glob];
  const groups = glob.match(/\{/g)?.length ?? 0;
  const commas = glob.match(/,|\.\./g)?.length ?? 0;
  const ranges = glob.match(/\.\./g)?.length ?? 0;
  // Never fewer than it expands to: a product of sums is largest when they are alike.
  if ((commas / groups + 1) ** groups * MAX_RANGE ** ranges > MAX_ALTERNATIVES * 10) throw tooMany();
  // Quotes have a meaning for micromatch's braces; in a URL they have none.
  const expanded = micromatch().braces(glob.replace(/(?<!\\)['"`]/g, '\\$&'), {
    expand: true,
    rangeLimit: MAX_RANGE,
  });
  if (expanded.length > MAX_ALTERNATIVES) throw tooMany();
  return expanded;
}

function tooMany(): Error {
  return new Error(`its braces stand for more than ${MAX_ALTERNATIVES} patterns`);
}

/** RFC 3986 6.2.2: escapes that a URL need not have are undone, the others upper-cased; %25 stays, so nothing decodes twice. */
function withNormalEscapes(text: string, isGlob: boolean): string {
  return text.replace(/(?:%(?!25)[0-9a-f]{2})+/gi, (escapes) => {
    const decoded = decodeOr(escapes).replace(/%[0-9a-f]{2}/gi, (triplet) => triplet.toUpperCase());
    return isGlob ? decoded.replace(/[\\*?[\]{}()!@+,|#]/g, '\\$&') : decoded;
  });
}

function decodeOr(escapes: string): string {
  try {
    return decodeURI(escapes);
  } catch {
    return escapes; // not UTF-8
  }
}

function canonicalIpv6(host: string): string {
  return parseUrl(`http://${host}`)?.hostname ?? host;
}

/** Hosts of URLs are ASCII; labels with globs in them are left as they are. */
function toAscii(host: string): string {
  return host
    .split('.')
    .map((label) => (/[^\0-\x7f]/.test(label) ? domainToASCII(label) || label : label))
    .join('.');
}

function literal(text: string): string {
  return text.replace(SYNTAX, '\\$&');
}
