/** URLs and queries without their secrets. */

import { parseUrl, sharedUrl } from '../parse-url.js';
import { REDACTED, type Secrets } from './secrets.js';
import { decodePiece } from './url.js';

const BASE = 'http://relative.invalid';
const USERINFO = /\/\/[^/?#]*@/g;

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
  // A URL within the path keeps its userinfo there.
  const path = pathname.includes('@') ? pathname.replace(USERINFO, '//') : pathname;
  if (!MAY_ASSIGN.test(path)) return path;
  return path
    .split('/')
    .map((segment) => redactPiece(segment, secrets))
    .join('/');
}

// Without one of these a piece can't hold a value, an escape or userinfo.
const MAY_ASSIGN = /[=%@]/;

/** A query or form body; names, order and everything that is no secret stay as they are. */
export function redactQuery(query: string, secrets: Secrets): string {
  return query
    .split('&')
    .map((piece) => redactPiece(piece, secrets))
    .join('&');
}

function redactPiece(piece: string, secrets: Secrets): string {
  if (!MAY_ASSIGN.test(piece)) return piece;
  if (!piece.includes(';')) return redactPair(piece, secrets);
  // Some origins take `;` for a separator. A secret may hold one too: what follows it goes with it.
  if (isSecretPair(piece, secrets)) return redactPair(piece, secrets);
  const pairs: string[] = [];
  for (const pair of piece.split(';')) {
    pairs.push(redactPair(pair, secrets));
    if (isSecretPair(pair, secrets)) break;
  }
  return pairs.join(';');
}

function isSecretPair(pair: string, secrets: Secrets): boolean {
  const equals = pair.indexOf('=');
  return equals >= 0 && secrets.isName(decodePiece(pair.slice(0, equals)));
}

function redactPair(pair: string, secrets: Secrets): string {
  const equals = pair.indexOf('=');
  if (equals < 0) return secrets.mayBeIn(pair) ? REDACTED : pair;
  if (equals === pair.length - 1) return pair;
  const name = pair.slice(0, equals + 1);
  if (isSecretPair(pair, secrets)) return name + REDACTED;
  const value = pair.slice(equals + 1);
  return secrets.mayBeIn(value) ? name + REDACTED : pair;
}
