/** Asking the network for one caller: alone, with others, streamed, or behind its back. */
import type { AxiosError, AxiosResponse } from 'axios';
import { type Exchange, hand, missed, redirectsOf, staleOnError, Varied } from './answer.js';
import type { Core } from './core.js';
import { readable } from './entries/thrown.js';
import { messageOf } from './errors.js';
import { type Call, call, callStreamed, discard, type Landing, mayShare, variesOn } from './network.js';
import { conditionalHeaders } from './policy/revalidation.js';
import type { CacheRequest } from './request/request.js';
import { varyPairs } from './request/vary.js';
import { mark, respondFromNetwork, ttlOf } from './respond.js';
import { ownError } from './response/errors.js';
import type { CacheStatus, ForwardReason } from './response/status.js';
import type { Selected } from './select.js';
import type { Settings } from './settings.js';
import type { MaybePromise } from './stores/store.js';

/** Request headers outside the key that ask for another kind of answer: such requests do not share a call. */
const CONDITIONS = [
  'cache-control',
  'pragma',
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
];

/** What requests have to have in common to share a call. */
function routeOf(core: Core, going: Call, varied: Varied | undefined): string {
  const { key, request, settings } = going.asked;
  const own = conditionsOf(request.headers);
  // What was asked before an unsafe request changed the URL is no answer to what is asked after it.
  const invalidated = core.lastInvalidation(() => settings.redactor.url(request.url));
  const variant = varied === undefined || varied.names === '*' ? [] : varyPairs(varied.names, request, key);
  // Two variants may have one validator, and a 304 confirms the one that was asked about.
  const stored = going.stored?.key ?? null;
  // Mostly nothing is special.
  if (own === undefined && going.headers === undefined && stored === null && variant.length === 0)
    return `${key} ${invalidated}`;
  return JSON.stringify([key, own ?? null, going.headers ?? null, stored, invalidated, variant]);
}

function conditionsOf(headers: CacheRequest['headers']): string[] | undefined {
  for (const name of CONDITIONS)
    if (headers[name] !== undefined) return CONDITIONS.map((one) => headers[one] ?? '');
  return undefined;
}

/**
 * The response of a call, alone or with others. `Varied`: another's call was joined, and what it brought varies on
 * something in which this request differs; it has to be made anew.
 */
export async function fetch(
  core: Core,
  exchange: Exchange,
  selected: Selected | undefined,
  going: Call,
  fwd: ForwardReason,
): Promise<AxiosResponse | Varied> {
  const { caller, config, asked, settings, varied } = exchange;
  const isShared = settings.coalesce && varied?.names !== '*' && !caller.hasBadTimeout;
  let isAboard = true;
  const leave = (): void => {
    if (isAboard) flight.leave();
    isAboard = false;
  };
  const manner = { isShared, isPatient: caller.isPatient };
  const { flight, joined } = core.flights.board(routeOf(core, going, varied), config, manner, (signal) =>
    call(core, going, { signal, isListening: () => isAboard }),
  );
  let landing: Landing;
  try {
    // At once: who asks after the last caller's abort must not board the call that it ends.
    landing = await caller.wait(flight.landing, leave);
  } catch (error) {
    const stale = staleAfterFailure(core, exchange, selected, joined);
    if (stale !== undefined) return stale;
    missed(core, exchange, fwd);
    throw caller.hasGivenUp(error) ? error : failed(error, exchange, fwd, joined);
  } finally {
    leave();
  }
  // What can't be kept can't be copied either: then each caller asks for its own.
  if (joined && landing.source === undefined) return new Varied('*');
  if (joined && !mayShare(landing, asked.request, asked.key)) return new Varied(variesOn(landing));
  if (joined) core.stats.coalesced += 1;
  return hand(core, exchange, selected, landing, fwd, joined);
}

/** The expired response instead of the network's error, unless it is the caller who has left. */
function staleAfterFailure(
  core: Core,
  exchange: Exchange,
  selected: Selected | undefined,
  isJoined: boolean,
): MaybePromise<AxiosResponse> | undefined {
  if (selected === undefined || exchange.caller.isCancelled) return undefined;
  const stale = staleOnError(core, exchange, selected, { kind: 'network' }, isJoined);
  if (isJoined && stale !== undefined) core.stats.coalesced += 1;
  return stale;
}

