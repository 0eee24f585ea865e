/** The way of one request. */
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { type Exchange, missed, serve, Varied } from './answer.js';
import { type CacheRequestConfig, finalUrl } from './axios.js';
import { bypassReason, passThrough } from './bypass.js';
import { Caller } from './caller.js';
import type { Core } from './core.js';
import { fetch, refreshBehind, stream } from './fetch.js';
import { answerToHead, storedGetOf } from './head.js';
import type { Asked } from './keep.js';
import { look } from './look.js';
import type { Call } from './network.js';
import { requestDirectives } from './policy/cache-control.js';
import { type ExpiryLevels, isDoNotCache } from './policy/freshness.js';
import { decideReuse, forwardParameter, type Reuse } from './policy/reuse.js';
import { callerIsConditional, conditionalHeaders } from './policy/revalidation.js';
import { andThen } from './promises.js';
import { KeyFnError } from './request/key.js';
import type { CacheRequest } from './request/request.js';
import { snapshotRequest } from './request/snapshot.js';
import { type Addressee, respondGatewayTimeout } from './respond.js';
import { assertBodyLength } from './response/build.js';
import type { ForwardReason } from './response/status.js';
import type { Selected, Selection } from './select.js';
import type { MaybePromise } from './stores/store.js';
import { offer, offeredVariants } from './variants.js';
import { expiryLevels, viewOf, wishesOf } from './wishes.js';

/** Answers one request. Rejects as axios itself would, and with `CacheOptionError` for a bad option of the request. */
export async function handle(core: Core, config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
  const wishes = wishesOf(config);
  const caller = new Caller(config);
  let varied: Varied | undefined;
  for (;;) {
    const answer = attempt(core, caller, wishes, varied);
    const outcome = answer instanceof Promise ? await answer : answer;
    if (!(outcome instanceof Varied)) return outcome;
    varied = outcome;
  }
}

/**
 * `Varied`: somebody else's call turned out not to answer this request; what it stored may be looked at again.
 * Like all on the way of a hit it answers at once when the store does.
 */
function attempt(
  core: Core,
  caller: Caller,
  wishes: CacheRequestConfig,
  varied: Varied | undefined,
): MaybePromise<AxiosResponse | Varied> {
  const { config } = caller;
  const settings = core.live.current;
  const request = snapshot(config);
  if (request === undefined) return passThrough(core, caller, undefined, 'unsupported-url');
  const flavour = settings.inner.flavour(config);
  caller.flavour = flavour;
  // One object from here to the response: a hit waits.
  const begun: Begun = {
    config,
    request,
    settings,
    flavour,
    caller,
    varied,
    asked: undefined,
    isLate: false,
  };
  let plan: MaybePromise<Plan>;
  try {
    plan = makePlan(core, begun, wishes);
  } catch (error) {
    plan = planWithoutCache(core, begun, wishes, error);
  }
  return plan instanceof Promise ? carryOutLate(core, begun, wishes, plan) : carryOut(core, begun, plan);
}

/** An exchange of which it is not known yet what is asked for. */
type Begun = Omit<Exchange, 'asked'> & {
  asked: Asked | undefined;
  /** The plan took its time: whoever asked may have changed what it asked with. */
  isLate: boolean;
};

async function carryOutLate(
  core: Core,
  begun: Begun,
  wishes: CacheRequestConfig,
  coming: Promise<Plan>,
): Promise<AxiosResponse | Varied> {
  begun.isLate = true;
  let plan: Plan;
  try {
    plan = await coming;
  } catch (error) {
    plan = planWithoutCache(core, begun, wishes, error);
  }
  return carryOut(core, begun, plan);
}

/** Whatever goes wrong in here is ours alone: the request goes its way as if there were no cache. */
function planWithoutCache(core: Core, begun: Begun, wishes: CacheRequestConfig, error: unknown): Plan {
  const { caller, request, settings } = begun;
  if (caller.hasGivenUp(error)) throw error;
  const reason = error instanceof KeyFnError ? 'keyFn' : 'internal';
  core.fail(error, reason, { url: settings.redactor.url(request.url) });
  return pastTheCache(begun, wishes, 'cache failure');
}

