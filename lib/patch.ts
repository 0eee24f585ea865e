/** installCache & co: a cache under axios itself. All global state of this package is here. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { AxiosAdapter, AxiosInstance, InternalAxiosRequestConfig } from 'axios';
import { type CacheAdapter, cacheAdapter } from './adapter.js';
import { type InnerAdapter, ownAxios, resolveAdapter } from './axios.js';
import type { ResponseCache } from './cache.js';
import { CacheOptionError } from './errors.js';
import type { CacheOptions } from './options.js';

/** What of axios is patched: the function with its defaults, from whichever copy. */
export interface AxiosCopy {
  defaults: { adapter?: unknown };
}

/** Options of `installCache` and `enabled`. */
export type InstallOptions = CacheOptions & {
  /** The copy, or copies, of axios to patch. @default the copy that this package's own import or require gets */
  axios?: AxiosCopy | readonly AxiosCopy[] | undefined;
};

interface Installation {
  adapter: CacheAdapter;
  copies: ReadonlySet<AxiosCopy>;
  /** What holds for copies that this one does not patch. */
  outer: Installation | undefined;
}

interface Patched {
  original: unknown;
  dispatch: AxiosAdapter;
  users: Set<Installation>;
}

const patched = new Map<AxiosCopy, Patched>();
let installed: Installation | undefined;
/** Inside `enabled` its installation, inside `disabled` null; outside of both undefined. */
const scope = new AsyncLocalStorage<Installation | null>();

function current(): Installation | undefined {
  const scoped = scope.getStore();
  return scoped === undefined ? installed : (scoped ?? undefined);
}

function installationFor(copy: AxiosCopy): Installation | undefined {
  for (let one = current(); one !== undefined; one = one.outer) if (one.copies.has(copy)) return one;
  return undefined;
}

/** Puts one dispatching adapter into the copy's defaults; which cache it serves is decided per request. */
function patch(copy: AxiosCopy, user: Installation): void {
  let state = patched.get(copy);
  if (state === undefined) {
    const original = copy.defaults.adapter;
    const dispatch = async (config: InternalAxiosRequestConfig) => {
      const installation = installationFor(copy);
      return installation === undefined
        ? resolveAdapter(original as InnerAdapter, config)(config)
        : installation.adapter(config);
    };
    state = { original, dispatch, users: new Set() };
    patched.set(copy, state);
    copy.defaults.adapter = dispatch;
  }
  state.users.add(user);
}

function unpatch(copy: AxiosCopy, user: Installation): void {
  const state = patched.get(copy);
  if (state === undefined || !state.users.delete(user) || state.users.size > 0) return;
  patched.delete(copy);
  // If somebody else has put an adapter over ours since, that one stays: ours, below it, passes everything through.
  if (copy.defaults.adapter === state.dispatch) copy.defaults.adapter = state.original;
}

function copiesOf(options: InstallOptions): AxiosCopy[] {
  const { axios } = options;
  const copies = axios === undefined ? [ownAxios as AxiosCopy] : Array.isArray(axios) ? axios : [axios];
  for (const copy of copies) {
    const isCopy = typeof copy === 'function' && typeof (copy as Partial<AxiosCopy>).defaults === 'object';
    if (!isCopy)
      throw new CacheOptionError('axios', axios, 'allowed: axios itself, or an array of copies of it');
  }
  return copies;
}

function makeInstallation(options: InstallOptions, outer: Installation | undefined): Installation {
  const copies = copiesOf(options);
  const { axios: _, ...own } = options;
  const [first] = copies;
  const original = first && (patched.get(first)?.original ?? first.defaults.adapter);
  const adapter = cacheAdapter({ adapter: original as InnerAdapter, ...own } as CacheOptions);
  const installation: Installation = { adapter, copies: new Set(copies), outer };
  for (const copy of copies) patch(copy, installation);
  return installation;
}

function release(installation: Installation): Promise<void> {
  for (const copy of installation.copies) unpatch(copy, installation);
  return installation.adapter.close();
}

/**
 * Makes `axios.get` & co, and every instance created afterwards, cached. Takes all options of `cacheAdapter`. A second
 * call replaces the first.
 *
 * @example
 * installCache({ expireAfter: 360 });
 * await axios.get(url); // cached
 */
export function installCache(options: InstallOptions = {}): CacheAdapter {
  const before = installed;
  const next = makeInstallation(options, undefined);
  installed = next;
  // Not awaited: what it would tell is in its own cache's events, and installing is synchronous.
  if (before !== undefined) release(before).catch(() => {});
  return next.adapter;
}

/** Restores axios as it was, at once; resolves when the cache has let go of its store. Without effect if not installed. */
export async function uninstallCache(): Promise<void> {
  const before = installed;
  installed = undefined;
  if (before !== undefined) await release(before);
}

/** Whether axios is cached here and now: inside `disabled` it is not. */
export function isInstalled(): boolean {
  return current() !== undefined;
}

/** The installed cache; undefined when none is. */
export function getCache(): ResponseCache | undefined {
  return current()?.adapter.cache;
}

/** Runs `fn` with axios cached, in all async work that it starts too, and restores what was. */
export async function enabled<T>(fn: () => T | Promise<T>): Promise<T>;
export async function enabled<T>(options: InstallOptions, fn: () => T | Promise<T>): Promise<T>;
export async function enabled<T>(
  first: InstallOptions | (() => T | Promise<T>),
  second?: () => T | Promise<T>,
): Promise<T> {
  const fn = typeof first === 'function' ? first : second;
  if (typeof fn !== 'function') throw new CacheOptionError('fn', fn, 'allowed: a function');
  const installation = makeInstallation(typeof first === 'function' ? {} : first, current());
  try {
    return await scope.run(installation, async () => fn());
  } finally {
    await release(installation);
  }
}

/** Runs `fn` with axios not cached, in all async work that it starts too, and restores what was. */
export async function disabled<T>(fn: () => T | Promise<T>): Promise<T> {
  return scope.run(null, async () => fn());
}

/** Empties the installed cache; without effect if none is installed. */
export async function clear(): Promise<void> {
  await current()?.adapter.clear();
}

/** `removeExpiredResponses` of the installed cache; 0 if none is installed. */
export async function removeExpiredResponses(
  options?: Parameters<ResponseCache['removeExpiredResponses']>[0],
): Promise<number> {
  return (await current()?.adapter.removeExpiredResponses(options)) ?? 0;
}

/** An axios instance with a cache round it. */
export type CachedAxiosInstance<Instance extends AxiosInstance = AxiosInstance> = Instance & {
  cache: ResponseCache;
  cacheAdapter: CacheAdapter;
};

/**
 * Puts a cache round an existing instance; its present adapter does the network. Returns the same instance.
 *
 * @example
 * const http = wrapAxios(axios.create({ baseURL }), { expireAfter: 60 });
 * await http.cache.clear();
 */
export function wrapAxios<Instance extends AxiosInstance>(
  instance: Instance,
  options: CacheOptions = {},
): CachedAxiosInstance<Instance> {
  if (typeof instance !== 'function' || typeof instance.defaults !== 'object') {
    throw new CacheOptionError('instance', instance, 'allowed: an axios instance');
  }
  const adapter = cacheAdapter({
    adapter: instance.defaults.adapter as InnerAdapter,
    ...options,
  } as CacheOptions);
  instance.defaults.adapter = adapter;
  return Object.assign(instance, { cache: adapter.cache, cacheAdapter: adapter });
}