/** The inner adapter's error as the caller's own; a response that it brought has the contract's fields, as any has. */
function failed(
  error: unknown,
  { config, settings }: Exchange,
  fwd: ForwardReason,
  isJoined: boolean,
): unknown {
  const own = ownError(error, config);
  if (own === error) return error; // shared with others, and no axios error
  const { response } = own as AxiosError;
  if (response === undefined) return own;
  const status: CacheStatus = { hit: false, fwd, fwdStatus: response.status, stored: false };
  if (isJoined) status.collapsed = true;
  const fields = { fromCache: false, isExpired: false, revalidated: false, record: undefined };
  mark(response, { ...fields, redirects: [], status }, settings);
  return own;
}

/** A streamed call is its caller's own: the body goes through at once, under the caller's own signal and timeout. */
export async function stream(
  core: Core,
  exchange: Exchange,
  selected: Selected | undefined,
  going: Call,
  fwd: ForwardReason,
): Promise<AxiosResponse> {
  let landing: Awaited<ReturnType<typeof callStreamed>>;
  try {
    landing = await callStreamed(core, going);
  } catch (error) {
    const stale = staleAfterFailure(core, exchange, selected, false);
    if (stale !== undefined) return stale;
    missed(core, exchange, fwd);
    throw failed(error, exchange, fwd, false);
  }
  if (landing.confirmed !== undefined) return hand(core, exchange, selected, landing.confirmed, fwd, false);
  const { received } = landing;
  if (selected !== undefined) {
    const failure = { kind: 'status', status: received.status } as const;
    const stale = staleOnError(core, exchange, selected, failure, false);
    if (stale !== undefined) {
      discard(received.data);
      return stale;
    }
  }
  missed(core, exchange, fwd);
  const { coming } = landing;
  const status: CacheStatus = { hit: false, fwd, fwdStatus: received.status, stored: coming !== undefined };
  const ttl = coming && ttlOf(coming, received.responseTime);
  if (ttl !== undefined) status.ttl = ttl;
  if (coming !== undefined) status.key = coming.key;
  if (landing.reason !== undefined) status.detail = landing.reason;
  const redirects = redirectsOf(received);
  const verdict = {
    fromCache: false,
    isExpired: false,
    revalidated: false,
    record: coming,
    redirects,
    status,
  };
  return respondFromNetwork(
    exchange,
    { received: { ...received, data: landing.stream }, source: undefined },
    verdict,
  );
}

/** Refreshes an expired response that was served, once however many callers; what fails is an event. */
export function refreshBehind(core: Core, exchange: Exchange, selected: Selected): void {
  const { asked, caller, config, settings } = exchange;
  if (settings.readOnly) return; // nothing could be kept of it
  const headers = conditionalHeaders(selected.record);
  const going: Call = {
    asked,
    stored: headers === undefined ? undefined : selected.record,
    headers: headers && { ...headers },
  };
  // Nobody waits for it, so nobody but the timeout ends it.
  const { flight, joined } = core.flights.board(
    `behind ${routeOf(core, going, undefined)}`,
    config,
    { isShared: !caller.hasBadTimeout, isPatient: true },
    (signal) => call(core, going, { signal, keepsTimeout: true, isListening: () => false }),
  );
  if (joined) {
    flight.leave();
    return;
  }
  const about = { key: selected.record.key, url: selected.record.request.url };
  flight.landing
    .then(({ received, record }) => {
      if (record === undefined && received.status >= 400) {
        core.fail(new Error(`the origin answered ${received.status}`), 'background refresh', about);
      }
    })
    .catch((error: unknown) => core.fail(toldOf(error, settings), 'background refresh', about))
    .finally(() => flight.leave());
}

/** White space, and what may stand round a URL in a message. */
const BETWEEN_WORDS = /([\s"'`<>()]+)/;

/** Of an error of axios what it says: the rest of it is the whole request, credentials too, and events end up in logs. */
function toldOf(thrown: unknown, { redactor }: Settings): Error {
  const error = readable(thrown);
  const words = String(messageOf(error)).split(BETWEEN_WORDS);
  const message = words.map((word) => (mayBeUrl(word) ? redactor.url(word) : word)).join('');
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? Object.assign(new Error(message), { code }) : new Error(message);
}

function mayBeUrl(word: string): boolean {
  return word.includes('://') || (word.includes('=') && /[?&]/.test(word));
}