function carryOut(core: Core, begun: Begun, plan: Plan): MaybePromise<AxiosResponse | Varied> {
  const { config, request, caller } = begun;
  switch (plan.action) {
    case 'bypass':
      return passThrough(core, caller, request, plan.detail);
    case 'gateway-timeout':
      missed(core, begun, plan.detail);
      return respondGatewayTimeout(begun, { hit: false, detail: plan.detail });
    case 'serve':
      assertBodyLength(request.data, config, begun.flavour);
      if (plan.refresh) refreshBehind(core, plan.exchange, plan.selected);
      return serve(core, plan.exchange, plan.selected, plan.staleReason);
    case 'ask':
      caller.assertPatient();
      if (isAltered(core, begun)) return passThrough(core, caller, snapshot(config), 'altered');
      return config.responseType === 'stream'
        ? stream(core, plan.exchange, plan.selected, plan.call, plan.fwd)
        : fetch(core, plan.exchange, plan.selected, plan.call, plan.fwd);
    default:
      return plan satisfies never;
  }
}

/**
 * Whether what would be sent now is not what the key was made of: its parameters or body were changed while the store
 * was read, or are written otherwise each time (`paramsSerializer`). The answer would be another request's.
 */
function isAltered({ live }: Core, { asked, config, request, isLate }: Begun): boolean {
  const isRewritten = config.paramsSerializer !== undefined && config.params != null;
  if (asked === undefined || !(isLate || isRewritten)) return false;
  const now = snapshot(config);
  if (now === undefined || now.url !== request.url || now.data !== request.data) return true;
  if (!isLate || typeof now.data !== 'object' || now.data === null) return false;
  try {
    const key = live.current.keyer.keyOf(now);
    return typeof key === 'string' && key !== asked.key;
  } catch {
    return true; // a keyFn that has thought better of it
  }
}

/** What will be done about a request, before anything is. */
type Plan =
  | { action: 'bypass' | 'gateway-timeout'; detail: string }
  | {
      action: 'serve';
      exchange: Exchange;
      selected: Selected;
      staleReason: string | undefined;
      refresh: boolean;
    }
  | { action: 'ask'; exchange: Exchange; selected: Selected | undefined; call: Call; fwd: ForwardReason };

/** Where the cache is off, the request's Cache-Control is not for it. */
const OFF: ReadonlySet<string> = new Set(['cache: false', 'cacheDisabled', 'closed']);

/** Offline there is no way past the cache. */
function pastTheCache({ request, settings }: Addressee, wishes: CacheRequestConfig, detail: string): Plan {
  const isOffline =
    (wishes.onlyIfCached ?? settings.policy.onlyIfCached) ||
    (!OFF.has(detail) && requestDirectives(request.headers).onlyIfCached);
  return { action: isOffline ? 'gateway-timeout' : 'bypass', detail };
}

function makePlan(core: Core, begun: Begun, wishes: CacheRequestConfig): MaybePromise<Plan> {
  const { request, settings } = begun;
  const levels = expiryLevels(request, wishes, settings);
  const bypass = bypassReason(core, begun, wishes) ?? (isDoNotCache(levels) ? 'DO_NOT_CACHE' : undefined);
  if (bypass !== undefined) return pastTheCache(begun, wishes, bypass);
  const key = settings.keyer.keyOf(request);
  return key instanceof Promise
    ? planWithKeyLate(core, begun, wishes, levels, key)
    : planWithKey(core, begun, wishes, levels, key);
}

async function planWithKeyLate(
  core: Core,
  begun: Begun,
  wishes: CacheRequestConfig,
  levels: ExpiryLevels,
  key: Promise<string>,
): Promise<Plan> {
  return planWithKey(core, begun, wishes, levels, await begun.caller.wait(key));
}

