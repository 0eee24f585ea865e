/** A network call and what is kept of it: done once, however many callers wait. */

import type { Core } from './core.js';
import { type ForwardOptions, forward, isStream, type Received } from './forward.js';
import { type Freshened, freshen } from './freshen.js';
import { type Asked, keep, type Plan, planStorage } from './keep.js';
import { invalidatedUrls } from './policy/invalidation.js';
import { varyNames } from './policy/vary.js';
import { keptAlive } from './promises.js';
import { headerValue, type ResponseRecord } from './record/record.js';
import type { CacheRequest } from './request/request.js';
import { matchesVary, varyPairs } from './request/vary.js';
import type { BodySource, Flavour } from './response/body.js';
import { receivedBody } from './response/received.js';
import { captureStream } from './response/stream.js';

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
}

/** Asks the network, stores what may be stored. Rejects with the inner adapter's own error. */
export async function call(
  core: Core,
  { asked, stored, headers }: Call,
  manner: Pick<ForwardOptions, 'isListening' | 'keepsTimeout'> & { signal: AbortSignal },
): Promise<Landing> {
  const { request, settings } = asked;
  const received = await forward(request, {
    inner: settings.inner,
    headers,
    stream: false,
    clock: core.clock,
    sequence: core.nextSequence(),
    ...manner,
  });
  if (stored !== undefined && headers !== undefined && received.status === 304) {
    if (confirms(received, stored, asked)) return confirmed(core, asked, stored, received);
    // A 304 about something else than what is stored can't be used (RFC 9111 4.3.4): ask again, unconditionally.
    return call(core, { asked, stored: undefined, headers: undefined }, manner);
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
    const body = await receivedBody(received.data);
    if (body === undefined) return { ...landing, reason: 'unreadable body' };
    landing.source = { body: body.bytes, bodyType: body.bodyType };
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
  return isTrouble ? { store: false, reason: 'server error on revalidation' } : planStorage(asked, received);
}

/** Whether a 304 is about the stored response: the same place, and no other entity tag. */
function confirms(received: Received, stored: ResponseRecord, asked: Asked): boolean {
  const target = received.chain.at(-1);
  if (target !== undefined && asked.settings.redactor.url(target.url) !== stored.url) return false;
  const etag = headerValue(received.headers, 'etag');
  const known = headerValue(stored.headers, 'etag');
  return etag === undefined || known === undefined || weak(etag) === weak(known);
}

const weak = (etag: string): string => etag.replace(/^W\//, '');

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
  const { record } = freshened;
  core.stats.revalidated += 1;
  if (core.events.wants('revalidated'))
    core.events.emit('revalidated', { key: record.key, url: record.request.url });
  const source = { body: record.body, bodyType: record.bodyType };
  return { ...freshened, received, source, revalidated: true, request: asked.request };
}

/** Whether a response fetched for one request may answer another of the same key (RFC 9111 4.1). */
export function mayShare(landing: Landing, request: CacheRequest, key: string): boolean {
  const names = varyNames(landing.received.headers);
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
  willStore: boolean;
  reason: string | undefined;
  expiresAt: number | undefined;
}

/** Like `call` for `responseType: 'stream'`: the body goes through at once and is stored when it is complete. */
export async function callStreamed(core: Core, { asked, stored, headers }: Call): Promise<StreamLanding> {
  const { settings, request } = asked;
  const received = await forward(request, {
    inner: settings.inner,
    headers,
    signal: undefined,
    stream: true,
    clock: core.clock,
    sequence: core.nextSequence(),
  });
  const through: StreamLanding = {
    received,
    stream: received.data,
    confirmed: undefined,
    willStore: false,
    reason: undefined,
    expiresAt: undefined,
  };
  if (stored !== undefined && headers !== undefined && received.status === 304) {
    discard(received.data);
    if (!confirms(received, stored, asked))
      return callStreamed(core, { asked, stored: undefined, headers: undefined });
    return { ...through, confirmed: await confirmed(core, asked, stored, received) };
  }
  let plan: Plan;
  try {
    plan = planFor(asked, stored, received);
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
  const kept = { ...through, willStore: true, expiresAt: plan.expiresAt };
  // fetch has no stream where there can be no body: HEAD, 204.
  if (data === null) {
    store(Buffer.alloc(0), 'fetch');
    return kept;
  }
  if (!isStream(data)) return { ...through, reason: 'unreadable body' };
  const stream = captureStream(data, { maxBytes: settings.maxEntryBytes }, (result) => {
    if (result.complete) store(result.bytes, 'getReader' in data ? 'fetch' : 'http');
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

/**
 * RFC 9111 4.4: after an unsafe request that did not fail, what is stored of its URL, and of `Location` and
 * `Content-Location` on the same origin, no longer holds.
 */
export async function invalidate(
  core: Core,
  asked: Pick<Asked, 'request' | 'settings'>,
  status: number,
  headers: Received['headers'],
): Promise<void> {
  const { request, settings } = asked;
  if (settings.readOnly) return;
  for (const url of invalidatedUrls(request.method, request.url, status, headers)) {
    const redacted = settings.redactor.url(url);
    core.noteInvalidation(redacted);
    const keys = new Set<string>();
    for (const method of ['GET', 'HEAD']) {
      for (const credentials of [request.headers, withoutCredentials(request.headers)]) {
        const config =
          credentials === request.headers ? request.config : { ...request.config, auth: undefined };
        const read = { method, url, headers: bodyless(credentials), data: undefined, config } as CacheRequest;
        try {
          keys.add(await settings.keyer.keyOf(read));
        } catch {
          // An own key function that can't make a key of it has stored nothing under one either.
        }
      }
    }
    for (const key of core.plainKeysOf(redacted)) keys.add(key);
    for (const key of await core.entries.keysByUrl(redacted)) keys.add(key);
    await removeWithVariants(core, [...keys], redacted);
  }
}

async function removeWithVariants(core: Core, keys: string[], url: string): Promise<void> {
  const met = new Set<string>();
  // All at once: over a store that hangs the caller waits for one timeout, not for one a key.
  const found = await Promise.all(
    keys.map(async (key) => ({ key, loaded: await keptAlive(core.entries.read(key)) })),
  );
  for (const { key, loaded } of found) {
    if (loaded === undefined) continue;
    met.add(key);
    if (loaded.record.kind !== 'index') continue;
    for (const entry of loaded.record.entries) met.add(entry.key);
  }
  // Also what can't be read just now, for it may be readable again later.
  core.entries.remove([...new Set([...keys, ...met])]);
  for (const key of met) core.events.emit('invalidated', { key, url, reason: 'unsafe method' });
}

function withoutCredentials(headers: CacheRequest['headers']): CacheRequest['headers'] {
  const { authorization: _, cookie: __, ...rest } = headers;
  return rest;
}

function bodyless(headers: CacheRequest['headers']): CacheRequest['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('content-')));
}
