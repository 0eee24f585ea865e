/** cacheAdapter(): the way of one request. */
import type { AxiosAdapter, AxiosPromise, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { type CacheRequestConfig, finalUrl, resolveAdapter } from './axios.js';
import { ResponseCache } from './cache.js';
import { CachedResponse } from './cached-response.js';
import { Caller } from './caller.js';
import { Core } from './core.js';
import { flavourOf } from './forward.js';
import type { Asked } from './keep.js';
import { type Call, call, callStreamed, discard, invalidate, type Landing, mayShare } from './network.js';
import type { CacheOptions, CacheSettings } from './options.js';
import { isDoNotCache } from './policy/freshness.js';
import { isUnsafe } from './policy/invalidation.js';
import { decideReuse, forwardParameter, type Reuse } from './policy/reuse.js';
import { callerIsConditional, conditionalHeaders } from './policy/revalidation.js';
import { type Failure, mayServeStaleOnError } from './policy/stale.js';
import { KeyFnError } from './request/key.js';
import type { CacheRequest } from './request/request.js';
import { snapshotRequest, unkeyableReason } from './request/snapshot.js';
import { type Addressee, mark, respondFromNetwork, respondFromRecord, respondGatewayTimeout, ttlOf, type Verdict } from './respond.js';
import { headerList } from './response/received.js';
import { ownError } from './response/errors.js';
import type { CacheStatus, ForwardReason } from './response/status.js';
import { type Selected, type Selection, select } from './select.js';
import { expiryLevels, viewOf, wishesOf } from './wishes.js';

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
export function cacheAdapter(options: CacheOptions = {}): CacheAdapter {
  const core = new Core(options);
  const cache = new ResponseCache(core);
  const adapter = (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => handle(core, config);
  return Object.assign(adapter, {
    cache,
    settings: core.live.view,
    cacheDisabled: <T>(fn: () => T): T => core.disabled.run(true, fn),
    clear: () => cache.clear(),
    removeExpiredResponses: (...args: Parameters<ResponseCache['removeExpiredResponses']>) =>
      cache.removeExpiredResponses(...args),
    close: () => cache.close(),
    [Symbol.asyncDispose]: () => cache.close(),
  });
}

/** Everything about one request that later steps need. */
interface Exchange extends Addressee {
  caller: Caller;
  asked: Asked;
}

async function handle(core: Core, config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
  const settings = core.live.current;
  const wishes = wishesOf(config);
  const request = snapshot(config);
  if (request === undefined) return passThrough(core, config, undefined, 'bypass', 'unsupported-url');

  const levels = expiryLevels(request, wishes, settings);
  const to: Addressee = { config, request, settings, flavour: flavourOf(settings.adapter, config) };
  const bypass = bypassReason(core, to, wishes) ?? (isDoNotCache(levels) ? 'DO_NOT_CACHE' : undefined);
  const onlyIfCached = wishes.onlyIfCached ?? settings.policy.onlyIfCached;
  if (bypass !== undefined) {
    if (onlyIfCached) return respondGatewayTimeout(to, { hit: false, detail: bypass });
    return passThrough(core, config, request, bypass === 'method' ? 'method' : 'bypass', bypass);
  }

  const caller = new Caller(config);
  let key: string;
  try {
    const made = settings.keyer.keyOf(request);
    key = made instanceof Promise ? await caller.wait(made) : made;
  } catch (error) {
    caller.assertPatient();
    if (error instanceof KeyFnError) core.fail(error, 'keyFn', { url: settings.redactor.url(request.url) });
    if (onlyIfCached) return respondGatewayTimeout(to, { hit: false, detail: 'no key' });
    return passThrough(core, config, request, 'bypass', 'no key');
  }

  const view = viewOf(request, wishes, settings.policy.shared);
  const selection = await look(core, to, key, caller, wishes);
  const { selected } = selection;
  const asked: Asked = { request, key, view, levels, settings, index: wishes.forceRefresh === true ? 'unread' : selection.index };
  const exchange: Exchange = { ...to, caller, asked };

  const reuse = decideReuse(selected?.record, view, settings.policy, core.clock());
  switch (reuse.action) {
    case 'serve':
      if (selected === undefined) throw new TypeError('policy served what is not there');
      if (!reuse.fresh && reuse.revalidateInBackground) refreshBehind(core, exchange, selected);
      return serve(core, exchange, selected, reuse.fresh ? undefined : reuse.reason);
    case 'gateway-timeout':
      core.stats.misses += 1;
      return respondGatewayTimeout(to, { hit: false, detail: 'only-if-cached' });
    case 'revalidate':
    case 'fetch': {
      caller.assertPatient();
      const fwd = forwardReason(reuse, selection, view.forceRefresh === true);
      const going = callFor(asked, selected, reuse);
      if (config.responseType === 'stream') return stream(core, exchange, selected, going, fwd);
      return fetch(core, exchange, selected, going, fwd);
    }
    default:
      return reuse satisfies never;
  }
}

/** The request as the cache sees it; undefined when axios itself can't make a URL of it. */
function snapshot(config: InternalAxiosRequestConfig): CacheRequest | undefined {
  try {
    return snapshotRequest(config, finalUrl(config));
  } catch {
    return undefined; // the inner adapter meets the same fault and rejects with axios' own error
  }
}

/** Why the cache keeps out of a request's way, before it is even read. */
function bypassReason(core: Core, { request, settings }: Addressee, wishes: CacheRequestConfig): string | undefined {
  if (wishes.cache === false) return 'cache: false';
  if (core.disabled.getStore() === true) return 'cacheDisabled';
  if (core.entries.closed) return 'closed';
  if (!settings.methods.has(request.method)) return 'method';
  if (request.headers.range !== undefined) return 'range';
  return unkeyableReason(request);
}

/** The inner adapter's own answer to the caller's own config, with the cache's fields on it. */
async function passThrough(
  core: Core,
  config: InternalAxiosRequestConfig,
  request: CacheRequest | undefined,
  fwd: 'bypass' | 'method',
  detail: string,
): Promise<AxiosResponse> {
  const settings = core.live.current;
  core.stats.bypassed += 1;
  if (core.events.wants('bypass')) {
    core.events.emit('bypass', { reason: detail, ...(request && { url: settings.redactor.url(request.url) }) });
  }
  const verdict = (status: number): Verdict => ({
    fromCache: false,
    isExpired: false,
    revalidated: false,
    record: undefined,
    redirects: [],
    status: { hit: false, fwd, fwdStatus: status, stored: false, ...(fwd === 'bypass' && { detail }) },
  });
  const settled = async (response: AxiosResponse): Promise<void> => {
    mark(response, verdict(response.status), settings);
    if (request === undefined || !isUnsafe(request.method) || settings.methods.has(request.method)) return;
    await invalidate(core, { request, settings }, response.status, headerList(response.headers));
  };
  try {
    const response = await resolveAdapter(settings.adapter, config)(config);
    await settled(response);
    return response;
  } catch (error) {
    const response = (error as { response?: AxiosResponse } | null)?.response;
    if (response) await settled(response);
    throw error;
  }
}

const NOT_LOOKED: Selection = { selected: undefined, miss: 'uri-miss', index: undefined };

/** What is stored for the request, unless the user's own filter no longer wants it. */
async function look(core: Core, { request, settings }: Addressee, key: string, caller: Caller, wishes: CacheRequestConfig): Promise<Selection> {
  if (wishes.forceRefresh === true) return NOT_LOOKED;
  const redirectsExpireBy = settings.policy.cacheControl ? core.clock() : undefined;
  const selection = await select(core.entries, request, key, caller, redirectsExpireBy);
  const { selected } = selection;
  if (selected === undefined || settings.filterFn === undefined) return selection;
  try {
    if (settings.filterFn(new CachedResponse(selected.record, core.clock)) === true) return selection;
  } catch (error) {
    core.fail(error, 'filterFn threw', { key, url: selected.record.url });
  }
  if (!settings.readOnly) core.entries.remove([selected.record.key]);
  return { ...selection, selected: undefined };
}

/** Answers from what is stored; `staleReason` when it has expired. */
function serve(core: Core, exchange: Exchange, selected: Selected, staleReason: string | undefined): Promise<AxiosResponse> {
  const { record, loaded } = selected;
  const event = staleReason === undefined ? 'hit' : 'stale';
  if (event === 'hit') core.stats.hits += 1;
  else core.stats.stale += 1;
  if (core.events.wants(event)) {
    core.events.emit(event, {
      key: record.key,
      url: record.request.url,
      bytes: record.body.byteLength,
      ...(staleReason !== undefined && { reason: staleReason }),
    });
  }
  const status: CacheStatus = { hit: true, key: record.key };
  const ttl = ttlOf(record, core.clock());
  if (ttl !== undefined) status.ttl = ttl;
  if (staleReason !== undefined) status.detail = staleReason;
  return respondFromRecord(core, exchange, loaded.source ?? { body: record.body, bodyType: record.bodyType }, {
    fromCache: true,
    isExpired: staleReason !== undefined,
    revalidated: false,
    record,
    redirects: selected.redirects,
    status,
  });
}

/** Why a request goes on to the origin, in RFC 9211's words. */
function forwardReason(reuse: Going, selection: Selection, isForced: boolean): ForwardReason {
  if (isForced) return 'request';
  return selection.selected === undefined ? selection.miss : forwardParameter(reuse.reason);
}

type Going = Extract<Reuse, { action: 'revalidate' | 'fetch' }>;

/** Conditional if there is something to confirm; nothing else is added, save that a forced request says so. */
function callFor(asked: Asked, selected: Selected | undefined, reuse: Going): Call {
  if (asked.view.forceRefresh === true) {
    return { asked, stored: undefined, headers: { 'Cache-Control': asked.request.headers['cache-control'] ?? 'no-cache' } };
  }
  // A caller's own condition is between it and the origin.
  const confirms = reuse.action === 'revalidate' && !callerIsConditional(asked.request.headers);
  if (selected === undefined || !confirms) return { asked, stored: undefined, headers: undefined };
  return { asked, stored: selected.record, headers: { ...conditionalHeaders(selected.record) } };
}

/** Request headers outside the key that ask for another kind of answer: such requests do not share a call. */
const CONDITIONS = ['cache-control', 'pragma', 'if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since'];

function routeOf(going: Call): string {
  const { headers } = going.asked.request;
  const own = CONDITIONS.map((name) => headers[name] ?? '');
  return JSON.stringify([going.asked.key, ...own, going.headers ?? null]);
}

async function fetch(core: Core, exchange: Exchange, selected: Selected | undefined, going: Call, fwd: ForwardReason): Promise<AxiosResponse> {
  const { caller, config, asked, settings } = exchange;
  let isAboard = true;
  const { flight, joined } = core.flights.board(routeOf(going), config, settings.coalesce, (signal) =>
    call(core, going, signal, () => isAboard),
  );
  let landing: Landing;
  try {
    landing = await caller.wait(flight.landing);
  } catch (error) {
    if (selected !== undefined && !isOwnCancellation(caller)) {
      const stale = staleOnError(core, exchange, selected, { kind: 'network' });
      if (stale !== undefined) return stale;
    }
    caller.assertPatient();
    throw ownError(error, config);
  } finally {
    isAboard = false;
    flight.leave();
  }
  // The response varies on something in which this request differs from the one that was sent.
  if (joined && !mayShare(landing, asked.request, asked.key)) return handle(core, config);
  if (joined) core.stats.coalesced += 1;
  return hand(core, exchange, selected, landing, { hit: false, fwd, ...(joined && { collapsed: true }) });
}

function isOwnCancellation(caller: Caller): boolean {
  try {
    caller.assertPatient();
    return false;
  } catch {
    return true;
  }
}

/** The expired response instead of an error, where the caller allows it (RFC 5861 4). */
function staleOnError(core: Core, exchange: Exchange, selected: Selected, failure: Failure): Promise<AxiosResponse> | undefined {
  const { asked, settings } = exchange;
  if (!mayServeStaleOnError(selected.record, asked.view, failure, settings.policy, core.clock())) return undefined;
  return serve(core, exchange, selected, 'stale-if-error');
}

/** Gives one caller its own response out of what the call brought. */
function hand(core: Core, exchange: Exchange, selected: Selected | undefined, landing: Landing, base: CacheStatus): Promise<AxiosResponse> {
  const { received, record } = landing;
  if (selected !== undefined && !landing.revalidated) {
    const stale = staleOnError(core, exchange, selected, { kind: 'status', status: received.status });
    if (stale !== undefined) return stale;
  }
  const status: CacheStatus = { ...base, fwdStatus: received.status, stored: record !== undefined };
  const ttl = record === undefined ? undefined : ttlOf(record, core.clock());
  if (ttl !== undefined) status.ttl = ttl;
  if (record !== undefined) status.key = record.key;
  if (landing.reason !== undefined) status.detail = landing.reason;
  const verdict = { isExpired: false, revalidated: landing.revalidated, status };
  if (landing.revalidated && record !== undefined && landing.source !== undefined) {
    const redirects = selected?.redirects ?? [];
    return respondFromRecord(core, exchange, landing.source, { ...verdict, fromCache: true, record, redirects });
  }
  missed(core, exchange, base);
  const redirects = received.chain.slice(0, -1).map(({ url }) => url);
  return respondFromNetwork(exchange, landing, { ...verdict, fromCache: false, record, redirects });
}

function missed(core: Core, { asked, settings }: Exchange, { fwd }: CacheStatus): void {
  core.stats.misses += 1;
  if (!core.events.wants('miss')) return;
  core.events.emit('miss', { key: asked.key, url: settings.redactor.url(asked.request.url), ...(fwd && { reason: fwd }) });
}

/** A streamed call is its caller's own: the body goes through at once, under the caller's own signal and timeout. */
async function stream(core: Core, exchange: Exchange, selected: Selected | undefined, going: Call, fwd: ForwardReason): Promise<AxiosResponse> {
  const { caller, config } = exchange;
  const base: CacheStatus = { hit: false, fwd };
  let landing: Awaited<ReturnType<typeof callStreamed>>;
  try {
    landing = await callStreamed(core, going);
  } catch (error) {
    if (selected !== undefined && !isOwnCancellation(caller)) {
      const stale = staleOnError(core, exchange, selected, { kind: 'network' });
      if (stale !== undefined) return stale;
    }
    throw ownError(error, config);
  }
  if (landing.confirmed !== undefined) return hand(core, exchange, selected, landing.confirmed, base);
  const { received } = landing;
  if (selected !== undefined) {
    const stale = staleOnError(core, exchange, selected, { kind: 'status', status: received.status });
    if (stale !== undefined) {
      discard(received.data);
      return stale;
    }
  }
  missed(core, exchange, base);
  const status: CacheStatus = { ...base, fwdStatus: received.status, stored: landing.willStore };
  if (landing.reason !== undefined) status.detail = landing.reason;
  const redirects = received.chain.slice(0, -1).map(({ url }) => url);
  const verdict = { fromCache: false, isExpired: false, revalidated: false, record: undefined, redirects, status };
  return respondFromNetwork(exchange, { received: { ...received, data: landing.stream }, source: undefined }, verdict);
}

/** Refreshes an expired response that was served, once however many callers; what fails is an event. */
function refreshBehind(core: Core, exchange: Exchange, selected: Selected): void {
  const { asked, config } = exchange;
  const headers = conditionalHeaders(selected.record);
  const going: Call = {
    asked,
    stored: headers === undefined ? undefined : selected.record,
    headers: headers && { ...headers },
  };
  const { flight, joined } = core.flights.board(`behind ${routeOf(going)}`, config, true, (signal) =>
    call(core, going, signal, () => false),
  );
  if (joined) return flight.leave();
  const about = { key: selected.record.key, url: selected.record.request.url };
  flight.landing
    .then(({ received, record }) => {
      if (record === undefined && received.status >= 400) {
        core.fail(new Error(`the origin answered ${received.status}`), 'background refresh', about);
      }
    })
    .catch((error: unknown) => core.fail(error, 'background refresh', about))
    .finally(() => flight.leave());
}

