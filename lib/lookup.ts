/** From what a maintenance call names, a key or a request config, to what is stored for it. */
import type { AxiosRequestConfig } from 'axios';
import { dispatchable, finalUrl } from './axios.js';
import type { Core } from './core.js';
import { CacheOptionError } from './errors.js';
import type { Maintenance } from './maintenance.js';
import type { IndexEntry, ResponseRecord } from './record/record.js';
import type { CacheRequest } from './request/request.js';
import { snapshotRequest } from './request/snapshot.js';
import { matchingEntry } from './select.js';

/** A key, a URL, or an axios request config. */
export type Lookup = string | AxiosRequestConfig;

/** The request that `axios.request(config)` would hand to the adapter. */
export function requestFor(config: AxiosRequestConfig): CacheRequest {
  if (typeof config !== 'object' || config === null) {
    throw new CacheOptionError('lookup', config, 'allowed: a key, { url } or an axios request config');
  }
  const ready = dispatchable(config);
  return snapshotRequest(ready, finalUrl(ready));
}

/** For calls that can't do without a key. */
export function assertKeyable(core: Core, request: CacheRequest): void {
  const { keyer, redactor } = core.live.current;
  const reason = keyer.reasonAgainst(request);
  if (reason === undefined) return;
  throw new CacheOptionError(
    'config',
    redactor.url(request.url),
    `a request like this has no key (${reason})`,
  );
}

/** Sync, since the user's own code may be; throws where a key can't be had that way. */
export function keyNow(core: Core, config: AxiosRequestConfig): string {
  const request = requestFor(config);
  assertKeyable(core, request);
  const key = core.live.current.keyer.keyOf(request);
  if (typeof key === 'string') return key;
  key.catch(() => {});
  throw new CacheOptionError(
    'config.data',
    'a body with a Blob', // not the body, which may be secret: errors end up in logs
    'a body that holds a Blob can only be read asynchronously',
  );
}

/** Undefined: such a request passes the cache by, so nothing is stored for it. */
export async function keyFor(core: Core, request: CacheRequest): Promise<string | undefined> {
  const { keyer } = core.live.current;
  return keyer.reasonAgainst(request) === undefined ? keyer.keyOf(request) : undefined;
}

/** The readable response under a key, or the one that a request would get; expired or not. */
export async function find(
  core: Core,
  maintenance: Maintenance,
  lookup: Lookup,
): Promise<ResponseRecord | undefined> {
  const request = typeof lookup === 'string' ? undefined : requestFor(lookup);
  const key = request === undefined ? (lookup as string) : await keyFor(core, request);
  if (key === undefined) return undefined;
  const record = (await maintenance.run(() => maintenance.read(key)))?.record;
  if (record === undefined) return undefined;
  if (record.kind === 'response') return request === undefined ? record : { ...record, redirects: [] };
  const entry = request === undefined ? newest(record.entries) : matchingEntry(record, request, undefined);
  const target = entry && (await maintenance.read(entry.key))?.record;
  if (target?.kind !== 'response') return undefined;
  return request === undefined ? target : { ...target, redirects: entry?.redirects ?? [] };
}

function newest(entries: readonly IndexEntry[]): IndexEntry | undefined {
  return entries.reduce<IndexEntry | undefined>(
    (best, entry) => (best === undefined || entry.storedAt > best.storedAt ? entry : best),
    undefined,
  );
}
