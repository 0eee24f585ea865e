/** What a caller can see of a request's outcome, made comparable: the same for the network, a miss and a hit. */
import type { Readable } from 'node:stream';
import axios, { type AxiosError, AxiosHeaders, type AxiosResponse } from 'axios';

const CACHE_FIELDS: ReadonlySet<string> = new Set([
  'fromCache',
  'isExpired',
  'revalidated',
  'cacheKey',
  'createdAt',
  'expires',
  'redirects',
  'cacheStatus',
]);

/** The body by kind and content; reads a stream to its end. */
export async function dataFace(data: unknown): Promise<unknown> {
  if (Buffer.isBuffer(data)) return { Buffer: data.toString('base64') };
  if (data instanceof ArrayBuffer) return { ArrayBuffer: Buffer.from(data).toString('base64') };
  if (data instanceof Blob) {
    return { Blob: data.type, bytes: Buffer.from(await data.arrayBuffer()).toString('base64') };
  }
  if (data instanceof FormData) return { FormData: [...data.entries()] };
  if (data instanceof ReadableStream)
    return { ReadableStream: await drained(data as unknown as AsyncIterable<unknown>) };
  if (typeof data === 'object' && data !== null && 'pipe' in data) {
    return { Readable: await drained(data as unknown as Readable) };
  }
  return data;
}

/** What a stream brings, or how it fails. */
async function drained(stream: AsyncIterable<unknown>): Promise<unknown> {
  try {
    return await drain(stream);
  } catch (error) {
    const { name, message, code } = error as AxiosError;
    return { name, message, code };
  }
}

/** All bytes of a stream of either kind, as base64. */
export async function drain(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString('base64');
}

/** `request` by what users read from it. */
function requestFace(request: unknown): unknown {
  if (request instanceof Request) return { Request: request.url, method: request.method };
  const { method, path, host, protocol, res } = request as Record<string, unknown>;
  const { responseUrl, statusCode, statusMessage, headers } = res as Record<string, unknown>;
  const name = (request as object).constructor.name;
  return {
    [name]: { method, path, host, protocol },
    res: { responseUrl, statusCode, statusMessage, headers },
  };
}

/** Everything of a response but what the cache itself adds, `config` (compared by identity) and how long it took. */
export async function responseFace(response: AxiosResponse): Promise<unknown> {
  const { status, statusText, headers, request, data } = response;
  const fields = Object.keys(response).filter((name) => !CACHE_FIELDS.has(name));
  return {
    status,
    statusText,
    fields: fields.sort(),
    headers: Object.entries((headers as AxiosHeaders).toJSON()),
    areAxiosHeaders: headers instanceof AxiosHeaders,
    ownOfHeaders: Object.getOwnPropertyNames(headers),
    request: requestFace(request),
    data: await dataFace(data),
  };
}

/** What the promise settles to. */
export async function outcome(promise: Promise<AxiosResponse>): Promise<unknown> {
  try {
    return { resolved: await responseFace(await promise) };
  } catch (error) {
    if (!axios.isAxiosError(error)) throw error;
    const { name, message, code, status, response } = error;
    return {
      rejected: { name, message, code, status },
      fields: Object.keys(error).sort(),
      toJSON: Object.keys(error.toJSON()).sort(),
      hasRequest: error.request !== undefined,
      response: response && (await responseFace(response)),
    };
  }
}

/** What a promise rejects with; fails when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not reject');
}
