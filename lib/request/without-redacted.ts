/** A stored request as if it had been made without the values that were redacted. */
import type { StoredRequest } from '../record/record.js';
import { REDACTED } from './secrets.js';
import { decodePiece, pieceName } from './url.js';

export function withoutRedacted(stored: StoredRequest): StoredRequest {
  const { url, headers, data } = stored;
  const request = {
    ...stored,
    url: withoutParameters(url),
    headers: headers.filter(([, value]) => value !== REDACTED),
  };
  if (data !== undefined) request.data = withoutMembers(data) ?? withoutPieces(data);
  return request;
}

function withoutParameters(url: string): string {
  const start = url.indexOf('?');
  return start < 0 ? url : `${url.slice(0, start)}?${withoutPieces(url.slice(start + 1))}`;
}

function withoutPieces(query: string): string {
  return query
    .split('&')
    .filter((piece) => decodePiece(piece.slice(pieceName(piece).length + 1)) !== REDACTED)
    .join('&');
}

/** Undefined: it is no JSON. */
function withoutMembers(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text, (_, value: unknown) => (value === REDACTED ? undefined : value)));
  } catch {
    return undefined;
  }
}
