/** The way of one request. */
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { type Exchange, serve, Varied } from './answer.js';
import { type CacheRequestConfig, finalUrl } from './axios.js';
import { bypassReason, passThrough } from './bypass.js';
import { Caller } from './caller.js';
import type { Core } from './core.js';
import { fetch, refreshBehind, stream } from './fetch.js';
import { filterVerdict } from './filter.js';
import type { Asked } from './keep.js';
import type { Call } from './network.js';
import { requestDirectives } from './policy/cache-control.js';
import { isDoNotCache } from './policy/freshness.js';
import { decideReuse, forwardParameter, type Reuse } from './policy/reuse.js';
import { callerIsConditional, conditionalHeaders } from './policy/revalidation.js';
import { KeyFnError } from './request/key.js';
import type { CacheRequest } from './request/request.js';
import { snapshotRequest } from './request/snapshot.js';
import { type Addressee, respondGatewayTimeout } from './respond.js';
import type { ForwardReason } from './response/status.js';
import { type Selected, type Selection, select } from './select.js';
import { expiryLevels, viewOf, wishesOf } from './wishes.js';

/** Answers one request. Rejects as axios itself would, and with `CacheOptionError` for a bad option of the request. */
export async function handle(core: Core, config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
  const wishes = wishesOf(config);
  const caller = new Caller(config);
  let varied: Varied | undefined;
  for (;;) {
    const outcome = await attempt(core, caller, wishes, varied);
    if (!(outcome instanceof Varied)) return outcome;
    varied = outcome;
  }
}

/** `Varied`: somebody else's call turned out not to answer this request; what it stored may be looked at again. */
async function attempt(
  core: Core,
  caller: Caller,
  wishes: CacheRequestConfig,
  varied: Varied | undefined,
): Promise<AxiosResponse | Varied> {
  const { config } = caller;
  const settings = core.live.current;
  const request = snapshot(config);
  if (request === undefined) return passThrough(core, config, undefined, 'unsupported-url');
  const to: Addressee = { config, request, settings, flavour: settings.inner.flavour(config) };
  let plan: Plan;
  try {
    plan = await makePlan(core, to, wishes, caller, varied);
  } catch (error) {
    if (caller.hasGivenUp(error)) throw error;
    // Whatever goes wrong in here is ours alone: the request goes its way as if there were no cache.
    core.fail(error, error instanceof KeyFnError ? 'keyFn' : 'internal', {
      url: settings.redactor.url(request.url),
    });
    plan = pastTheCache(to, wishes, 'cache failure');
  }
  switch (plan.action) {
    case 'bypass':
      return passThrough(core, config, request, plan.detail);
    case 'gateway-timeout':
      core.stats.misses += 1;
      return respondGatewayTimeout(to, { hit: false, detail: plan.detail });
    case 'serve':
      if (plan.refresh) refreshBehind(core, plan.exchange, plan.selected);
      return serve(core, plan.exchange, plan.selected, plan.staleReason);
    case 'ask':
      caller.assertPatient();
      return config.responseType === 'stream'
        ? stream(core, plan.exchange, plan.selected, plan.call, plan.fwd)
        : fetch(core, plan.exchange, plan.selected, plan.call, plan.fwd);
    default:
      return plan satisfies never;
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

async function makePlan(
  core: Core,
  to: Addressee,
  wishes: CacheRequestConfig,
  caller: Caller,
  varied: Varied | undefined,
): Promise<Plan> {
  const { request, settings } = to;
  const levels = expiryLevels(request, wishes, settings);
  const bypass = bypassReason(core, to, wishes) ?? (isDoNotCache(levels) ? 'DO_NOT_CACHE' : undefined);
  if (bypass !== undefined) return pastTheCache(to, wishes, bypass);

  const made = settings.keyer.keyOf(request);
  const key = made instanceof Promise ? await caller.wait(made) : made;
  const view = viewOf(request, wishes, settings.policy.shared);
  const lookedAt = core.nextSequence();
  const selection = await look(core, to, key, caller, wishes);
  const { selected } = selection;
  const index = wishes.forceRefresh === true ? 'unread' : selection.index;
  const asked: Asked = { request, key, view, levels, settings, index, lookedAt };
  const exchange: Exchange = { ...to, caller, asked, varied };

  const reuse = decideReuse(selected?.record, view, settings.policy, core.clock());
  switch (reuse.action) {
    case 'gateway-timeout':
      return { action: 'gateway-timeout', detail: 'only-if-cached' };
    case 'serve': {
      if (selected === undefined) throw new TypeError('policy served what is not there');
      const staleReason = reuse.fresh ? undefined : reuse.reason;
      return {
        action: 'serve',
        exchange,
        selected,
        staleReason,
        refresh: !reuse.fresh && reuse.revalidateInBackground,
      };
    }
    case 'revalidate':
    case 'fetch': {
      const fwd = forwardReason(reuse, selection, view.forceRefresh === true);
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

const NOT_LOOKED: Selection = { selected: undefined, miss: 'uri-miss', index: undefined };

/** What is stored for the request, unless the user's own filter no longer wants it. */
async function look(
  core: Core,
  { request, settings }: Addressee,
  key: string,
  caller: Caller,
  wishes: CacheRequestConfig,
): Promise<Selection> {
  if (wishes.forceRefresh === true) return NOT_LOOKED;
  const redirectsExpireBy = settings.policy.cacheControl ? core.clock() : undefined;
  const selection = await select(core.entries, request, key, caller, redirectsExpireBy);
  const { selected } = selection;
  if (selected === undefined) return selection;
  const verdict = filterVerdict(core, settings, selected.record);
  if (verdict === 'passes') return selection;
  if (verdict === 'refused' && !settings.readOnly) core.entries.remove([selected.record.key]);
  return { ...selection, selected: undefined };
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
  if (selected === undefined || !confirms) return { asked, stored: undefined, headers: undefined };
  return { asked, stored: selected.record, headers: { ...conditionalHeaders(selected.record) } };
}
