/**
 * All that this package takes from axios: its classes, its adapters, its URL building, and the augmentation of its
 * types. Two copies of axios may be loaded (ESM and CommonJS), so nothing here or elsewhere asks `instanceof`.
 */
import axios, {
  type AxiosAdapter,
  AxiosError,
  AxiosHeaders,
  type AxiosRequestConfig,
  CanceledError,
  type InternalAxiosRequestConfig,
} from 'axios';
import type { ExpireAfter, StaleLimit } from './policy/types.js';
import { isObject, own } from './request/own.js';
import { isUrlObject } from './request/snapshot.js';
import type { CacheStatus } from './response/status.js';
import type { Flavour } from './response/types.js';

export { AxiosError, AxiosHeaders, CanceledError };

/** What a request may say to the cache. Works per request and as defaults of an instance; never sent to the origin. */
export interface CacheRequestConfig {
  /**
   * How long the response to this request may be kept; beats URL patterns and the adapter's own setting. Seconds, a
   * duration object, a `Date`, a Temporal value, `NEVER_EXPIRE`, `EXPIRE_IMMEDIATELY` or `DO_NOT_CACHE`;
   * null or undefined: the next level decides. A hit is not re-dated.
   * @example await http.get(url, { expireAfter: { minutes: 5 } });
   */
  expireAfter?: ExpireAfter;
  /** Ask the origin whether the stored response still holds (conditional if it has a validator). @default false */
  refresh?: boolean | undefined;
  /** Neither read nor revalidate: fetch anew and store. @default false */
  forceRefresh?: boolean | undefined;
  /** Answer from the cache or with 504; never send a request. @default the adapter's */
  onlyIfCached?: boolean | undefined;
  /** Serve an expired response when the network fails: true, or for how long (seconds or duration). @default the adapter's */
  staleIfError?: StaleLimit | undefined;
  /** Serve an expired response at once and refresh behind it: true, or for how long. @default the adapter's */
  staleWhileRevalidate?: StaleLimit | undefined;
  /** `false`: this request neither reads nor writes the cache. @default true */
  cache?: boolean | undefined;
}

/** What the cache says about a response. On every response that went through the adapter, cached or not. */
export interface CacheResponseFields {
  /** Whether the body came from the cache (also after a 304). */
  fromCache: boolean;
  /** Whether it was served although it had expired. */
  isExpired: boolean;
  /** Whether the origin was asked for this response and answered 304. */
  revalidated: boolean;
  /** Key of the stored response; undefined when it was neither stored nor served from the cache. */
  cacheKey?: string;
  /** When it was first stored. */
  createdAt?: Date;
  /** When it expires; undefined: never, or not stored. */
  expires?: Date;
  /** The URLs that answered with a redirect on the way, in order; the first is the one asked for. */
  redirects?: string[];
  /** What the cache did and why, in the terms of RFC 9211. */
  cacheStatus?: CacheStatus;
}

declare module 'axios' {
  interface AxiosRequestConfig extends CacheRequestConfig {}
  interface AxiosResponse extends CacheResponseFields {}
}

/** Inner adapter(s): a name, a function, or several of which the first that works here is taken. */
export type InnerAdapter = string | AxiosAdapter | readonly (string | AxiosAdapter)[];

/** axios' own order; not `axios.defaults.adapter`, which may be this cache itself. */
export const DEFAULT_INNER_ADAPTER: InnerAdapter = Object.freeze(['xhr', 'http', 'fetch']);

type GetAdapter = (adapters: unknown, config?: unknown) => AxiosAdapter;

/** The adapter function that axios itself would use for this request. Throws axios' own error for an unknown name. */
export function resolveAdapter(adapters: InnerAdapter, config: InternalAxiosRequestConfig): AxiosAdapter {
  if (typeof adapters === 'function') return adapters;
  return (axios.getAdapter as GetAdapter)(adapters, config);
}

/** The inner adapter of a cache, resolved as axios does. */
export class Inner {
  readonly #adapters: InnerAdapter;
  #usual: { adapter: AxiosAdapter; flavour: Flavour | undefined } | undefined;

  constructor(adapters: InnerAdapter) {
    this.#adapters = adapters;
  }

  /** Throws axios' own error when none of the adapters works here. */
  adapter(config: InternalAxiosRequestConfig): AxiosAdapter {
    return this.#resolve(config).adapter;
  }

  /** The manners of axios' own adapters; undefined for an adapter of the user's. */
  flavour(config: InternalAxiosRequestConfig): Flavour | undefined {
    try {
      return this.#resolve(config).flavour;
    } catch {
      return undefined; // asking for the adapter itself throws the same, where it belongs
    }
  }

  #resolve(config: InternalAxiosRequestConfig) {
    // A request may bring its own fetch (adapters.js getFetch); all others resolve alike, and on a hit that counts.
    if (hasOwnFetch(config.env)) return resolved(this.#adapters, config);
    this.#usual ??= resolved(this.#adapters, config);
    return this.#usual;
  }
}

function hasOwnFetch(env: object | undefined): boolean {
  return env !== undefined && ('fetch' in env || 'Request' in env || 'Response' in env);
}

