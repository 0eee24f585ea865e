/** The caches that are put to the test, each behind the same few lines. */
import { Agent as HttpAgent } from 'node:http';
import axios, { type AxiosResponse } from 'axios';
import { setupCache } from 'axios-cache-interceptor';
import { Agent, interceptors } from 'undici';
import { cacheAdapter } from '../lib/index.js';
import type { Client } from './fetch.js';

/** As the suite tells them apart: a browser's own cache, or one for all. */
export type Profile = 'private' | 'shared';
export const PROFILES: readonly Profile[] = ['private', 'shared'];

/** A connection for each request: some tests send a wrong Content-Length, which would spoil what comes after it. */
const httpAgent = new HttpAgent({ keepAlive: false });

export interface Subject {
  name: string;
  client(profile: Profile): Client;
}

export const OURS: Subject = {
  name: 'axios-stash',
  client(profile) {
    const adapter = cacheAdapter({
      backend: 'memory',
      cacheControl: true,
      shared: profile === 'shared',
      staleIfError: true,
    });
    // Whatever fails in the cache fails no request: it must not pass for a matter of policy.
    adapter.cache.on('error', ({ reason, error }) => console.error('axios-stash:', reason, error));
    const http = axios.create({ httpAgent, adapter });
    return axiosClient((config) => http.request(config));
  },
};

export const PEERS: readonly Subject[] = [
  {
    name: 'axios-cache-interceptor',
    client: () => {
      const http = setupCache(axios.create({ httpAgent }));
      return axiosClient((config) => http.request(config));
    },
  },
  {
    name: 'undici',
    client: (type) => {
      const dispatcher = new Agent({ pipelining: 0 }).compose(interceptors.cache({ type }));
      const following = dispatcher.compose(interceptors.redirect({ maxRedirections: 5 }));
      return undiciClient(dispatcher, following);
    },
  },
];

interface Question {
  method: string;
  url: string;
  headers: Record<string, string>;
  data: string | undefined;
  responseType: 'text';
  transformRequest: [];
  transformResponse: [];
  validateStatus: () => true;
  maxRedirects?: number;
}
type Answer = Pick<AxiosResponse<string>, 'status' | 'statusText' | 'headers' | 'data'>;

function axiosClient(request: (config: Question) => Promise<Answer>): Client {
  return async ({ method, url, headers, body, followsRedirects }) => {
    const response = await request({
      method,
      url,
      headers,
      data: body,
      responseType: 'text',
      transformRequest: [],
      transformResponse: [],
      validateStatus: () => true,
      ...(!followsRedirects && { maxRedirects: 0 }),
    });
    const { status, statusText, data } = response;
    return { status, statusText, headers: { ...response.headers }, body: data };
  };
}

type Dispatcher = ReturnType<Agent['compose']>;

function undiciClient(plain: Dispatcher, following: Dispatcher): Client {
  return async ({ url, method, headers, body, followsRedirects }) => {
    const { origin, pathname, search } = new URL(url);
    const response = await (followsRedirects ? following : plain).request({
      origin,
      path: pathname + search,
      method: method as 'GET',
      headers,
      body: body ?? null,
    });
    const { statusCode: status, statusText = '' } = response;
    return { status, statusText, headers: response.headers, body: await response.body.text() };
  };
}
