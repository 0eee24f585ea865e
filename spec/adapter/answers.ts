import type { Handler } from '../support/origin.js';

/** A Date of the origin's that stands still. */
export const DATE = 'Thu, 15 Jan 2026 12:00:00 GMT';
export const JSON_TEXT = '{"a":1,"b":[1,2,{"c":null}],"ä":"ö"}';
export const JSON_TYPE = { 'content-type': 'application/json' };

/** Answers with exactly these. */
export function answer(
  body: string | Uint8Array,
  headers: Record<string, string | string[]> = {},
  status = 200,
): Handler {
  return (_request, res) => {
    res.writeHead(status, { date: DATE, 'content-length': Buffer.byteLength(body), ...headers });
    res.end(body);
  };
}
