/** Nothing that changes the response is left out of the key: every property of a request is accounted for in docs/security.md. */
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import axios, { type AxiosAdapter, type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { expect } from 'chai';
import ts from 'typescript';
import { cacheAdapter, MemoryBackend } from '../../lib/index.js';
import { itOnCurrentAxios } from '../support/axios-version.js';
import { type Rig, rig } from '../support/harness.js';

const page = fileURLToPath(new URL('../../docs/security.md', import.meta.url));

/** Its answers take their time. */
class LateStore extends MemoryBackend {
  override get(key: string): never {
    return delay(20).then(() => super.get(key)) as never;
  }
  override version(): number {
    return Number.NaN;
  }
}

/** The rows of the table: names, and what is said of them. */
async function rows(): Promise<[names: string[], said: string][]> {
  const [, table = ''] = (await readFile(page, 'utf8')).split('| of an axios request | |\n');
  return (table.split('\n\n')[0] ?? '')
    .split('\n')
    .slice(1)
    .map((line) => {
      const [, first = '', said = ''] = line.split('|');
      return [[...first.matchAll(/`(\w+)`/g)].map(([, name = '']) => name), said.trim()];
    });
}

/** The members of axios' own `AxiosRequestConfig`, as its declarations have them. */
async function configNames(): Promise<string[]> {
  const file = join(dirname(createRequire(import.meta.url).resolve('axios/package.json')), 'index.d.ts');
  const source = ts.createSourceFile(file, await readFile(file, 'utf8'), ts.ScriptTarget.ESNext);
  const names: string[] = [];
  source.forEachChild((node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== 'AxiosRequestConfig') return;
    for (const { name } of node.members)
      if (name !== undefined && ts.isIdentifier(name)) names.push(name.text);
  });
  return names;
}

describe('what of a request is part of its key', () => {
  it('is said of every property that a request to axios has', async () => {
    const said = (await rows()).flatMap(([names]) => names);
    expect(new Set(said).size, 'once each').to.equal(said.length);
    const missing = (await configNames()).filter((name) => !said.includes(name));
    expect(missing).to.deep.equal([]);
  });

  const url = 'http://h/a';
  const { cache } = cacheAdapter({ backend: 'memory', matchHeaders: ['x-matched'] });
  const keyed: Record<string, AxiosRequestConfig> = {
    url: { url: 'http://h/b' },
    baseURL: { baseURL: 'http://i', url: '/a' },
    allowAbsoluteUrls: { baseURL: 'http://i', allowAbsoluteUrls: false } as AxiosRequestConfig,
    params: { params: { a: 1 } },
    paramsSerializer: { params: { a: 1 }, paramsSerializer: { serialize: () => 'x=y' } },
    method: { method: 'head' },
    data: { data: { a: 1 } },
    transformRequest: { data: 'a', transformRequest: [() => 'b'] },
    formSerializer: {
      data: { a: [1] },
      headers: { 'Content-Type': 'multipart/form-data' },
      formSerializer: { indexes: true },
    },
    auth: { auth: { username: 'a', password: 'b' } },
    headers: { headers: { Cookie: 'a' } },
    decompress: { decompress: false },
    socketPath: { socketPath: '/a' },
    maxRedirects: { maxRedirects: 0 },
    fetchOptions: { fetchOptions: { redirect: 'error' } },
    httpAgent: { httpAgent: Object.assign(new http.Agent(), { proxy: new URL('http://u:p@proxy') }) },
    httpsAgent: { httpsAgent: { options: { cert: 'a' } } },
    http2Options: { http2Options: { rejectUnauthorized: false } } as AxiosRequestConfig,
    proxy: { proxy: { host: 'p', port: 1, auth: { username: 'a', password: 'b' } } },
  };

  // Older ones do not know allowAbsoluteUrls, so that it changes no URL there.
  itOnCurrentAxios('tells apart by each that is called keyed', async () => {
    const names = (await rows()).filter(([, said]) => said.startsWith('keyed')).flatMap(([all]) => all);
    const plain = cache.createKey({ url });
    const keys = new Map<string, string>();
    for (const name of names) {
      // How fields of an object are written into a form shows only where there is one: in the body that is sent.
      const config = keyed[name];
      if (config === undefined) expect(name).to.equal('formDataHeaderPolicy');
      else keys.set(name, cache.createKey({ url, ...config }));
    }
    for (const [name, key] of keys) expect(key, name).to.not.equal(plain);
    expect(new Set(keys.values()).size).to.be.at.least(keys.size - 1); // two ways not to follow redirects are one
  });

  const indifferent: AxiosRequestConfig[] = [
    { transport: {} },
    { lookup: () => {} },
    { family: 4 },
    { responseType: 'stream' },
    { responseEncoding: 'latin1' },
    { timeout: 1 },
    { maxContentLength: 1 },
    { withCredentials: true },
    { validateStatus: null },
    { beforeRedirect: () => {} },
    { headers: { Accept: 'x' } },
  ];
  it('is none of what only decides how the bytes come', () => {
    for (const config of indifferent) {
      expect(cache.createKey({ url, ...config }), Object.keys(config)[0]).to.equal(cache.createKey({ url }));
    }
  });

  it('bypasses where an adapter is given with a request', async () => {
    const client = axios.create({ adapter: cacheAdapter({ backend: 'memory' }) });
    const adapter: AxiosAdapter = async (config) =>
      ({ data: Math.random(), status: 200, config }) as AxiosResponse;
    const [one, two] = [await client.get(url, { adapter }), await client.get(url, { adapter })];
    expect(one.data).to.not.equal(two.data);
  });
});

