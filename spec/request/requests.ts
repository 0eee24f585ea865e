import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { Keyer, type KeySettings } from '../../lib/request/key.js';
import type { CacheRequest } from '../../lib/request/request.js';
import { snapshotRequest } from '../../lib/request/snapshot.js';

export interface Given {
  method?: string;
  url?: string;
  headers?: Record<string, string | string[] | number | boolean | null>;
  data?: unknown;
  config?: Record<string, unknown>;
}

/** A snapshot as the adapter takes it. */
export function request({
  method = 'get',
  url = 'http://h/',
  headers = {},
  data,
  config = {},
}: Given = {}): CacheRequest {
  const own: InternalAxiosRequestConfig = {
    ...config,
    method,
    url,
    headers: new AxiosHeaders(headers),
    data,
  };
  return snapshotRequest(own, url);
}

/** The key where it is known at once. */
export function keyOf(given: Given | CacheRequest, settings: Partial<KeySettings> = {}): string {
  const key = keyer(settings).keyOf(isSnapshot(given) ? given : request(given));
  if (typeof key !== 'string') throw new Error('the key is not known at once');
  return key;
}

export async function lateKeyOf(given: Given, settings: Partial<KeySettings> = {}): Promise<string> {
  return keyer(settings).keyOf(request(given));
}

export function keyer(settings: Partial<KeySettings> = {}): Keyer {
  return new Keyer({ ignoredParameters: [], matchHeaders: false, ...settings });
}

function isSnapshot(given: Given | CacheRequest): given is CacheRequest {
  return given.headers !== undefined && Object.getPrototypeOf(given.headers) === null;
}

export function url(given: string): Given {
  return { url: given };
}

export function post(data: unknown, type?: string, more: Given = {}): Given {
  return {
    method: 'post',
    data,
    ...more,
    headers: { ...(type === undefined ? {} : { 'Content-Type': type }), ...more.headers },
  };
}