function resolved(adapters: InnerAdapter, config: InternalAxiosRequestConfig) {
  const adapter = resolveAdapter(adapters, config);
  return { adapter, flavour: flavourOf(adapter, config) };
}

function flavourOf(adapter: AxiosAdapter, config: InternalAxiosRequestConfig): Flavour | undefined {
  for (const name of ['http', 'fetch'] as const) {
    try {
      if (adapter === (axios.getAdapter as GetAdapter)(name, config)) return name;
    } catch {
      // not available in this environment, so it is not the one
    }
  }
  return undefined;
}

const absolute = /^https?:\/\//i;
let bare: { getUri(config: unknown): string } | undefined;

/**
 * The URL that axios would request: baseURL, params and paramsSerializer applied. From an instance without
 * defaults, since the static `axios.getUri` mixes in the global baseURL.
 */
export function finalUrl(config: InternalAxiosRequestConfig): string {
  const { url } = config;
  if (
    config.params == null &&
    typeof url === 'string' &&
    absolute.test(url) &&
    config.allowAbsoluteUrls !== false
  ) {
    return url;
  }
  bare ??= new axios.Axios({}) as { getUri(config: unknown): string };
  const { baseURL, params, paramsSerializer, allowAbsoluteUrls } = config;
  if (typeof url === 'string' || !isUrlObject(url)) {
    return bare.getUri({ url, baseURL, params, paramsSerializer, allowAbsoluteUrls });
  }
  // The http adapter sends one, whatever the types say, but `getUri` adds no params to it. Throws where axios can't join
  // it to a base URL.
  const full = String(bare.getUri({ url, baseURL, allowAbsoluteUrls }));
  return bare.getUri({ url: full, params, paramsSerializer });
}

/**
 * axios' own transform, which parses JSON; undefined when the user had put another in its place before this was loaded. By
 * an option that none but it reads, since the defaults are one object that anybody may change.
 */
const parsesJson = [axios.defaults.transformResponse].flat().find(readsForcedJsonParsing);

export function readsForcedJsonParsing(transform: unknown): boolean {
  return typeof transform === 'function' && String(transform).includes('forcedJSONParsing');
}

/** axios itself, the copy that our own `import` or `require` got; for patching. */
export const ownAxios = axios;

type Transformer = (this: unknown, data: unknown, headers: AxiosHeaders) => unknown;

/**
 * The config that an adapter would get for this request: what Axios.request and dispatchRequest do before they call
 * it, without instance defaults and interceptors, which belong to instances.
 */
export function dispatchable(config: AxiosRequestConfig): InternalAxiosRequestConfig {
  const method = (config.method ?? 'get').toLowerCase();
  const { transformRequest } = axios.defaults;
  const headers = dispatchableHeaders(config, method);
  const ready = { ...axios.defaults, ...config, method, headers } as unknown as InternalAxiosRequestConfig;
  const transformers = config.transformRequest ?? transformRequest ?? [];
  for (const transform of Array.isArray(transformers) ? transformers : [transformers]) {
    ready.data = (transform as Transformer).call(ready, ready.data, headers.normalize(false));
  }
  if (method === 'post' || method === 'put' || method === 'patch') {
    headers.setContentType('application/x-www-form-urlencoded', false);
  }
  return ready;
}

type Headers = Record<string, unknown>;

/**
 * Its own headers over those for its method over those for all, which a config made of an instance's defaults has too
 * (Axios.js `_request`).
 */
function dispatchableHeaders(config: AxiosRequestConfig, method: string): AxiosHeaders {
  const defaults = { headers: axios.defaults.headers } as AxiosRequestConfig;
  const { headers } = axios.mergeConfig(defaults, { headers: config.headers } as AxiosRequestConfig);
  if (!isObject(headers)) return new AxiosHeaders(headers as unknown as string);
  const given = headers as Headers;
  const context = { ...bucket(given, 'common'), ...bucket(given, method) };
  const buckets = HEADER_BUCKETS.filter((name) => bucket(given, name) !== undefined);
  // A class of headers, of another copy of axios or of the platform, has none and is read as what it is.
  const ownHeaders =
    buckets.length === 0
      ? given
      : Object.fromEntries(Object.entries(given).filter(([name]) => !buckets.includes(name)));
  return AxiosHeaders.concat(context as Record<string, string>, ownHeaders as Record<string, string>);
}

// methodList.js
const HEADER_BUCKETS = [
  ...['common', 'get', 'delete', 'head', 'options', 'post', 'put', 'patch'],
  ...['purge', 'link', 'unlink', 'query'],
];

/** Headers for all requests or those of a method; a header may have such a name too, and then has a value. */
function bucket(headers: Headers, name: string): object | undefined {
  const value = own(headers, name);
  return isObject(value) && !Array.isArray(value) ? value : undefined;
}

/** Whether nothing but axios' own transformResponse, the one that parses JSON, will see the response's data and headers. */
export function isTransformedByAxiosAlone({ transformResponse }: InternalAxiosRequestConfig): boolean {
  return (
    parsesJson !== undefined &&
    Array.isArray(transformResponse) &&
    transformResponse.length === 1 &&
    transformResponse[0] === parsesJson
  );
}
