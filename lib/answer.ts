/** What one caller gets: from what is stored, or from what a call brought; with the event and the count of it. */
import type { AxiosResponse } from 'axios';
import type { Caller } from './caller.js';
import type { Core } from './core.js';
import type { Asked } from './keep.js';
import type { Landing } from './network.js';
import { answersCallersCondition, notModifiedHeaders } from './policy/revalidation.js';
import { type Failure, isFresh, mayServeStaleOnError } from './policy/stale.js';
import type { ResponseRecord } from './record/record.js';
import { type Addressee, respondFromNetwork, respondFromRecord, ttlOf } from './respond.js';
import { emitDownloadProgress, emitUploadProgress } from './response/build.js';
import type { CacheStatus, ForwardReason } from './response/status.js';
import type { Selected } from './select.js';
import type { MaybePromise } from './stores/store.js';

/** Everything about one request that later steps need. */
export interface Exchange extends Addressee {
  caller: Caller;
  asked: Asked;
  /** What another's call for the same key turned out to vary on, if one was joined in vain. */
  varied: Varied | undefined;
}

/** A call that was joined does not answer the request, for it differs in these headers (`*`: in what nobody can tell). */
export class Varied {
  readonly names: '*' | readonly string[];
  constructor(names: '*' | readonly string[]) {
    this.names = names;
  }
}

/**
 * Answers from what is stored; `staleReason`: why although it has expired, or although the origin was to be asked.
 * `isJoined`: another's call was waited for first.
 */
export function serve(
  core: Core,
  exchange: Exchange,
  selected: Selected,
  staleReason: string | undefined,
  isJoined = false,
): MaybePromise<AxiosResponse> {
  const { record, loaded } = selected;
  const isExpired = !isFresh(record, core.clock());
  const event = isExpired ? 'stale' : 'hit';
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
  if (isJoined) status.collapsed = true;
  const ttl = ttlOf(record, core.clock());
  if (ttl !== undefined) status.ttl = ttl;
  if (staleReason !== undefined) status.detail = staleReason;
  const unchanged = staleReason === undefined ? notModified(exchange, record) : undefined;
  return respondFromRecord(
    core,
    exchange,
    unchanged ?? loaded.source ?? { body: record.body, bodyType: record.bodyType },
    {
      fromCache: true,
      isExpired,
      revalidated: false,
      record: unchanged ?? record,
      redirects: selected.redirects,
      status,
    },
  );
}

const NO_BODY = new Uint8Array(0);

/** The 304 for a caller whose own condition the fresh response meets (RFC 9111 4.3.2; other methods: RFC 9110 13.1.2). */
function notModified({ asked, settings }: Exchange, record: ResponseRecord): ResponseRecord | undefined {
  const { method, headers } = asked.request;
  if (!settings.policy.cacheControl || (method !== 'GET' && method !== 'HEAD')) return undefined;
  if (!answersCallersCondition(headers, record)) return undefined;
  return {
    ...record,
    status: 304,
    statusText: 'Not Modified',
    headers: notModifiedHeaders(record.headers),
    bodyType: 'bytes',
    body: NO_BODY,
  };
}

/** The expired response instead of an error, where the caller allows it (RFC 5861 4). */
export function staleOnError(
  core: Core,
  exchange: Exchange,
  selected: Selected,
  failure: Failure,
  isJoined: boolean,
): MaybePromise<AxiosResponse> | undefined {
  const { asked, settings } = exchange;
  if (!mayServeStaleOnError(selected.record, asked.view, failure, settings.policy, core.clock()))
    return undefined;
  return serve(core, exchange, selected, 'stale-if-error', isJoined);
}

/** Gives one caller its own response out of what the call brought. */
export function hand(
  core: Core,
  exchange: Exchange,
  selected: Selected | undefined,
  landing: Landing,
  fwd: ForwardReason,
  isJoined: boolean,
): MaybePromise<AxiosResponse> {
  const { received, record } = landing;
  if (selected !== undefined && !landing.revalidated) {
    const failure = { kind: 'status', status: received.status } as const;
    const stale = staleOnError(core, exchange, selected, failure, isJoined);
    if (stale !== undefined) return stale;
  }
  // As one literal: what is added to a spread copy costs 2 us a field here.
  const isStored = record !== undefined && landing.reason === undefined;
  const status: CacheStatus = { hit: false, fwd, fwdStatus: received.status, stored: isStored };
  if (isJoined) status.collapsed = true;
  // Whole: what was to be fresh for a minute has a minute left as it comes.
  const ttl = record === undefined ? undefined : ttlOf(record, received.responseTime);
  if (ttl !== undefined) status.ttl = ttl;
  if (record !== undefined) status.key = record.key;
  if (landing.reason !== undefined) status.detail = landing.reason;
  const { revalidated } = landing;
  if (revalidated && record !== undefined && landing.source !== undefined) {
    const redirects = selected?.redirects ?? [];
    const verdict = { fromCache: true, isExpired: false, revalidated, status, record, redirects };
    return respondFromRecord(core, exchange, landing.source, verdict);
  }
  missed(core, exchange, fwd);
  const redirects = redirectsOf(received);
  // Who began the call has heard of its progress already.
  const bytes = landing.source?.body.byteLength;
  if (isJoined && bytes !== undefined) {
    emitUploadProgress(exchange.config, exchange.request.data);
    emitDownloadProgress(exchange.config, bytes, received.headers);
  }
  const verdict = { fromCache: false, isExpired: false, revalidated, status, record, redirects };
  return respondFromNetwork(exchange, landing, verdict);
}

const NO_REDIRECTS: readonly string[] = [];

/** The URLs that redirected on the way to what was received. */
export function redirectsOf({ chain }: Landing['received']): readonly string[] {
  return chain.length === 1 ? NO_REDIRECTS : chain.slice(0, -1).map(({ url }) => url);
}

/** `asked` may be undefined where there is no key; `reason`: why, in RFC 9211's words where the origin was asked. */
export function missed(
  core: Core,
  { asked, request, settings }: Addressee & { asked: Asked | undefined },
  reason: string,
): void {
  core.stats.misses += 1;
  if (!core.events.wants('miss')) return;
  core.events.emit('miss', {
    ...(asked && { key: asked.key }),
    url: settings.redactor.url(request.url),
    reason,
  });
}
