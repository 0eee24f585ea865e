/** When the cache keeps out of a request's way, and how. */
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { CacheRequestConfig } from './axios.js';
import type { Caller } from './caller.js';
import type { Core } from './core.js';
import { copyOf, type Received, recordRedirects } from './forward.js';
import { invalidate } from './invalidate.js';
import { isUnsafe } from './policy/invalidation.js';
import { callerConditionIsForOrigin } from './policy/revalidation.js';
import type { CacheRequest } from './request/request.js';
import { type Addressee, mark, type Verdict } from './respond.js';
import { headerList } from './response/received.js';
import type { Settings } from './settings.js';

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
  caller: Caller,
  request: CacheRequest | undefined,
  detail: string,
): Promise<AxiosResponse> {
  const { config } = caller;
  const settings = core.live.current;
  const fwd = detail === 'method' ? 'method' : 'bypass';
  core.stats.bypassed += 1;
  if (core.events.wants('bypass')) {
    core.events.emit('bypass', {
      reason: detail,
      ...(request && { url: settings.redactor.url(request.url) }),
    });
  }
  const sent = new Sent(request);
  const inner = sent.recordedOn(config, core.clock);
  const verdict = (status: number): Verdict => ({
    fromCache: false,
    isExpired: false,
    revalidated: false,
    record: undefined,
    redirects: sent.redirects,
    status: { hit: false, fwd, fwdStatus: status, stored: false, ...(fwd === 'bypass' && { detail }) },
  });
  const settled = async (response: AxiosResponse | undefined): Promise<void> => {
    try {
      if (response?.config === inner) response.config = config;
      if (response) mark(response, verdict(response.status), settings);
      const outdated = invalidateSent(core, settings, sent, response)?.catch((error: unknown) =>
        core.fail(error, 'invalidate'),
      );
      if (outdated === undefined) return;
      core.entries.track(outdated);
      // Only as long as the caller has patience: its answer is here.
      await caller.wait(outdated).catch(() => {});
    } catch (error) {
      core.fail(error, 'invalidate');
    }
  };
  try {
    const response = await settings.inner.adapter(config)(inner);
    await settled(response);
    return response;
  } catch (error) {
    const failed = error as { config?: unknown; response?: AxiosResponse } | null;
    if (failed?.config === inner) Reflect.set(failed, 'config', config);
    await settled(failed?.response);
    throw error;
  }
}

/** The requests that a call really sent: more than one where redirects were followed. */
class Sent {
  readonly chain: CacheRequest[];
  readonly hops: Received['hops'][number][] = [];

  constructor(first: CacheRequest | undefined) {
    this.chain = first === undefined ? [] : [first];
  }

  /** A copy of the config that notes them; the same one where nothing is known of the request. */
  recordedOn(config: InternalAxiosRequestConfig, clock: () => number): InternalAxiosRequestConfig {
    const [first] = this.chain;
    if (first === undefined) return config;
    const copy = copyOf(config);
    copy.beforeRedirect = recordRedirects(first, this.chain, this.hops, clock);
    return copy;
  }

  get redirects(): string[] {
    return this.chain.slice(0, -1).map(({ url }) => url);
  }
}

/** RFC 9111 4.4 holds for each request on the way: a 303 says that the POST before it was well. */
function invalidateSent(
  core: Core,
  settings: Settings,
  { chain, hops }: Sent,
  response: AxiosResponse | undefined,
): Promise<void> | undefined {
  const unsafe = chain.flatMap((request, at) => {
    const { method } = request;
    return isUnsafe(method) && !settings.methods.has(method) ? [{ request, at }] : [];
  });
  if (unsafe.length === 0) return undefined;
  const answerTo = (at: number) => {
    if (at < hops.length) return hops[at];
    return response && { status: response.status, headers: headerList(response.headers) };
  };
  const outdate = async (): Promise<void> => {
    for (const { request, at } of unsafe) {
      const answer = answerTo(at);
      if (answer) await invalidate(core, { request, settings }, answer.status, answer.headers);
    }
  };
  return outdate();
}
