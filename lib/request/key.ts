/** The key of a request: what must be the same for one response to answer both. */

import { AxiosHeaders } from 'axios';
import { CacheOptionError } from '../errors.js';
import { isUrl } from '../parse-url.js';
import type { MaybePromise } from '../stores/store.js';
import { type Body, bodyKey, bodyOf } from './body.js';
import { configAuthorization, proxyAuthorization, userinfoAuthorization } from './credentials.js';
import { part, sha256 } from './digest.js';
import { normalizeList } from './headers.js';
import { KeyMemo } from './memo.js';
import { formParts, isBlobLike, withoutBoundary } from './multipart.js';
import { isObject } from './own.js';
import type { CacheRequest } from './request.js';
import { type Unkeyable, unkeyableReason } from './snapshot.js';
import { transportKey } from './transport.js';
import { canonicalUrl } from './url.js';

export interface KeySettings {
  /** Names left out of the key: query, form and JSON case-sensitively, headers case-insensitively. */
  ignoredParameters: readonly string[];
  /** Request headers that are part of the key: all, none or these. */
  matchHeaders: boolean | readonly string[];
  /** Names whose values are secret: a header of such a name tells users apart, and so is part of the key. */
  redact?: readonly string[] | undefined;
  keyFn?: ((request: CacheRequest, defaultKey: () => string) => string) | undefined;
  /** Bytes of keys kept in mind. @default 4 MiB */
  memoBytes?: number | undefined;
}

/** `keyFn` threw, or returned no non-empty string: the request has no key. */
export class KeyFnError extends CacheOptionError {
  constructor(keyFn: unknown, problem: string, cause?: unknown) {
    super('keyFn', keyFn, problem, cause);
  }
}

const NO_HEADERS = new AxiosHeaders();

/** Of what redaction makes of a URL: escapes, several parameters, an empty query. */
const MAY_BE_SPELLED_OTHERWISE = /[%&]|\?$/;

/** What the key holds of the caller's identity; undefined for none, or ignored. */
interface Credentials {
  /** From `config.auth`. */
  auth: string | undefined;
  /** The header. */
  authorization: string | undefined;
  cookie: string | undefined;
  /** From `config.proxy`. */
  proxy: string | undefined;
  proxyAuthorization: string | undefined;
  /** Headers that are secret by name (`X-Api-Key`), and `Host`, which makes it another site; '' for the usual request. */
  others: string;
}

export class Keyer {
  readonly #ignored: ReadonlySet<string>;
  readonly #ignoredHeaders: ReadonlySet<string>;
  readonly #matchAll: boolean;
  readonly #matched: readonly string[];
  /** Whether any header may be part of the key for being asked for. */
  readonly #matches: boolean;
  readonly #secret: ReadonlySet<string>;
  /** Headers that may be part of the key without being asked for. */
  readonly #telling: ReadonlySet<string>;
  readonly #keyFn: KeySettings['keyFn'];
  readonly #memo: KeyMemo;

  constructor(settings: KeySettings) {
    const { ignoredParameters, matchHeaders } = settings;
    this.#ignored = new Set(ignoredParameters);
    this.#ignoredHeaders = new Set(ignoredParameters.map((name) => name.toLowerCase()));
    this.#matchAll = matchHeaders === true;
    this.#matched =
      typeof matchHeaders === 'boolean'
        ? []
        : this.#matchable(matchHeaders.map((name) => name.toLowerCase()));
    this.#matches = this.#matchAll || this.#matched.length > 0;
    this.#secret = new Set(this.#matchable((settings.redact ?? []).map((name) => name.toLowerCase())));
    this.#telling = new Set([...this.#secret, ...CREDENTIALS, 'host']);
    this.#keyFn = settings.keyFn;
    this.#memo = new KeyMemo(settings.memoBytes);
  }

  get memoBytes(): number {
    return this.#memo.bytes;
  }

