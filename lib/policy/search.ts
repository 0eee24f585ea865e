import { unescape as decodeEscapes } from 'node:querystring';
import { type HeaderList, headerValue } from '../record/record.js';
import { type Member, parseDictionary } from './structured.js';

/**
 * Which query parameters a response does not vary on (No-Vary-Search, draft-ietf-httpbis-no-vary-search): those named,
 * or all but those named. `key-order` says nothing new here: keys sort parameters anyway.
 */
export interface SearchVariance {
  readonly kind: 'ignores' | 'ignores-all-but';
  /** Decoded, sorted, unique. */
  readonly names: readonly string[];
}

/** Undefined: it varies on the whole query, as a response does that says nothing, or something malformed. */
export function searchVariance(headers: HeaderList): SearchVariance | undefined {
  const members = parseDictionary(headerValue(headers, 'no-vary-search'));
  const params = members?.get('params');
  const except = members?.get('except');
  const order = members?.get('key-order');
  if (params === undefined || (order !== undefined && order.type !== 'boolean')) return undefined;
  if (params.type === 'boolean') {
    if (!params.value) return undefined;
    const names = except === undefined ? [] : namesIn(except);
    return names && { kind: 'ignores-all-but', names };
  }
  if (except !== undefined) return undefined; // only beside `params` as a whole
  const names = namesIn(params);
  return names === undefined || names.length === 0 ? undefined : { kind: 'ignores', names };
}

/** The URL without the parameters that do not count; what is left stays as it is spelled. `counts`: whatever is said. */
export function withoutIgnored(
  url: string,
  { kind, names }: SearchVariance,
  counts: (piece: string) => boolean = () => false,
): string {
  const at = url.indexOf('?');
  if (at < 0) return url;
  const kept = url
    .slice(at + 1)
    .split('&')
    .filter((piece) => {
      const isNamed = names.includes(nameOf(piece));
      return piece !== '' && (isNamed === (kind === 'ignores-all-but') || counts(piece));
    });
  return kept.length === 0 ? url.slice(0, at) : `${url.slice(0, at)}?${kept.join('&')}`;
}

/** Whether a response stored for one URL stands for another as well, by what it says itself. */
export function standsForBoth(headers: HeaderList, stored: string, other: string): boolean {
  const variance = searchVariance(headers);
  return variance !== undefined && inOrder(stored, variance) === inOrder(other, variance);
}

/** Parameters sorted, as keys have them. */
function inOrder(url: string, variance: SearchVariance): string {
  const rest = withoutIgnored(url, variance);
  const at = rest.indexOf('?');
  return at < 0
    ? rest
    : `${rest.slice(0, at)}?${rest
        .slice(at + 1)
        .split('&')
        .sort()
        .join('&')}`;
}

/** As the application/x-www-form-urlencoded parser has it. */
function nameOf(piece: string): string {
  const equals = piece.indexOf('=');
  return decodeEscapes((equals < 0 ? piece : piece.slice(0, equals)).replaceAll('+', ' '));
}

function namesIn(member: Member): string[] | undefined {
  if (member.type !== 'inner-list') return undefined;
  const names = new Set<string>();
  for (const item of member.items) {
    if (item.type !== 'string') return undefined;
    // The draft's "parse a key": the strings are escaped as they would be in a query.
    names.add(decodeEscapes(item.value.replaceAll('+', ' ')));
  }
  return [...names].sort();
}
