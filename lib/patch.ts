/** installCache & co: a cache under axios itself. All global state of this package is here. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { isDeepStrictEqual } from 'node:util';
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
  layers: readonly Layer[];
  isOver: boolean;
}

/**
 * One adapter of ours in the defaults of a copy, and what it took the place of. As a rule a copy has one, however many
 * installations use it; when somebody else has put an adapter over ours, the next installation makes another over that.
 */
interface Layer {
  copy: AxiosCopy;
  original: unknown;
  dispatch: AxiosAdapter;
  users: Set<Installation>;
}

/** What an async context is inside of: `enabled` with its cache, or `disabled` without one. */
interface Scope {
  installation: Installation | undefined;
  outer: Scope | undefined;
}

const layerOf = new WeakMap<object, Layer>();
let installed: Installation | undefined;
const scope = new AsyncLocalStorage<Scope>();
/** The layer that a request came in by: what it must go on to if its copies had different adapters. */
const entrance = new AsyncLocalStorage<Layer>();

/** The innermost cache in force here and now, of those that patch `copy` if one is given. */
function inForce(copy?: AxiosCopy): Installation | undefined {
  const serves = ({ isOver, copies }: Installation) => !isOver && (copy === undefined || copies.has(copy));
  for (let here = scope.getStore(); here !== undefined; here = here.outer) {
    if (here.installation === undefined) return undefined;
    if (serves(here.installation)) return here.installation;
  }
  return installed !== undefined && serves(installed) ? installed : undefined;
}

/** Our layer if it is on top; one that lies below somebody else's adapter is not to be found, and not to be undone. */
function topLayer(copy: AxiosCopy): Layer | undefined {
  const layer = layerOf.get(copy.defaults.adapter as object);
  return layer?.copy === copy ? layer : undefined;
}

/** Which cache a request gets is decided when it is made. A layer serves its own users alone: no request meets one twice. */
function addLayer(copy: AxiosCopy): Layer {
  const layer: Layer = { copy, original: copy.defaults.adapter, dispatch, users: new Set() };
  async function dispatch(config: InternalAxiosRequestConfig) {
    const installation = inForce(copy);
    return installation !== undefined && layer.users.has(installation)
      ? entrance.run(layer, () => installation.adapter(config))
      : resolveAdapter(layer.original as InnerAdapter, config)(config);
  }
  layerOf.set(dispatch, layer);
  copy.defaults.adapter = dispatch;
  return layer;
}

function copiesOf({ axios = ownAxios as AxiosCopy }: InstallOptions): readonly AxiosCopy[] {
  const copies: readonly AxiosCopy[] = Array.isArray(axios) ? axios : [axios];
  const isCopy = (copy: unknown) =>
    typeof copy === 'function' && typeof (copy as Partial<AxiosCopy>).defaults === 'object';
  if (copies.length === 0 || !copies.every(isCopy)) {
    throw new CacheOptionError('axios', axios, 'allowed: axios itself, or an array of copies of it');
  }
  return copies;
}

/** What does the network for these copies: what did it before, for each its own. */
function innerAdapter(copies: readonly AxiosCopy[]): InnerAdapter {
  const originals = copies.map((copy) => topLayer(copy)?.original ?? copy.defaults.adapter);
  const [first] = originals;
  if (originals.every((original) => isDeepStrictEqual(original, first))) return first as InnerAdapter;
  return (config) => {
    const original = entrance.getStore()?.original ?? first;
    return resolveAdapter(original as InnerAdapter, config)(config);
  };
}

function install(options: InstallOptions): Installation {
  assertObject(options);
  const copies = copiesOf(options);
  const { axios: _, ...own } = options;
  const adapter = cacheAdapter({ ...own, adapter: own.adapter ?? innerAdapter(copies) } as CacheOptions);
  const layers = copies.map((copy) => topLayer(copy) ?? addLayer(copy));
  const installation: Installation = { adapter, copies: new Set(copies), layers, isOver: false };
  for (const { users } of layers) users.add(installation);
  return installation;
}

function assertObject(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw new CacheOptionError('options', options, 'allowed: an object');
  }
}

function release(installation: Installation): Promise<void> {
  installation.isOver = true;
  for (const layer of installation.layers) {
    layer.users.delete(installation);
    // With somebody else's adapter over ours, that one stays; ours, below it, passes everything through from now on.
    if (layer.users.size === 0 && topLayer(layer.copy) === layer)
      layer.copy.defaults.adapter = layer.original;
  }
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
  const next = install(options);
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
  return inForce() !== undefined;
}

/** The installed cache; undefined when none is. */
export function getCache(): ResponseCache | undefined {
  return inForce()?.adapter.cache;
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
  const installation = install(typeof first === 'function' ? {} : first);
  try {
    return await scope.run({ installation, outer: scope.getStore() }, async () => fn());
  } finally {
    // What counts is what came of `fn`; that a store does not close well is no reason to lose it.
    await release(installation).catch(() => {});
  }
}

/** Runs `fn` with axios not cached, in all async work that it starts too, and restores what was. */
export async function disabled<T>(fn: () => T | Promise<T>): Promise<T> {
  if (typeof fn !== 'function') throw new CacheOptionError('fn', fn, 'allowed: a function');
  return scope.run({ installation: undefined, outer: scope.getStore() }, async () => fn());
}

/** Empties the installed cache; without effect if none is installed. */
export async function clear(): Promise<void> {
  await inForce()?.adapter.clear();
}

/** `removeExpiredResponses` of the installed cache; 0 if none is installed. */
export async function removeExpiredResponses(
  options?: Parameters<ResponseCache['removeExpiredResponses']>[0],
): Promise<number> {
  return (await inForce()?.adapter.removeExpiredResponses(options)) ?? 0;
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
  assertObject(options);
  const inner = options.adapter ?? (instance.defaults.adapter as InnerAdapter | null) ?? undefined;
  const adapter = cacheAdapter({ ...options, adapter: inner } as CacheOptions);
  instance.defaults.adapter = adapter;
  return Object.assign(instance, { cache: adapter.cache, cacheAdapter: adapter });
}
