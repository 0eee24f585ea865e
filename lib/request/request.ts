import type { InternalAxiosRequestConfig } from 'axios';

/**
 * An axios request as the cache sees it: taken before the inner adapter changes anything, never written to.
 * This is what `keyFn` gets.
 */
export interface CacheRequest {
  /** Upper case. */
  readonly method: string;
  /** axios' own final URL (baseURL, params, paramsSerializer), absolute, without fragment; userinfo still in it. */
  readonly url: string;
  /** By lower-case name; what the caller and axios' defaults set, not what the inner adapter adds. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body after axios' transformRequest. */
  readonly data: unknown;
  /** The caller's config; read it, do not change it. */
  readonly config: InternalAxiosRequestConfig;
}
