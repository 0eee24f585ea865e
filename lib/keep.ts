import type { Core } from './core.js';
import { filterVerdict } from './filter.js';
import type { Received } from './forward.js';
import { wasGroupInvalidatedSince } from './groups.js';
import type { StoredGet } from './head.js';
import { addToIndex, changeIndex, entryFor, variantsOf } from './indexing.js';
import { type ExpiryLevels, expirationOf, isDoNotCache } from './policy/freshness.js';
import { isStorable, storableHeaders } from './policy/storable.js';
import type { ReceivedView, RequestView } from './policy/types.js';
import { varyNames } from './policy/vary.js';
import type { IndexEntry, IndexRecord, ResponseRecord, StoredRequest, VaryPair } from './record/record.js';
import { decidesRedirects } from './request/redirect.js';
import type { CacheRequest } from './request/request.js';
import { transportKey } from './request/transport.js';
import { variantKey, varyPairs } from './request/vary.js';
import { keepSearchAlias } from './search-rules.js';
import type { Settings } from './settings.js';
import type { MaybePromise } from './stores/store.js';
import { hopLevels } from './wishes.js';

/** All that storing needs to know of the request that brought the response. */
export interface Asked {
  request: CacheRequest;
  key: string;
  view: RequestView;
  levels: ExpiryLevels;
  settings: Settings;
  /** What the key held before; `unread` when it was not looked at. */
  index: IndexRecord | undefined | 'unread';
  /** When it was looked at, in the order of `Core.nextSequence`. */
  lookedAt: number;
  /** Of a HEAD, with `cacheControl`: what is stored of the GET. */
  get?: StoredGet | undefined;
}

export interface Body {
  bytes: Uint8Array;
  bodyType: 'bytes' | 'json';
  flavour: 'http' | 'fetch' | undefined;
}

export type Plan = { store: true; expiresAt: number | undefined } | { store: false; reason: string };

/** Whether a response may be stored and until when it is fresh, from its head alone. */
export function planStorage(asked: Asked, received: Received): Plan {
  return planFor(asked, received, levelsOf(asked, received));
}

/** Of the URL that answered. */
export function levelsOf({ levels, settings }: Asked, { chain }: Received): ExpiryLevels {
  const target = chain.length > 1 ? chain.at(-1) : undefined;
  return target === undefined ? levels : hopLevels(levels, target, settings);
}

function planFor({ settings, view }: Asked, received: ReceivedView, levels: ExpiryLevels): Plan {
  if (settings.readOnly) return { store: false, reason: 'readOnly' };
  const expiration = expirationOf(received, levels, settings.policy);
  if (expiration.doNotCache) return { store: false, reason: 'DO_NOT_CACHE' };
  const verdict = isStorable(view, received, expiration.expiresAt, settings.policy);
  if (!verdict.storable) return { store: false, reason: verdict.reason };
  return { store: true, expiresAt: expiration.expiresAt };
}

export type Kept = { record: ResponseRecord } | { record: undefined; reason: string };

/** Stores a whole response. At most one write, save for variants and redirects, whose indices are written beside. */
export async function keep(
  core: Core,
  asked: Asked,
  received: Received,
  body: Body,
  expiresAt: number | undefined,
): Promise<Kept> {
  const { settings } = asked;
  if (body.bytes.byteLength > settings.maxEntryBytes)
    return { record: undefined, reason: 'over maxEntryBytes' };
  const names = varyNames(received.headers);
  if (names === '*') return { record: undefined, reason: 'Vary: *' };

  const isRedirected = received.chain.length > 1;
  const primaryKey = isRedirected ? await keyOfTarget(asked, received) : asked.key;
  const { key, vary } = placeIn(primaryKey, names, asked, received);
  const record = makeRecord(asked, received, body, { key, vary, expiresAt });

  // An unsafe request changed the URL while this one was under way: what it brought may be what was before.
  if (wasOutdatedSince(core, record, received.sequence)) {
    return { record: undefined, reason: 'invalidated meanwhile' };
  }
  // RFC 9111 4: the most recent response counts, and that is not the one that comes last.
  if ([record.key, primaryKey].some((key) => core.stored.hasHappenedSince(key, received.sequence))) {
    return { record: undefined, reason: 'superseded meanwhile' };
  }
  if (filterVerdict(core, settings, record) !== 'passes') return { record: undefined, reason: 'filterFn' };

  core.stored.note(record.key, received.sequence);
  let isWritten = core.entries.write(record);
  if (isWritten instanceof Promise) isWritten = await isWritten;
  if (!isWritten) return { record: undefined, reason: 'store failed' };

  const known = isRedirected ? 'unread' : asked.index;
  if (vary.length > 0) {
    await changeIndex(core, primaryKey, known, asked.lookedAt, (index) =>
      addToIndex(core, primaryKey, record.request.url, index, entryFor(record)),
    );
  } else if (known !== undefined && known !== 'unread') {
    // The URL no longer varies: its newest response answers all (RFC 9111 4.1), the variants would never be chosen.
    core.entries.remove(variantsOf(known));
  }
  if (isRedirected) await keepRedirects(core, asked, received, record, names);
  else if (settings.policy.cacheControl) await keepSearchAlias(core, asked, record, names);

  core.stats.stored += 1;
  core.stats.bytesStored += body.bytes.byteLength;
  if (core.events.wants('stored')) {
    core.events.emit('stored', { key: record.key, url: record.request.url, bytes: body.bytes.byteLength });
  }
  return { record };
}

