/** A network call and what is kept of it: done once, however many callers wait. */

import type { Core } from './core.js';
import { type ForwardOptions, forward, isStream, type Received } from './forward.js';
import { type Freshened, freshen } from './freshen.js';
import { tellStoredGet } from './head.js';
import { type Asked, keep, type Plan, planStorage, storageKeyOf } from './keep.js';
import { isSameEtag } from './policy/revalidation.js';
import { standsForBoth } from './policy/search.js';
import { varyNames } from './policy/vary.js';
import { headerValue, type IndexEntry, type ResponseRecord, type StoredMark } from './record/record.js';
import type { CacheRequest } from './request/request.js';
import { matchesVary, varyPairs } from './request/vary.js';
import type { BodySource, Flavour } from './response/body.js';
import { receivedBody } from './response/received.js';
import { captureStream } from './response/stream.js';
import { type Framing, mayBeCutShort, wasCutShort } from './response/whole.js';
import { adopt } from './variants.js';

/** What a call brought down. */
export interface Landing {
  received: Received;
  /** The body for each caller; undefined when the inner adapter handed over what can't be kept, as is in `received`. */
  source: BodySource | undefined;
  /** The response as it is stored; or the older one that a 304 confirmed, stored again unless there is a reason. */
  record: ResponseRecord | undefined;
  revalidated: boolean;
  /** Why it was not stored. */
  reason: string | undefined;
  /** The request that made the call, to compare varied headers with. */
  request: CacheRequest;
}

export interface Call {
  asked: Asked;
  /** The stored response under revalidation. */
  stored: ResponseRecord | undefined;
  /** Validators, or `Cache-Control: no-cache`. */
  headers: Readonly<Record<string, string | undefined>> | undefined;
  /** The variants whose validators these are, where none is stored for the request itself. */
  offered?: readonly IndexEntry[];
}

/** A 304 is an answer to our own condition, which the caller knows nothing of. */
function isOurs({ stored, offered, headers }: Call, { status }: Received): boolean {
  return status === 304 && headers !== undefined && (stored !== undefined || offered !== undefined);
}

/** The stored response that a 304 is about; undefined: none, so that it can't be used (RFC 9111 4.3.4). */
async function confirmedBy(core: Core, going: Call, received: Received): Promise<Landing | undefined> {
  const { asked, stored, offered } = going;
  if (stored !== undefined)
    return confirms(received, stored, asked) ? confirmed(core, asked, stored, received) : undefined;
  try {
    const adopted = await adopt(core, asked, offered ?? [], received);
    return adopted && revalidated(core, asked, adopted, received);
  } catch (error) {
    core.fail(error, 'internal', { key: asked.key });
    return undefined;
  }
}

/** Asks the network, stores what may be stored. Rejects with the inner adapter's own error. */
export async function call(
  core: Core,
  going: Call,
  manner: Pick<ForwardOptions, 'isListening' | 'keepsTimeout'> & { signal: AbortSignal | undefined },
): Promise<Landing> {
  const { asked, stored, headers } = going;
  const { request, settings } = asked;
  const received = await forward(request, {
    inner: settings.inner,
    headers,
    stream: false,
    clock: core.clock,
    sequence: core.nextSequence(),
    ...manner,
  });
  if (isOurs(going, received)) {
    const confirmed = await confirmedBy(core, going, received);
    return confirmed ?? call(core, { asked, stored: undefined, headers: undefined }, manner);
  }
  const landing: Landing = {
    received,
    source: undefined,
    record: undefined,
    revalidated: false,
    reason: undefined,
    request,
  };
  try {
    const coming = receivedBody(received.data, flavourOf(asked) !== undefined);
    const body = coming instanceof Promise ? await coming : coming;
    if (body === undefined) return { ...landing, reason: 'unreadable body' };
    landing.source = { body: body.bytes, bodyType: body.bodyType };
    if (asked.get !== undefined) await tellStoredGet(core, asked, received);
    const plan = planFor(asked, stored, received);
    if (!plan.store) return { ...landing, reason: plan.reason };
    const kept = await keep(core, asked, received, body, plan.expiresAt);
    return kept.record === undefined
      ? { ...landing, reason: kept.reason }
      : { ...landing, record: kept.record };
  } catch (error) {
    // The response is here; that it could not be kept is nothing to its callers.
    core.fail(error, 'internal', { key: asked.key });
    return { ...landing, reason: 'cache failure' };
  }
}

/** A server in trouble says nothing about what is stored: it stays (RFC 9111 4.3.3), unless the user keeps such answers. */
function planFor(asked: Asked, stored: ResponseRecord | undefined, received: Received): Plan {
  const { status } = received;
  const isTrouble =
    stored !== undefined && status >= 500 && !asked.settings.policy.allowableCodes?.has(status);
  if (isTrouble) return { store: false, reason: 'server error on revalidation' };
  const plan = planStorage(asked, received);
  // RFC 9111 3.3: what is incomplete is no response to keep.
  return plan.store && mayBeCutShort(framingOf(asked, received), flavourOf(asked))
    ? { store: false, reason: 'not known to be whole' }
    : plan;
}

function framingOf({ request: { method } }: Asked, { status, headers, request }: Received): Framing {
  return { method, status, headers, request };
}

/** Whose manners the call has. */
function flavourOf({ request, settings }: Asked): Flavour | undefined {
  return settings.inner.flavour(request.config);
}