describe('what can change after the key was made, or is not in it', () => {
  let here: Rig;
  beforeEach(async () => {
    here = await rig({ backend: new LateStore(), allowableMethods: ['GET', 'POST'] });
    here.origin.on('/echo', (request, res) => {
      res.end(`${request.url} ${request.headers.cookie ?? ''} ${request.body}`);
    });
  });
  afterEach(() => here.close());

  /** What the origin says to the second of two requests, the first changed while the store was being read. */
  async function poisoned(first: AxiosRequestConfig, change: () => void, second: AxiosRequestConfig) {
    const asked = here.http.request({ url: '/echo', ...first });
    await Promise.resolve();
    await Promise.resolve();
    change();
    await asked;
    await here.adapter.cache.flush();
    const { data } = await here.http.request({ url: '/echo', ...second });
    return String(data);
  }

  it('parameters that are changed while the store is read: the answer is not stored as theirs', async () => {
    const params = new URLSearchParams({ user: 'ann' });
    const change = () => params.set('user', 'bob');
    expect(await poisoned({ params }, change, { params: { user: 'ann' } })).to.include('user=ann');
  });

  it('a body that is changed while the store is read', async () => {
    const data = Buffer.from('ann');
    const given = { method: 'post', headers: { 'Content-Type': 'text/plain' } };
    const text = await poisoned({ ...given, data }, () => data.write('bob'), {
      ...given,
      data: Buffer.from('ann'),
    });
    expect(text).to.include('ann');
  });

  it('a serializer that writes parameters otherwise each time', async () => {
    const users = ['ann', 'bob'];
    const paramsSerializer = { serialize: () => `user=${users.shift() ?? 'eve'}` };
    await here.http.get('/echo', { params: {}, paramsSerializer });
    await here.adapter.cache.flush();
    expect((await here.http.get('/echo?user=ann')).data).to.include('user=ann');
  });

  it('a # in serialized parameters', async () => {
    const paramsSerializer = { encode: (text: string) => text };
    const get = async (t: string) => (await here.http.get('/echo', { params: { t }, paramsSerializer })).data;
    expect([await get('#ann'), await get('#bob')].map((text) => /#\w+/.exec(text)?.[0])).to.deep.equal([
      '#ann',
      '#bob',
    ]);
  });

  it('an agent that puts a cookie into each request', async () => {
    class JarAgent extends http.Agent {
      readonly #cookie: string;
      constructor(cookie: string) {
        super();
        this.#cookie = cookie;
      }
      addRequest(request: http.ClientRequest, ...rest: unknown[]): void {
        request.setHeader('Cookie', this.#cookie);
        const { addRequest } = http.Agent.prototype as unknown as { addRequest(...args: unknown[]): void };
        addRequest.call(this, request, ...rest);
      }
    }
    for (const user of ['ann', 'bob']) {
      const response = await here.http.get('/echo', { httpAgent: new JarAgent(user) });
      expect(response.data).to.include(user);
      expect(response.cacheStatus).to.include({ fwd: 'bypass', detail: 'agent' });
    }
  });

  it('the same where a keyFn says whose it is', async () => {
    const { http: client } = here.another({ keyFn: (_, defaultKey) => `ann ${defaultKey()}` });
    const httpAgent = Object.assign(new http.Agent(), {
      addRequest: (http.Agent.prototype as unknown as { addRequest: unknown }).addRequest,
    });
    await client.get('/echo', { httpAgent });
    expect((await client.get('/echo', { httpAgent })).fromCache).to.equal(true);
  });
});
