/** Whose request it is: the credentials that axios would send, wherever they were given. */

import { parseUrl } from '../parse-url.js';
import { isObject, own, safeProperty } from './own.js';
import type { CacheRequest } from './request.js';

/** The field value of HTTP basic authentication (RFC 7617), from `user:password`. */
export function basicAuthorization(userAndPassword: string): string {
  return `Basic ${Buffer.from(userAndPassword, 'utf8').toString('base64')}`;
}

/** From `config.auth`, which beats all else, also with an empty password (http.js, `configAuth`). */
export function configAuthorization(config: object): string | undefined {
  const auth = own(config, 'auth');
  if (!auth) return undefined;
  return basicAuthorization(`${field(auth, 'username')}:${field(auth, 'password')}`);
}

/** From a URL's userinfo, decoded where it can be (http.js, `decodeURIComponentSafe`). */
export function userinfoAuthorization(username: string, password: string): string | undefined {
  if (username === '' && password === '') return undefined;
  return basicAuthorization(`${decodeSafely(username)}:${decodeSafely(password)}`);
}

/** The `Authorization` that axios would send: `auth`, else the URL's userinfo, else the header. */
export function effectiveAuthorization(request: CacheRequest): string | undefined {
  return (
    configAuthorization(request.config) ??
    (request.url.includes('@') ? urlAuthorization(request.url) : undefined) ??
    request.headers.authorization
  );
}

/** The headers as if credentials were always sent as one of them. */
export function headersWithAuthorization(request: CacheRequest): CacheRequest['headers'] {
  const authorization = effectiveAuthorization(request);
  return authorization === undefined ? request.headers : { ...request.headers, authorization };
}

function urlAuthorization(url: string): string | undefined {
  const parsed = parseUrl(url);
  return parsed && userinfoAuthorization(parsed.username, parsed.password);
}

/** From `config.proxy` as http.js `setProxy` reads it: `username` and `password`, else `auth`. */
export function proxyAuthorization(config: object): string | undefined {
  const proxy = own(config, 'proxy');
  if (!isObject(proxy)) return undefined;
  const username = safeProperty(proxy, 'username');
  if (username) return basicAuthorization(`${username}:${field(proxy, 'password')}`);
  const auth = safeProperty(proxy, 'auth');
  if (!auth) return undefined;
  return basicAuthorization(
    isObject(auth) ? `${field(auth, 'username')}:${field(auth, 'password')}` : String(auth),
  );
}

function field(source: unknown, key: string): string {
  const value = safeProperty(source, key);
  return value ? String(value) : '';
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
