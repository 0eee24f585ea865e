/** When the cache keeps out of a request's way, and how. */
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { CacheRequestConfig } from './axios.js';
import type { Core } from './core.js';
import { invalidate } from './invalidate.js';
import { isUnsafe } from './policy/invalidation.js';
import { callerConditionIsForOrigin } from './policy/revalidation.js';
import type { CacheRequest } from './request/request.js';
import { type Addressee, mark, type Verdict } from './respond.js';
import { headerList } from './response/received.js';

/** Why the cache keeps out of a request's way, before it is even read. */
export function bypassReason(
  core: Core,
  { request, settings }: Addressee,
  wishes: CacheRequestConfig,
): string | undefined {
  if (wishes.cache === false) return 'cache: false';
  if (core.disabled.getStore() === true) return 'cacheDisabled';
  if (core.entries.closed) return 'closed';
  if (!settings.methods.has(request.method)) return 'method';
  if (request.headers.range !== undefined) return 'range';
  if (settings.policy.cacheControl && callerConditionIsForOrigin(request.headers)) return 'condition';
  return settings.keyer.reasonAgainst(request);
}

/** The inner adapter's own answer to the caller's own config, with the cache's fields on it. */
export async function passThrough(
  core: Core,
  config: InternalAxiosRequestConfig,
  request: CacheRequest | undefined,
  detail: string,
): Promise<AxiosResponse> {
  const settings = core.live.current;
  const fwd = detail === 'method' ? 'method' : 'bypass';
  core.stats.bypassed += 1;
  if (core.events.wants('bypass')) {
    core.events.emit('bypass', {
      reason: detail,
      ...(request && { url: settings.redactor.url(request.url) }),
    });
  }
  const verdict = (status: number): Verdict => ({
    fromCache: false,
    isExpired: false,
    revalidated: false,
    record: undefined,
    redirects: [],
    status: { hit: false, fwd, fwdStatus: status, stored: false, ...(fwd === 'bypass' && { detail }) },
  });
  const settled = async (response: AxiosResponse): Promise<void> => {
    try {
      mark(response, verdict(response.status), settings);
      if (request === undefined || !isUnsafe(request.method) || settings.methods.has(request.method)) return;
      await invalidate(core, { request, settings }, response.status, headerList(response.headers));
    } catch (error) {
      core.fail(error, 'invalidate');
    }
  };
  try {
    const response = await settings.inner.adapter(config)(config);
    await settled(response);
    return response;
  } catch (error) {
    const response = (error as { response?: AxiosResponse } | null)?.response;
    if (response) await settled(response);
    throw error;
  }
}
