/** save(): a response put in by hand. */
import type { AxiosResponse } from 'axios';
import { isTransformedByAxiosAlone } from './axios.js';
import type { Core } from './core.js';
import { CacheOptionError, CacheStoreError } from './errors.js';
import { isStream, type Received } from './forward.js';
import { type Asked, type Body, keep } from './keep.js';
import { expirationOf } from './policy/freshness.js';
import { DO_NOT_CACHE, type ExpireAfter } from './policy/types.js';
import type { ResponseRecord } from './record/record.js';
import type { CacheRequest } from './request/request.js';
import { headerList, receivedBody } from './response/received.js';
import { expiryLevels, viewOf } from './wishes.js';

/** It is stored whatever the policy would say, and expires as any other. */
export async function saveResponse(
  core: Core,
  request: CacheRequest,
  response: AxiosResponse,
  expireAfter: ExpireAfter,
): Promise<ResponseRecord> {
  const settings = core.live.current;
  assertResponse(response);
  const body = await givenBody(response);
  const now = core.clock();
  const levels = expiryLevels(request, { expireAfter }, settings);
  const received: Received = {
    status: response.status,
    statusText: response.statusText,
    headers: headerList(response.headers),
    data: undefined,
    request: undefined,
    requestTime: now,
    responseTime: now,
    sequence: core.nextSequence(),
    chain: [request],
    hops: [],
  };
  const view = viewOf(request, { expireAfter }, settings.policy.shared);
  const expiration = expirationOf(received, levels, settings.policy);
  if (expiration.doNotCache) {
    throw new CacheOptionError('expireAfter', DO_NOT_CACHE, 'DO_NOT_CACHE and save contradict each other');
  }
  const key = await settings.keyer.keyOf(request);
  const asked: Asked = {
    request,
    key,
    view,
    levels,
    settings: { ...settings, filterFn: undefined },
    index: 'unread',
    lookedAt: 0,
  };
  const kept = await keep(core, asked, received, body, expiration.expiresAt);
  if (kept.record === undefined) throw new CacheStoreError(`the response could not be saved: ${kept.reason}`);
  return kept.record;
}

function assertResponse(response: unknown): void {
  const { status, headers } = (response ?? {}) as Partial<AxiosResponse>;
  if (status === 206) throw new CacheOptionError('response.status', 206, 'a part is never stored as a whole');
  if (Number.isInteger(status) && typeof headers === 'object' && headers !== null) return;
  throw new CacheOptionError(
    'response',
    response,
    'allowed: an AxiosResponse, with status, headers and data',
  );
}

/** The body of a response that went through axios' transforms: a parsed value goes back to its JSON text. */
async function givenBody(response: AxiosResponse): Promise<Body> {
  const { data } = response;
  if (wasParsed(response))
    return { bytes: Buffer.from(JSON.stringify(data)), bodyType: 'bytes', flavour: undefined };
  const isParsed =
    (typeof data === 'object' && data !== null) || typeof data === 'number' || typeof data === 'boolean';
  const body = await receivedBody(data);
  if (body !== undefined && !(isParsed && body.bodyType === 'json')) return body;
  const text = isParsed && !isStream(data) ? jsonOf(data) : undefined;
  if (typeof text !== 'string')
    throw new CacheOptionError('response.data', data, 'allowed: bytes, text or a JSON value');
  return { bytes: Buffer.from(text), bodyType: 'bytes', flavour: undefined };
}

/** Whether it is `null`, or text, that axios' own transform has made of JSON: it leaves no text as it is that is JSON. */
function wasParsed({ data, config }: AxiosResponse): boolean {
  if (data !== null && typeof data !== 'string') return false;
  if (!config || config.responseType || !isTransformedByAxiosAlone(config)) return false;
  try {
    JSON.parse(String(data));
    return true;
  } catch {
    return false;
  }
}

/** Undefined for what is no JSON value: a circle, a bigint within. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