function isSamePlace(url: string, { url: known, headers }: ResponseRecord, { settings }: Asked): boolean {
  return url === known || (settings.policy.cacheControl && standsForBoth(headers, known, url));
}

/** Whether a 304 is about the stored response: the same place, and no other validator (RFC 9111 4.3.4). */
function confirms(received: Received, stored: ResponseRecord, asked: Asked): boolean {
  const target = received.chain.at(-1);
  if (target !== undefined && !isSamePlace(asked.settings.redactor.url(target.url), stored, asked))
    return false;
  const [etag, known] = bothOf('etag', received, stored);
  if (etag !== undefined) return known === undefined || isSameEtag(etag, known);
  const [modified, modifiedThen] = bothOf('last-modified', received, stored);
  return modified === undefined || modifiedThen === undefined || modified === modifiedThen;
}

function bothOf(name: string, received: Received, stored: ResponseRecord): (string | undefined)[] {
  return [headerValue(received.headers, name), headerValue(stored.headers, name)];
}

async function confirmed(
  core: Core,
  asked: Asked,
  stored: ResponseRecord,
  received: Received,
): Promise<Landing> {
  let freshened: Freshened = { record: stored, reason: 'cache failure' };
  try {
    freshened = await freshen(core, asked, stored, received);
  } catch (error) {
    core.fail(error, 'internal', { key: stored.key });
  }
  return revalidated(core, asked, freshened, received);
}

function revalidated(core: Core, asked: Asked, freshened: Freshened, received: Received): Landing {
  const { record } = freshened;
  core.stats.revalidated += 1;
  if (core.events.wants('revalidated'))
    core.events.emit('revalidated', { key: record.key, url: record.request.url });
  const source = { body: record.body, bodyType: record.bodyType };
  return { ...freshened, received, source, revalidated: true, request: asked.request };
}

/** What the response varies on; a 304 need not say again what that which it confirmed does. */
export function variesOn({ revalidated, record, received }: Landing): '*' | readonly string[] {
  return varyNames((revalidated && record !== undefined ? record : received).headers);
}

/** Whether a response fetched for one request may answer another of the same key (RFC 9111 4.1). */
export function mayShare(landing: Landing, request: CacheRequest, key: string): boolean {
  const names = variesOn(landing);
  if (names === '*') return false;
  return names.length === 0 || matchesVary(varyPairs(names, landing.request, key), request, key);
}

/** What a streamed call brought: its head now, its body as it comes. */
export interface StreamLanding {
  received: Received;
  /** For the caller; stored beside when it is complete. */
  stream: unknown;
  /** Set after a 304: the stored response holds. */
  confirmed: Landing | undefined;
  /** What will be stored of it when it is complete; undefined: nothing. */
  coming: StoredMark | undefined;
  reason: string | undefined;
}

/** Like `call` for `responseType: 'stream'`: the body goes through at once and is stored when it is complete. */
export async function callStreamed(core: Core, going: Call): Promise<StreamLanding> {
  const { asked, stored, headers } = going;
  const { settings, request } = asked;
  const received = await forward(request, {
    inner: settings.inner,
    headers,
    signal: 'own',
    stream: true,
    clock: core.clock,
    sequence: core.nextSequence(),
  });
  const through: StreamLanding = {
    received,
    stream: received.data,
    confirmed: undefined,
    coming: undefined,
    reason: undefined,
  };
  if (isOurs(going, received)) {
    discard(received.data);
    const confirmed = await confirmedBy(core, going, received);
    return confirmed === undefined
      ? callStreamed(core, { asked, stored: undefined, headers: undefined })
      : { ...through, confirmed };
  }
  let plan: Plan;
  let key: string;
  try {
    await tellStoredGet(core, asked, received);
    plan = planFor(asked, stored, received);
    key = await storageKeyOf(asked, received);
  } catch (error) {
    core.fail(error, 'internal', { key: asked.key });
    return { ...through, reason: 'cache failure' };
  }
  if (!plan.store) return { ...through, reason: plan.reason };
  const length = Number(headerValue(received.headers, 'content-length'));
  if (length > settings.maxEntryBytes && request.method !== 'HEAD')
    return { ...through, reason: 'over maxEntryBytes' };
  const store = (bytes: Uint8Array, flavour: Flavour): void => {
    const body = { bytes, bodyType: 'bytes', flavour } as const;
    const kept = keep(core, asked, received, body, plan.expiresAt);
    core.entries.track(kept.catch((error: unknown) => core.fail(error, 'write')));
  };
  const { data } = received;
  const coming: StoredMark = { key, createdAt: received.responseTime };
  if (plan.expiresAt !== undefined) coming.expiresAt = plan.expiresAt;
  const kept = { ...through, coming };
  // fetch has no stream where there can be no body: HEAD, 204.
  if (data === null) {
    store(Buffer.alloc(0), 'fetch');
    return kept;
  }
  if (!isStream(data)) return { ...through, reason: 'unreadable body' };
  const stream = captureStream(data, { maxBytes: settings.maxEntryBytes, expected: length }, (result) => {
    if (!result.complete || wasCutShort(framingOf(asked, received), flavourOf(asked))) return;
    store(result.bytes, 'getReader' in data ? 'fetch' : 'http');
  });
  return { ...kept, stream };
}

/** Lets go of a body that nobody will read. */
export function discard(data: unknown): void {
  if (!isStream(data)) return;
  if ('getReader' in data) {
    data.cancel().catch(() => {});
  } else {
    data.on('error', () => {});
    data.destroy();
  }
}
