/** One hop of a redirect chain, as the request that somebody who asked for the hop itself would make. */
import type { InternalAxiosRequestConfig } from 'axios';
import { parseUrl } from '../parse-url.js';
import { bodyOf } from './body.js';
import { basicAuthorization } from './credentials.js';
import { headerText } from './headers.js';
import { isFunction, own } from './own.js';
import type { CacheRequest } from './request.js';

/** What is really sent to a hop: the options of follow-redirects after all `beforeRedirect`s. */
export interface SentHop {
  /** Absolute. */
  url: string;
  method: string;
  /** In any case; with what the adapter added. */
  headers: Readonly<Record<string, unknown>>;
  /** `user:password`, that Node makes a header of. */
  auth?: string | null | undefined;
}

/** Whether the caller itself decides what is sent after a redirect: then the first request does not tell. */
export function decidesRedirects({ config }: CacheRequest): boolean {
  return isFunction(own(config, 'beforeRedirect'));
}

/** `first` is the snapshot of the request that was redirected. It and its config stay untouched. */
export function hopRequest(first: CacheRequest, hop: SentHop): CacheRequest {
  const method = hop.method.toUpperCase();
  // follow-redirects drops the body exactly when it changes the method (301, 302 after POST; 303).
  const data = method === first.method ? first.data : undefined;
  const headers = hopHeaders(first, hop, data);
  const url = withoutUserinfo(hop.url);
  return { method, url, headers, data, config: hopConfig(first.config, { method, url, headers, data }) };
}

// What axios, its adapters, Node or this cache put there for the wire; a caller's own are in the first snapshot.
const ADDED: ReadonlySet<string> = new Set([
  'user-agent',
  'accept-encoding',
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'proxy-authorization',
  'if-none-match',
  'if-modified-since',
  'cache-control',
]);

function hopHeaders(first: CacheRequest, hop: SentHop, data: unknown): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const [field, value] of Object.entries(hop.headers)) {
    const name = field.trim().toLowerCase();
    const text = headerText(value);
    if (text === undefined || (ADDED.has(name) && first.headers[name] === undefined)) continue;
    headers[name] = text;
  }
  const { kind } = bodyOf(data);
  if (kind === 'form' || kind === 'node-form' || kind === 'blob') {
    // The adapter wrote the type of these over the caller's.
    const type = first.headers['content-type'];
    if (type === undefined) delete headers['content-type'];
    else headers['content-type'] = type;
  }
  // Node lets `auth` lose against a header of the same name.
  if (hop.auth && headers.authorization === undefined) headers.authorization = basicAuthorization(hop.auth);
  return headers;
}

// Userinfo in a Location is not sent (follow-redirects takes none from a URL object); credentials are in `auth`.
function withoutUserinfo(url: string): string {
  const parsed = parseUrl(url);
  if (parsed === undefined) return url;
  parsed.username = '';
  parsed.password = '';
  parsed.hash = '';
  return parsed.href;
}

/** The first config without what led to the first URL and body. */
function hopConfig(
  config: InternalAxiosRequestConfig,
  hop: Pick<CacheRequest, 'method' | 'url' | 'headers' | 'data'>,
): InternalAxiosRequestConfig {
  const clone: InternalAxiosRequestConfig = Object.assign(Object.create(null), config);
  for (const name of ['params', 'paramsSerializer', 'baseURL', 'auth', 'data'] as const) delete clone[name];
  clone.url = hop.url;
  clone.method = hop.method.toLowerCase();
  if (hop.data !== undefined) clone.data = hop.data;
  const headers: unknown = config.headers;
  if (hasConcat(headers)) {
    // A copy of whatever class it is: two copies of axios may be about.
    clone.headers = headers.concat();
    clone.headers.clear();
    clone.headers.set({ ...hop.headers });
  }
  return clone;
}

function hasConcat(headers: unknown): headers is { concat(): InternalAxiosRequestConfig['headers'] } {
  return (
    typeof headers === 'object' &&
    headers !== null &&
    'concat' in headers &&
    typeof headers.concat === 'function'
  );
}
