import { parseUrl } from '../parse-url.js';
import { type HeaderList, headerValue } from '../record/record.js';

/** Methods registered as safe; one that is unknown here counts as unsafe (RFC 9111 4.4). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'SEARCH', 'PROPFIND', 'REPORT', 'PRI']);

export function isUnsafe(method: string): boolean {
  return !SAFE.has(method.toUpperCase());
}

/**
 * The URLs whose stored responses a request made outdated (RFC 9111 4.4): its own and, of the same origin, those in
 * Location and Content-Location. None for a safe method or an error. Absolute, without fragment and userinfo, unique.
 */
export function invalidatedUrls(
  method: string,
  requestUrl: string,
  status: number,
  headers: HeaderList,
): string[] {
  if (!isUnsafe(method) || status < 200 || status > 399) return [];
  const own = parseUrl(requestUrl);
  if (own === undefined) return [];
  const urls = new Set([plain(own)]);
  for (const name of ['location', 'content-location']) {
    const value = headerValue(headers, name);
    const url = value === undefined ? undefined : parseUrl(value, requestUrl);
    if (url?.origin === own.origin) urls.add(plain(url));
  }
  return [...urls];
}

function plain(url: URL): string {
  url.hash = '';
  url.username = '';
  url.password = '';
  return url.href;
}
