/** URLs and queries in the one spelling that keys compare. */
import { sharedUrl } from '../parse-url.js';

/** A URL in canonical spelling, and the credential that was in it. */
export interface CanonicalUrl {
  /** Absolute; no userinfo, no fragment; query sorted. Pure ASCII. */
  url: string;
  /** As it stands in the URL, percent-encoded; empty when absent. */
  username: string;
  password: string;
}

/** Throws a `TypeError` when `url` does not parse; `unkeyableReason` tells beforehand. */
export function canonicalUrl(url: string, ignored: ReadonlySet<string>): CanonicalUrl {
  const parsed = sharedUrl(url) ?? new URL(url);
  const { search } = parsed;
  const query = search === '' ? '' : canonicalQuery(search.slice(1), ignored);
  const base = `${parsed.protocol}//${parsed.host}${normalizeEscapes(parsed.pathname)}`;
  return {
    url: query === '' ? base : `${base}?${query}`,
    username: parsed.username,
    password: parsed.password,
  };
}

/**
 * A query or form body: pieces between `&` (never `;`), empty ones dropped, sorted by name, those of one name in
 * their order, since an origin may care for it.
 */
export function canonicalQuery(query: string, ignored: ReadonlySet<string>): string {
  if (ignored.size === 0 && !query.includes('&')) return normalizeEscapes(query);
  const pieces: { name: string; text: string }[] = [];
  for (const piece of query.split('&')) {
    if (piece === '') continue;
    const text = normalizeEscapes(piece);
    const name = pieceName(text);
    if (ignored.size === 0 || !isIgnored(name, ignored)) pieces.push({ name, text });
  }
  pieces.sort(byName);
  return pieces.map(({ text }) => text).join('&');
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** What stands before the first `=`, still escaped. */
export function pieceName(piece: string): string {
  const equals = piece.indexOf('=');
  return equals < 0 ? piece : piece.slice(0, equals);
}

/** A name or value of a query as an origin reads it; never throws. */
export function decodePiece(text: string): string {
  return decodeEscapes(text.replaceAll('+', ' '));
}

const ESCAPES = /(?:%[0-9a-f]{2})+/gi;

/** Percent escapes decoded as UTF-8. By hand: `decodeURIComponent` takes 10 us to refuse what is malformed. */
export function decodeEscapes(text: string): string {
  return text.includes('%') ? text.replace(ESCAPES, decodeRun) : text;
}

function decodeRun(run: string): string {
  const first = Number.parseInt(run.slice(1, 3), 16);
  if (run.length === 3 && first < 0x80) return String.fromCharCode(first);
  return Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8');
}

/** `params: { ids: [1, 2] }` is sent as `ids[]=1&ids[]=2`: whoever ignores `ids` means these. */
function isIgnored(escapedName: string, ignored: ReadonlySet<string>): boolean {
  const name = decodePiece(escapedName);
  if (ignored.has(name)) return true;
  const bracket = name.indexOf('[');
  return bracket > 0 && name.endsWith(']') && ignored.has(name.slice(0, bracket));
}

const ESCAPE = /%[0-9a-f]{2}/gi;
const MALFORMED = /%(?![0-9a-f]{2})/i;
const UNRESERVED = /[A-Za-z0-9\-._~]/;

/** RFC 3986 6.2.2: hex digits in upper case, escaped unreserved characters decoded, all else as it stands. */
export function normalizeEscapes(text: string): string {
  if (!text.includes('%')) return text;
  // Decoding next to a stray % would make new escapes: `%%34%31` and `%4%31` would both become `%41`.
  if (MALFORMED.test(text)) return text;
  return text.replace(ESCAPE, normalizeEscape);
}

function normalizeEscape(triplet: string): string {
  const char = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
  return UNRESERVED.test(char) ? char : triplet.toUpperCase();
}