  /** A redacted URL as keys compare it: neither the order of parameters counts nor those that are ignored. */
  comparableUrl(url: string): string {
    if (this.#ignored.size === 0 && !MAY_BE_SPELLED_OTHERWISE.test(url)) return url;
    return isUrl(url) ? canonicalUrl(url, this.#ignored).url : url;
  }

  /** Each way in which a request could have been sent without some of the secrets that are in its headers; first: with all. */
  withFewerSecrets(headers: CacheRequest['headers']): CacheRequest['headers'][] {
    let ways = [headers];
    const others = Object.keys(headers).filter((name) => this.#secret.has(name));
    for (const names of [['authorization'], ['cookie'], others]) {
      if (names.every((name) => headers[name] === undefined)) continue;
      ways = ways.flatMap((way) => [way, without(way, names)]);
    }
    return ways;
  }

  /**
   * 64 hex digits. A promise only for a body of Blobs. Throws (or rejects with) `KeyFnError`; the request must have
   * a key as far as `unkeyableReason` knows.
   */
  keyOf(request: CacheRequest): MaybePromise<string> {
    const body = bodyOf(request.data);
    const keyFn = this.#keyFn;
    if (keyFn === undefined) return this.#defaultKey(request, body);
    if (!isLate(body)) return customKey(keyFn, request, () => settledKey(this.#defaultKey(request, body)));
    // `defaultKey` is synchronous for the user, so a body that is not has to be read before.
    return Promise.resolve(this.#defaultKey(request, body)).then((key) =>
      customKey(keyFn, request, () => key),
    );
  }

  /** The key of an anonymous request without a body; undefined where a `keyFn` decides, which is not asked. */
  plainKeyOf(method: 'GET' | 'HEAD', url: string): string | undefined {
    if (this.#keyFn !== undefined) return undefined;
    const config: CacheRequest['config'] = { headers: NO_HEADERS };
    const key = this.#defaultKey({ method, url, headers: {}, data: undefined, config }, bodyOf(undefined));
    return typeof key === 'string' ? key : undefined;
  }

  #defaultKey(request: CacheRequest, body: Body): MaybePromise<string> {
    const isWhole = body.kind === 'none' && !this.#matches;
    if (isWhole && this.#isPlain(request)) {
      const known = this.#memo.get(request.url);
      if (known !== undefined) return known;
    }
    const credentials = this.#credentialsOf(request);
    const transport = transportKey(request.config);
    if (!isWhole) return this.#fullKey(request, body, credentials, transport);
    const name = memoName(request, credentials, transport);
    const known = this.#memo.get(name);
    if (known !== undefined) return known;
    const key = this.#digest(request, credentials, transport, '');
    this.#memo.set(name, key);
    return key;
  }

  /** Whether nothing but its URL tells the request from others: the usual one, and hot. */
  #isPlain({ method, headers, config }: CacheRequest): boolean {
    if (method !== 'GET') return false;
    for (const name in headers) if (this.#telling.has(name)) return false;
    const isAnonymous = configAuthorization(config) === undefined && proxyAuthorization(config) === undefined;
    return isAnonymous && transportKey(config) === '';
  }

  /** Why a request can have no key. A `keyFn` may know what an agent does; nobody else does. */
  reasonAgainst(request: CacheRequest): Unkeyable | undefined {
    const reason = unkeyableReason(request, this.knows(request.url));
    return reason === 'agent' && this.#keyFn !== undefined ? undefined : reason;
  }

  /** Whether an anonymous GET of this very URL has had a key: then it is one of which keys can be made. */
  knows(url: string): boolean {
    return this.#memo.has(url);
  }

  #fullKey(
    request: CacheRequest,
    body: Body,
    credentials: Credentials,
    transport: string,
  ): MaybePromise<string> {
    const contentType = request.headers['content-type'];
    const content = bodyKey(body, contentType, this.#ignored);
    const finish = (digest: string | undefined): string => {
      // A form of which nothing is left is none, as a query is; and none has no part for a body.
      if (digest === undefined && !this.#matches) return this.#digest(request, credentials, transport, '');
      const type =
        digest === undefined || this.#ignoredHeaders.has('content-type')
          ? undefined
          : sentType(body, contentType);
      return this.#digest(
        request,
        credentials,
        transport,
        part(digest) + part(type) + this.#headersKey(request, digest !== undefined),
      );
    };
    return content instanceof Promise ? content.then(finish) : finish(content);
  }

  #digest(request: CacheRequest, credentials: Credentials, transport: string, rest: string): string {
    const { url, username, password } = canonicalUrl(request.url, this.#ignored);
    const userinfo = this.#ignoredHeaders.has('authorization')
      ? undefined
      : userinfoAuthorization(username, password);
    return sha256(
      'axios-stash/key' +
        part(request.method) +
        part(url) +
        // The one that axios would send: `auth`, else userinfo, else the header.
        part(credentials.auth ?? userinfo ?? credentials.authorization) +
        part(credentials.cookie) +
        part(credentials.proxy ?? credentials.proxyAuthorization) +
        part(transport) +
        part(credentials.others) +
        rest,
    );
  }

  #credentialsOf(request: CacheRequest): Credentials {
    const { config, headers } = request;
    const ignored = this.#ignoredHeaders;
    const none = ignored.size > 0 && ignored.has('authorization');
    const noProxy = ignored.size > 0 && ignored.has('proxy-authorization');
    return {
      auth: none ? undefined : configAuthorization(config),
      authorization: none ? undefined : headers.authorization,
      cookie: ignored.size > 0 && ignored.has('cookie') ? undefined : headers.cookie,
      // A proxy may answer each of its users differently; contract: one user never gets another's response.
      proxy: noProxy ? undefined : proxyAuthorization(config),
      proxyAuthorization: noProxy ? undefined : headers['proxy-authorization'],
      others: this.#otherHeaders(request),
    };
  }

  #otherHeaders({ url, headers }: CacheRequest): string {
    let names: string[] | undefined;
    for (const name of Object.keys(headers)) {
      if (name === 'host' ? this.#isOtherHost(url, headers.host) : this.#secret.has(name)) {
        names = names === undefined ? [name] : [...names, name];
      }
    }
    if (names === undefined) return '';
    return names
      .sort()
      .map((name) => part(name) + part(headers[name]))
      .join('');
  }

  /** RFC 9110 7.1: what is asked for is what `Host` says, wherever the connection leads. */
  #isOtherHost(url: string, host = ''): boolean {
    return !this.#ignoredHeaders.has('host') && new URL(url).host !== host.trim().toLowerCase();
  }

  #headersKey({ headers }: CacheRequest, hasBody: boolean): string {
    const names = this.#matchAll ? this.#matchable(Object.keys(headers)) : this.#matched;
    let key = '';
    for (const name of names) {
      // With a body its type is in the key already, without the boundary.
      if (hasBody && name === 'content-type') continue;
      const value = headers[name];
      if (value === undefined) continue;
      key += part(name) + part(normalizeList(name === 'content-type' ? withoutBoundary(value) : value));
    }
    return key;
  }

  #matchable(names: readonly string[]): string[] {
    const wanted = names.filter((name) => !CREDENTIALS.has(name) && !this.#ignoredHeaders.has(name));
    return [...new Set(wanted)].sort();
  }
}

/**
 * By what a key is remembered. Of an anonymous GET the URL: that is mostly the caller's own string, whose hash is known,
 * where a new one is hashed anew on each hit. The others begin with a digit, as no URL does of which keys are made.
 */
function memoName(
  { method, url }: CacheRequest,
  { auth, authorization, cookie, proxy, proxyAuthorization, others }: Credentials,
  transport: string,
): string {
  const isAnonymous =
    (auth ?? authorization ?? cookie ?? proxy ?? proxyAuthorization) === undefined && others === '';
  if (isAnonymous && method === 'GET' && transport === '') return url;
  return (
    part(method) +
    part(url) +
    part(auth) +
    part(authorization) +
    part(cookie) +
    part(proxy) +
    part(proxyAuthorization) +
    part(transport) +
    others
  );
}

const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

function without(headers: CacheRequest['headers'], names: readonly string[]): CacheRequest['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

/** The type that goes out with the body: that of a form object is axios' own, whatever the header says. */
function sentType(body: Body, contentType: string | undefined): string | undefined {
  if (body.kind === 'form' || body.kind === 'node-form') return 'multipart/form-data';
  return contentType === undefined ? undefined : withoutBoundary(contentType).trim();
}

/** Whether the body can only be read asynchronously. */
function isLate(body: Body): boolean {
  return (
    body.kind === 'blob' ||
    (body.kind === 'form' && formParts(body.form).some(({ value }) => isBlobLike(value)))
  );
}

function settledKey(key: MaybePromise<string>): string {
  if (key instanceof Promise) throw new TypeError('The key of this body is not known yet');
  return key;
}

function customKey(
  keyFn: NonNullable<KeySettings['keyFn']>,
  request: CacheRequest,
  defaultKey: () => string,
): string {
  let custom: unknown;
  try {
    custom = keyFn(request, defaultKey);
  } catch (error) {
    throw new KeyFnError(keyFn, 'it threw', error);
  }
  if (typeof custom === 'string' && custom !== '') {
    // The answer to a HEAD has no body: whatever the function thinks, it is none to a GET.
    const domain = request.method === 'HEAD' ? 'axios-stash/keyFn/HEAD' : 'axios-stash/keyFn';
    // UTF-16, so that keys of lone surrogates differ too; a domain of its own, out of reach of default keys.
    return sha256(Buffer.from(domain + part(custom), 'utf16le'));
  }
  if (custom instanceof Promise) custom.catch(() => {}); // its failure is this error already
  throw new KeyFnError(
    keyFn,
    `it returned ${isObject(custom) ? 'an object' : custom === '' ? "''" : typeof custom}, not a non-empty string`,
  );
}
