/** cacheAdapter(): an axios adapter with a cache behind it. */
import type { AxiosAdapter, AxiosPromise, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { ResponseCache } from './cache.js';
import { Core } from './core.js';
import { handle } from './handle.js';
import type { AnyCacheOptions, CacheOptions, CacheSettings, ClassOptions, StoreClass } from './options.js';

/** A valid axios `adapter` with a cache behind it. */
export interface CacheAdapter extends AxiosAdapter {
  (config: InternalAxiosRequestConfig): AxiosPromise;
  /** To look at and maintain what is stored. */
  readonly cache: ResponseCache;
  /** Live: assigning validates, and applies to what is stored from then on. */
  readonly settings: CacheSettings;
  /** Runs `fn` with the cache neither read nor written, in all async work that it starts too. */
  cacheDisabled<T>(fn: () => T): T;
  /** Empties the cache. */
  clear(): Promise<void>;
  /** Deletes expired and unreadable entries; with `expireAfter` re-dates the others first. Resolves with how many went. */
  removeExpiredResponses: ResponseCache['removeExpiredResponses'];
  /** Waits for pending writes and lets go of what the adapter opened itself. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes an axios adapter that caches.
 *
 * @example
 * const adapter = cacheAdapter({ expireAfter: 3600 }); // ./http_cache.sqlite
 * const http = axios.create({ adapter });
 * const response = await http.get(url); // response.fromCache
 * @throws CacheOptionError for an unknown or bad option; CacheDriverMissingError when the backend's driver is missing
 */
export function cacheAdapter(options?: CacheOptions): CacheAdapter;
export function cacheAdapter<Class extends StoreClass>(options: ClassOptions<Class>): CacheAdapter;
export function cacheAdapter(options: AnyCacheOptions = {}): CacheAdapter {
  const core = new Core(options as CacheOptions);
  const cache = new ResponseCache(core);
  const adapter = (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => handle(core, config);
  // Assigning to it would change nothing: what is in it can be assigned to.
  Object.defineProperty(adapter, 'settings', { value: core.live.view, enumerable: true });
  return Object.assign(adapter as typeof adapter & Pick<CacheAdapter, 'settings'>, {
    cache,
    cacheDisabled: <T>(fn: () => T): T => core.disabled.run(true, fn),
    clear: () => cache.clear(),
    removeExpiredResponses: (...args: Parameters<ResponseCache['removeExpiredResponses']>) =>
      cache.removeExpiredResponses(...args),
    close: () => cache.close(),
    [Symbol.asyncDispose]: () => cache.close(),
  });
}
