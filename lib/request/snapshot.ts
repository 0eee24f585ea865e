/** An axios config, copied into a CacheRequest before the inner adapter changes it; and whether it can have a key. */
import type { InternalAxiosRequestConfig } from 'axios';
import { isUrl, parseUrl } from '../parse-url.js';
import { seesRequests } from './agents.js';
import { bodyOf } from './body.js';
import { snapshotHeaders } from './headers.js';
import { own, tagOf } from './own.js';
import type { CacheRequest } from './request.js';

const SCHEME = /^[\0-\x20]*[a-z][a-z0-9+.-]*:/i;

/**
 * @param url axios' final URL; a request over a `socketPath` may have a path only, which axios resolves against
 *   `http://localhost` (http.js, `urlBase`).
 */
export function snapshotRequest(config: InternalAxiosRequestConfig, url: string): CacheRequest {
  const absolute = absoluteUrl(config, url);
  return {
    method: methodOf(own(config, 'method')),
    url: hasForeignFragment(config, absolute) ? absolute : withoutFragment(absolute),
    headers: snapshotHeaders(own(config, 'headers')),
    data: own(config, 'data'),
    config,
  };
}

function methodOf(method: unknown): string {
  // As axios hands it over, almost always: nothing to convert.
  if (method === 'get') return 'GET';
  return typeof method === 'string' && method !== '' ? method.toUpperCase() : 'GET';
}

function absoluteUrl(config: object, url: string): string {
  if (typeof url !== 'string') return '';
  if (!own(config, 'socketPath') || SCHEME.test(url)) return url;
  const base = 'http://localhost';
  return parseUrl(url, base)?.href ?? url;
}

/** A `#` that serialized parameters bring is sent as it is; with any the URL's own fragment is gone (buildURL.js). */
function hasForeignFragment(config: object, absolute: string): boolean {
  if (own(config, 'params') == null || !absolute.includes('#')) return false;
  const given = own(config, 'url');
  const url = isUrlObject(given) ? String(given) : given;
  return !(
    typeof url === 'string' &&
    url.includes('#') &&
    absolute.endsWith(url.replace(LEADING_SLASHES, ''))
  );
}

/** Of whatever realm, so no `instanceof`. */
export function isUrlObject(url: unknown): boolean {
  return tagOf(url) === 'URL';
}

// A base URL is joined without them (combineURLs.js).
const LEADING_SLASHES = /^\/+/;

function withoutFragment(url: string): string {
  const hash = url.indexOf('#');
  return hash < 0 ? url : url.slice(0, hash);
}

/** Why a request can have no key, and so passes the cache by. */
export type Unkeyable = 'stream-body' | 'method-override' | 'unsupported-url' | 'unreadable-body' | 'agent';

const HTTP = /^[\0-\x20]*https?:/i;

/** Undefined: it has a key. `isKnownUrl`: its URL need not be looked at, since a key was made of it before. */
export function unkeyableReason(request: CacheRequest, isKnownUrl = false): Unkeyable | undefined {
  const { url, headers, data, config } = request;
  if (!isKnownUrl && !isKeyableUrl(url)) return 'unsupported-url';
  if (
    headers['x-http-method-override'] !== undefined ||
    headers['x-http-method'] !== undefined ||
    headers['x-method-override'] !== undefined
  ) {
    return 'method-override';
  }
  if (seesRequests(own(config, 'httpAgent')) || seesRequests(own(config, 'httpsAgent'))) return 'agent';
  if (data === undefined) return undefined;
  const { kind } = bodyOf(data);
  if (kind === 'stream') return 'stream-body';
  return kind === 'unreadable' ? 'unreadable-body' : undefined;
}

function isKeyableUrl(url: string): boolean {
  return isUrl(url) && !url.includes('#') && (HTTP.test(url) || isHttp(new URL(url)));
}

// For spellings that only the parser sees through, such as a line break within the scheme.
function isHttp({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:';
}
