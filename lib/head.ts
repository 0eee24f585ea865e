/** HEAD and GET of one URL, with `cacheControl`: what is stored of a GET answers a HEAD, and hears of its answer. */
import type { Core } from './core.js';
import type { Received } from './forward.js';
import { freshen } from './freshen.js';
import type { Asked } from './keep.js';
import { headEffect } from './policy/head.js';
import { decideReuse } from './policy/reuse.js';
import { isFresh } from './policy/stale.js';
import type { RequestView } from './policy/types.js';
import { andThen } from './promises.js';
import type { IndexRecord, ResponseRecord } from './record/record.js';
import type { CacheRequest } from './request/request.js';
import type { Selected, Selection } from './select.js';
import type { Settings } from './settings.js';
import type { MaybePromise } from './stores/store.js';

/** What is stored for the GET that a HEAD corresponds to. */
export interface StoredGet {
  request: CacheRequest;
  key: string;
  selected: Selected;
  index: IndexRecord | undefined;
}

type Look = (request: CacheRequest, key: string) => MaybePromise<Selection>;

/**
 * What is stored of a GET comes before what is stored of the HEAD itself: every HEAD that was forwarded updated or
 * outdated it, so if it is fresh it is the most recent (RFC 9111 4). A HEAD may cost one read more than a GET for it.
 */
export function storedGetOf(
  request: CacheRequest,
  settings: Settings,
  look: Look,
): MaybePromise<StoredGet | undefined> {
  const get: CacheRequest = { ...request, method: 'GET' };
  let key: MaybePromise<string>;
  try {
    key = settings.keyer.keyOf(get);
  } catch {
    return undefined; // an own function that can't make a key of it
  }
  // A body of Blobs; none that matters has a HEAD.
  if (key instanceof Promise) {
    key.catch(() => {});
    return undefined;
  }
  const known = key;
  return andThen(look(get, known), ({ selected, index }) =>
    selected === undefined ? undefined : { request: get, key: known, selected, index },
  );
}

const NO_BODY = new Uint8Array(0);

/** The stored GET as the answer to the HEAD, if it may be that: it is fresh, and nothing in the request is against it. */
export function answerToHead(
  core: Core,
  { selected }: StoredGet,
  view: RequestView,
  { policy }: Settings,
): Selected | undefined {
  const reuse = decideReuse(selected.record, view, policy, core.clock());
  if (reuse.action !== 'serve' || !reuse.fresh) return undefined;
  const record: ResponseRecord = { ...selected.record, bodyType: 'bytes', body: NO_BODY };
  return { ...selected, record, loaded: { record, source: undefined } };
}

/** RFC 9111 4.3.5: a HEAD that was answered 200 updates the stored GET, or makes it stale. */
export async function tellStoredGet(core: Core, asked: Asked, received: Received): Promise<void> {
  const { get, settings } = asked;
  if (get === undefined || received.status !== 200) return;
  const stored = get.selected.record;
  const target = received.chain.at(-1);
  if (target !== undefined && settings.redactor.url(target.url) !== stored.url) return;
  switch (headEffect(stored.headers, received.headers)) {
    case 'updates': {
      const { request, key, index } = get;
      await freshen(
        core,
        { ...asked, request, key, index, view: { ...asked.view, method: 'GET' } },
        stored,
        received,
      );
      return;
    }
    case 'outdates':
      if (settings.readOnly || !isFresh(stored, core.clock())) return;
      if (core.stored.hasHappenedSince(stored.key, received.sequence)) return;
      core.stored.note(stored.key, received.sequence);
      await core.entries.write({ ...stored, expiresAt: received.responseTime });
      return;
    default:
      return;
  }
}
