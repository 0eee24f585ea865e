/** URLs and queries without their secrets. */

import { parseUrl, sharedUrl } from '../parse-url.js';
import { decodeAll, REDACTED, type Secrets, USERINFO } from './secrets.js';
import { decodePiece, pieceName } from './url.js';

const BASE = 'http://relative.invalid';
const PATH_USERINFO = /(\/\/|https?:\/)[^/?#]*@/gi;

export function redactUrl(url: string, secrets: Secrets): string {
  const absolute = sharedUrl(url);
  if (absolute !== undefined) {
    const { protocol, host, href } = absolute;
    const origin = href.startsWith(`${protocol}//`) ? `${protocol}//${host}` : protocol;
    return origin + redactPathAndQuery(absolute, secrets);
  }
  const parsed = parseUrl(url, BASE);
  if (parsed === undefined) return REDACTED;
  const origin = parsed.origin === BASE ? '' : `//${parsed.host}`;
  return origin + redactPathAndQuery(parsed, secrets);
}

function redactPathAndQuery({ pathname, search }: Readonly<URL>, secrets: Secrets): string {
  const query = search === '' ? '' : `?${redactQuery(search.slice(1), secrets)}`;
  return redactPath(pathname, secrets) + query;
}

function redactPath(pathname: string, secrets: Secrets): string {
  if (!secrets.isMentionedIn(pathname)) return pathname;
  // A URL within the path keeps its userinfo there.
  return pathname
    .replace(PATH_USERINFO, '$1')
    .split('/')
    .map((segment) => redactSegment(segment, secrets))
    .join('/');
}

/** Only what is given to a name: `;token=x`, `(token='x')`, `token:x`. What is mere words, in a title say, stays. */
function redactSegment(segment: string, secrets: Secrets): string {
  if (!secrets.mayConcern(segment)) return segment;
  const redacted = redactGiven(segment, PATH_SEPARATOR, secrets);
  if (redacted !== undefined) return redacted;
  const plain = decodeAll(segment);
  const isClear =
    plain !== undefined && !USERINFO.test(plain) && redactGiven(plain, PATH_SEPARATOR, secrets) === undefined;
  return isClear ? segment : REDACTED;
}

/** A query or form body; names, order and everything that is no secret stay as they are. */
export function redactQuery(query: string, secrets: Secrets): string {
  if (!secrets.isMentionedIn(query)) return query;
  const pieces = query.split('&').map((piece) => redactPiece(piece, secrets));
  // `name=token&value=x`
  const isLabelled = pieces.some((piece) => isLabel(piece, secrets));
  return (isLabelled ? pieces.map(withoutLabelled) : pieces).join('&');
}

/** Whether one of its values is itself the name of a secret, whose value may be in another. */
export function hasLabel(query: string, secrets: Secrets): boolean {
  return secrets.isMentionedIn(query) && query.split('&').some((piece) => isLabel(piece, secrets));
}

function isLabel(piece: string, secrets: Secrets): boolean {
  const equals = piece.indexOf('=');
  return equals >= 0 && secrets.isName(decodePiece(piece.slice(equals + 1)));
}

const NAMES_VALUE = /value\W*$/i;

function withoutLabelled(piece: string): string {
  const equals = piece.indexOf('=');
  if (equals < 0 || equals === piece.length - 1) return piece;
  return NAMES_VALUE.test(decodePiece(piece.slice(0, equals)))
    ? piece.slice(0, equals + 1) + REDACTED
    : piece;
}

function redactPiece(piece: string, secrets: Secrets): string {
  if (!secrets.mayConcern(piece)) return piece;
  const named = redactNamed(piece, secrets);
  if (named !== undefined) return named;
  const redacted = redactGiven(piece, QUERY_SEPARATOR, secrets);
  if (redacted !== undefined && redacted !== REDACTED) return redacted;
  if (!secrets.mayBeIn(decodePiece(piece))) return piece;
  const equals = piece.indexOf('=');
  if (equals < 0 || secrets.mayBeIn(decodePiece(piece.slice(0, equals)))) return REDACTED;
  const isSecret = secrets.mayBeIn(decodePiece(piece.slice(equals + 1)));
  return isSecret ? piece.slice(0, equals + 1) + REDACTED : piece;
}

/** Where all before the first `=` is a secret's name, in which `;` and `?` separate nothing: undefined where it is none. */
function redactNamed(piece: string, secrets: Secrets): string | undefined {
  const raw = pieceName(piece);
  const name = decodePiece(raw);
  if (!secrets.isWhole(name)) return undefined;
  if (secrets.mayBeIn(name)) return REDACTED;
  return raw.length + 1 < piece.length ? `${raw}=${REDACTED}` : piece;
}

const PATH_SEPARATOR = /([=:;,(?])/;
const QUERY_SEPARATOR = /([=;?])/;

/**
 * A text without all that follows the first secret's name and what gives it a value: a secret may hold what some
 * origins take for a separator. Undefined where none is given one; `REDACTED` where what stands before may hold another.
 */
function redactGiven(text: string, separator: RegExp, secrets: Secrets): string | undefined {
  // Names stand at even places, what ends them at odd ones.
  const parts = text.split(separator);
  let start = 0;
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const raw = parts[at] ?? '';
    const end = start + raw.length + 1;
    const name = decodePiece(raw);
    if ((parts[at + 1] === '=' || parts[at + 1] === ':') && secrets.isName(name)) {
      if (secrets.mayBeIn(name) || secrets.mayBeIn(text.slice(0, start))) return REDACTED;
      return end < text.length ? text.slice(0, end) + REDACTED : text;
    }
    start = end;
  }
  return undefined;
}
