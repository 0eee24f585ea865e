/** One call of the inner adapter, on a config of its own, and what came of it. */
import type { Readable } from 'node:stream';
import type { AxiosAdapter, AxiosProgressEvent, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { AxiosHeaders, type Inner } from './axios.js';
import type { HeaderList } from './record/record.js';
import { hopRequest } from './request/redirect.js';
import type { CacheRequest } from './request/request.js';
import { headerList } from './response/received.js';

/** What the origin answered, before anything is made of it. */
export interface Received {
  status: number;
  statusText: string;
  headers: HeaderList;
  /** The same as one of axios' own adapters made them, for one caller: whoever takes them leaves none. */
  ownHeaders?: InstanceType<typeof AxiosHeaders> | undefined;
  /** As the inner adapter gave it for `arraybuffer` or `stream`. */
  data: unknown;
  /** The inner adapter's request object, handed on to those who asked for this call. */
  request: unknown;
  requestTime: number;
  responseTime: number;
  /** When it was sent, in the order of `Core.nextSequence`. */
  sequence: number;
  /** The requests that were really sent, first to last; more than one when redirects were followed. */
  chain: readonly CacheRequest[];
  /** The redirect responses between them: one fewer than `chain`. */
  hops: readonly { status: number; headers: HeaderList; time: number }[];
}

export interface ForwardOptions {
  inner: Inner;
  /** Conditional headers of a revalidation, or `Cache-Control: no-cache` of a forced one. */
  headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** `own`: the caller's own signal, cancelToken and timeout stay in force; else they don't. */
  signal: AbortSignal | undefined | 'own';
  /** Whether of these the timeout stays in force all the same. */
  keepsTimeout?: boolean;
  stream: boolean;
  clock: () => number;
  sequence: number;
  /** Whether progress is still to be told to the caller who started the call. */
  isListening?: () => boolean;
}

/** Whether a body is still on its way, in either of the kinds that axios' adapters hand over. */
export function isStream(data: unknown): data is Readable | ReadableStream {
  if (typeof data !== 'object' || data === null) return false;
  return (
    ('pipe' in data && typeof data.pipe === 'function') ||
    ('getReader' in data && typeof data.getReader === 'function')
  );
}

/**
 * Asks the network. The caller's config is never changed: the http adapter writes into the headers it is given
 * (http.js: User-Agent, Accept-Encoding; it deletes authorization), so it gets a copy.
 */
export async function forward(request: CacheRequest, options: ForwardOptions): Promise<Received> {
  const { config } = request;
  const headers =
    config.headers instanceof AxiosHeaders
      ? Object.assign(new AxiosHeaders(), config.headers)
      : new AxiosHeaders(config.headers);
  if (options.headers !== undefined) {
    for (const [name, value] of Object.entries(options.headers))
      if (value !== undefined) headers.set(name, value);
  }

  const chain: CacheRequest[] = [request];
  const hops: Received['hops'][number][] = [];
  const inner = copyOf(config);
  inner.headers = headers;
  inner.responseType = options.stream ? 'stream' : 'arraybuffer';
  inner.validateStatus = null; // every status comes back to us; settle() applies the caller's own
  inner.beforeRedirect = recordRedirects(request, chain, hops, options.clock);
  if (options.signal !== 'own') {
    if (options.signal !== undefined) inner.signal = options.signal;
    else if (inner.signal !== undefined) delete inner.signal;
    delete inner.cancelToken;
    // A timeout that is no number stays: the adapter has its own error for it.
    const isNumber = !Number.isNaN(Number.parseInt(String(config.timeout), 10));
    if (isNumber && options.keepsTimeout !== true) inner.timeout = 0;
  }
  const { isListening } = options;
  if (isListening !== undefined) {
    for (const name of ['onDownloadProgress', 'onUploadProgress'] as const) {
      const progress = config[name];
      if (progress)
        inner[name] = (event: AxiosProgressEvent) => (isListening() ? progress(event) : undefined);
    }
  }

  const requestTime = options.clock();
  const send = options.inner.adapter(config);
  const response = options.stream
    ? await sendForStream(send, inner, config, options.headers !== undefined)
    : await send(inner);
  return {
    status: response.status,
    statusText: response.statusText,
    headers: headerList(response.headers),
    // An adapter of the user's may give the same object each time.
    ownHeaders:
      options.inner.flavour(config) !== undefined && response.headers instanceof AxiosHeaders
        ? response.headers
        : undefined,
    data: response.data,
    request: response.request,
    requestTime,
    responseTime: options.clock(),
    sequence: options.sequence,
    chain,
    hops,
  };
}

/** Each by its name: of the object without prototype that axios makes, `Object.assign` takes three times as long. */
export function copyOf(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
  const copy = Object.create(Object.getPrototypeOf(config)) as Record<string | symbol, unknown>;
  const source = config as unknown as Record<string | symbol, unknown>;
  for (const name of Object.keys(source)) copy[name] = source[name];
  for (const name of Object.getOwnPropertySymbols(source)) copy[name] = source[name];
  return copy as unknown as InternalAxiosRequestConfig;
}

/**
 * A status that the caller does not want is refused by the inner adapter itself: only then does it let go of the
 * caller's signal (http.js, `onDone`), whose abort would else end a stream that nobody reads in an uncaught error.
 */
async function sendForStream(
  send: AxiosAdapter,
  inner: InternalAxiosRequestConfig,
  { validateStatus }: InternalAxiosRequestConfig,
  isConditional: boolean,
): Promise<AxiosResponse> {
  let isRefused = false;
  inner.validateStatus = (status) => {
    isRefused = !(isConditional && status === 304) && validateStatus?.(status) === false;
    return !isRefused;
  };
  try {
    return await send(inner);
  } catch (error) {
    const refused = isRefused ? (error as { response?: AxiosResponse }).response : undefined;
    if (refused === undefined) throw error;
    return refused;
  }
}

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>;

/** Notes each hop with what is really sent to it, after the caller's own hook had its say. */
export function recordRedirects(
  first: CacheRequest,
  chain: CacheRequest[],
  hops: Received['hops'][number][],
  clock: () => number,
): BeforeRedirect {
  const own = first.config.beforeRedirect as ((...args: unknown[]) => void) | undefined;
  return (
    options: Record<string, unknown>,
    response: { headers: unknown; statusCode?: unknown },
    ...rest: unknown[]
  ) => {
    own?.(options, response, ...rest);
    chain.push(
      hopRequest(first, {
        url: String(options.href),
        method: String(options.method),
        headers: (options.headers ?? {}) as Record<string, unknown>,
        auth: options.auth as string | null | undefined,
      }),
    );
    hops.push({ status: Number(response.statusCode), headers: headerList(response.headers), time: clock() });
  };
}