/** The key under which `keep` would store the response. */
export async function storageKeyOf(asked: Asked, received: Received): Promise<string> {
  const primaryKey = await keyOfTarget(asked, received);
  const names = varyNames(received.headers);
  return names === '*' ? primaryKey : placeIn(primaryKey, names, asked, received).key;
}

function keyOfTarget({ key, settings }: Asked, { chain }: Received): MaybePromise<string> {
  const target = chain.length > 1 ? chain.at(-1) : undefined;
  return target === undefined ? key : settings.keyer.keyOf(target);
}

function placeIn(
  primaryKey: string,
  names: readonly string[],
  { request }: Asked,
  { chain }: Received,
): Pick<Place, 'key' | 'vary'> {
  const vary = varyPairs(names, chain.at(-1) ?? request, primaryKey);
  return { key: vary.length === 0 ? primaryKey : variantKey(primaryKey, vary), vary };
}

/** Whether an unsafe request has changed the response's URL, or one of its groups. */
export function wasOutdatedSince(
  core: Core,
  { request, headers }: ResponseRecord,
  sequence: number,
): boolean {
  return (
    core.wasInvalidatedSince(request.url, sequence) ||
    wasGroupInvalidatedSince(core, request.url, headers, sequence)
  );
}

interface Place {
  key: string;
  vary: VaryPair[];
  expiresAt: number | undefined;
}

function makeRecord(asked: Asked, received: Received, body: Body, place: Place): ResponseRecord {
  const { redactor, policy } = asked.settings;
  const request = storedRequest(received.chain.at(-1) ?? asked.request, asked.settings);
  const record: ResponseRecord = {
    kind: 'response',
    key: place.key,
    request,
    status: received.status,
    statusText: received.statusText ?? '',
    headers: storableHeaders(received.headers, policy),
    url: request.url,
    redirects: received.chain.slice(0, -1).map(({ url }) => redactor.url(url)),
    createdAt: received.responseTime,
    requestTime: received.requestTime,
    responseTime: received.responseTime,
    vary: place.vary,
    flavour: body.flavour ?? 'http',
    bodyType: body.bodyType,
    body: body.bytes,
  };
  if (place.expiresAt !== undefined) record.expiresAt = place.expiresAt;
  return record;
}

/** What is kept of a request, and whether that is all that its key was made of. */
function storedRequest(request: CacheRequest, { redactor }: Settings): StoredRequest {
  const stored = redactor.request(request);
  const { data, config } = request;
  const hasBody = data !== undefined && data !== null && data !== '';
  if ((hasBody && stored.data === undefined) || transportKey(config) !== '') stored.opaque = true;
  return stored;
}

/** The first URL and each hop lead to the record afterwards, keyed with what was really sent to them. */
async function keepRedirects(
  core: Core,
  asked: Asked,
  received: Received,
  record: ResponseRecord,
  targetNames: readonly string[],
): Promise<void> {
  const { settings } = asked;
  const { redactor } = settings;
  // Credentials, say, that nobody else's request for the first URL would have had sent.
  if (decidesRedirects(asked.request)) return;
  // From the last hop to the first: an alias depends on every hop after it.
  let names = [...targetNames];
  let expiresAt = settings.policy.cacheControl ? Number.POSITIVE_INFINITY : record.expiresAt;
  const redirects: string[] = [];
  // Each under a key of its own: together they take a remote store no longer than one.
  const changes: Promise<void>[] = [];
  for (let at = received.hops.length - 1; at >= 0; at--) {
    const hop = received.hops[at];
    const request = received.chain[at];
    if (hop === undefined || request === undefined) break;
    const hopNames = varyNames(hop.headers);
    const url = redactor.url(request.url);
    if (hopNames === '*' || core.wasInvalidatedSince(url, received.sequence)) break;
    names = [...new Set([...names, ...hopNames])];
    redirects.unshift(url);
    const levels = hopLevels(asked.levels, request, settings);
    if (isDoNotCache(levels)) break;
    if (settings.policy.cacheControl) {
      const head = {
        status: hop.status,
        headers: hop.headers,
        requestTime: received.requestTime,
        responseTime: hop.time,
      };
      const plan = planFor(asked, head, levels);
      if (!plan.store || plan.expiresAt === undefined) break;
      expiresAt = Math.min(expiresAt ?? Number.POSITIVE_INFINITY, plan.expiresAt);
      if (expiresAt <= core.clock()) break;
    }
    const key = at === 0 ? asked.key : await settings.keyer.keyOf(request);
    if (key === record.key) continue; // a URL that redirects to itself
    const entry: IndexEntry = {
      key: record.key,
      vary: varyPairs(names, request, key),
      redirects: [...redirects],
      request: storedRequest(request, settings),
      storedAt: received.responseTime,
    };
    if (expiresAt !== undefined && Number.isFinite(expiresAt)) entry.expiresAt = expiresAt;
    const change = (index: IndexRecord | undefined) => addToIndex(core, key, url, index, entry);
    changes.push(changeIndex(core, key, at === 0 ? asked.index : 'unread', asked.lookedAt, change));
  }
  await Promise.all(changes);
}