function planWithKey(
  core: Core,
  begun: Begun,
  wishes: CacheRequestConfig,
  levels: ExpiryLevels,
  key: string,
): MaybePromise<Plan> {
  const { request, settings } = begun;
  const view = viewOf(request, wishes, settings.policy.shared);
  begun.asked = { request, key, view, levels, settings, index: 'unread', lookedAt: core.nextSequence() };
  const exchange = begun as Exchange;
  return request.method === 'HEAD' && settings.policy.cacheControl
    ? planForHead(core, exchange, wishes)
    : planByKey(core, exchange, wishes);
}

function planByKey(core: Core, exchange: Exchange, wishes: CacheRequestConfig): MaybePromise<Plan> {
  const selection = look(core, exchange, exchange.asked.key, exchange.caller, wishes);
  return selection instanceof Promise
    ? planBySelectionLate(core, exchange, wishes, selection)
    : planBySelection(core, exchange, wishes, selection);
}

async function planBySelectionLate(
  core: Core,
  exchange: Exchange,
  wishes: CacheRequestConfig,
  selection: Promise<Selection>,
): Promise<Plan> {
  return planBySelection(core, exchange, wishes, await selection);
}

function planBySelection(
  core: Core,
  exchange: Exchange,
  wishes: CacheRequestConfig,
  selection: Selection,
): Plan {
  if (wishes.forceRefresh !== true) exchange.asked.index = selection.index;
  return planFor(core, exchange, selection);
}

/** By what is stored of the GET if that answers, else as any other. */
function planForHead(core: Core, exchange: Exchange, wishes: CacheRequestConfig): MaybePromise<Plan> {
  const { asked, caller, request, settings } = exchange;
  const stored = storedGetOf(request, settings, (get, key) =>
    look(core, { request: get, settings }, key, caller, wishes),
  );
  return andThen(stored, (get) => {
    asked.get = get;
    const selected = get && answerToHead(core, get, asked.view, settings);
    if (selected === undefined) return planByKey(core, exchange, wishes);
    return { action: 'serve', exchange, selected, staleReason: undefined, refresh: false };
  });
}

/** What to do with what is stored, or is not. */
function planFor(core: Core, exchange: Exchange, selection: Selection): Plan {
  const { asked, settings } = exchange;
  const { selected } = selection;
  const reuse = decideReuse(selected?.record, asked.view, settings.policy, core.clock());
  switch (reuse.action) {
    case 'gateway-timeout':
      return { action: 'gateway-timeout', detail: 'only-if-cached' };
    case 'serve': {
      if (selected === undefined) throw new TypeError('policy served what is not there');
      const staleReason = reuse.fresh ? undefined : reuse.reason;
      const refresh = !reuse.fresh && reuse.revalidateInBackground;
      return { action: 'serve', exchange, selected, staleReason, refresh };
    }
    case 'revalidate':
    case 'fetch': {
      const fwd = forwardReason(reuse, selection, asked.view.forceRefresh === true);
      return { action: 'ask', exchange, selected, call: callFor(asked, selected, reuse), fwd };
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

/** Why a request goes on to the origin, in RFC 9211's words. */
function forwardReason(reuse: Going, selection: Selection, isForced: boolean): ForwardReason {
  if (isForced) return 'request';
  return selection.selected === undefined ? selection.miss : forwardParameter(reuse.reason);
}

type Going = Extract<Reuse, { action: 'revalidate' | 'fetch' }>;

/** Conditional if there is something to confirm; nothing else is added, save that a forced request says so. */
function callFor(asked: Asked, selected: Selected | undefined, reuse: Going): Call {
  if (asked.view.forceRefresh === true) {
    return {
      asked,
      stored: undefined,
      headers: { 'Cache-Control': asked.request.headers['cache-control'] ?? 'no-cache' },
    };
  }
  // A caller's own condition is between it and the origin.
  const confirms = reuse.action === 'revalidate' && !callerIsConditional(asked.request.headers);
  if (selected === undefined) {
    const offered = offeredVariants(asked);
    if (offered.length > 0) return { asked, stored: undefined, headers: offer(offered), offered };
  }
  if (selected === undefined || !confirms) return { asked, stored: undefined, headers: undefined };
  return { asked, stored: selected.record, headers: { ...conditionalHeaders(selected.record) } };
}
