/** Nothing that changes the response is left out of the key: every property of a request is accounted for in docs/security.md. */
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import axios, { type AxiosAdapter, type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { expect } from 'chai';
import ts from 'typescript';
import { cacheAdapter } from '../../lib/index.js';
import { itOnCurrentAxios } from '../support/axios-version.js';

const page = fileURLToPath(new URL('../../docs/security.md', import.meta.url));

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
