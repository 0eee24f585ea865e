import axios, { AxiosHeaders, type AxiosRequestConfig } from 'axios';
import oldest from 'axios-oldest';
import { expect } from 'chai';
import fc from 'fast-check';
import { CacheOptionError } from '../../lib/index.js';
import { itOnCurrentAxios } from '../support/axios-version.js';
import { inMemory } from './support.js';

const METHODS = ['get', 'HEAD', 'post', 'PUT', 'patch', 'delete', 'OPTIONS', 'query'];

const word = fc.string({ minLength: 1, maxLength: 8 });
const token = fc.constantFrom('a', 'b', 'x-y', 'REDACTED', '1', 'token');
const json = fc.jsonValue({ maxDepth: 3 });
const dictionary = fc.dictionary(token, fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null)), {
  maxKeys: 4,
  noNullPrototype: true,
});
const body: fc.Arbitrary<unknown> = fc.oneof(
  fc.constant(undefined),
  fc.constant(null),
  word,
  json,
  dictionary,
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  dictionary.map((fields) => new URLSearchParams(Object.entries(fields).map(([k, v]) => [k, String(v)]))),
  dictionary.map((fields) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
    return form;
  }),
);
const headers = fc.record(
  {
    Accept: fc.constantFrom('text/html', 'application/json'),
    'x-b': fc.constantFrom('1', '2'),
    authorization: fc.constantFrom('Bearer a', 'Bearer b'),
    Cookie: fc.constantFrom('a=1', 'a=2'),
    'Content-Type': fc.constantFrom(
      'application/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'text/plain',
      'application/ld+json',
    ),
  },
  { requiredKeys: [] },
);
const config = fc.record(
  {
    method: fc.constantFrom(...METHODS),
    params: dictionary,
    data: body,
    headers,
    auth: fc.record({ username: word, password: word }),
    decompress: fc.boolean(),
    maxRedirects: fc.constantFrom(0, 5),
    responseType: fc.constantFrom('json', 'text', 'arraybuffer'),
    url: fc.constantFrom('/a', '/a/', '/b?x=1&a=2', '/c//b', '/%61', '/a#part', '?q'),
  },
  { requiredKeys: ['url'] },
) as fc.Arbitrary<AxiosRequestConfig>;

/** Undefined: axios refused it. */
async function keyOfRequest(config: AxiosRequestConfig): Promise<string | undefined> {
  for (;;) {
    try {
      return (await axios.request(config)).cacheKey;
    } catch (error) {
      // A busy machine may meet the end of a kept-alive connection; that says nothing of keys.
      if ((error as { code?: unknown }).code !== 'ECONNRESET') return undefined;
    }
  }
}

describe('createKey', () => {
  const start = inMemory();

  for (const [what, options] of Object.entries({
    'the default settings': {},
    'matched headers': { matchHeaders: true },
    'some matched headers and ignored parameters': {
      matchHeaders: ['X-B', 'accept'],
      ignoredParameters: ['a', 'Cookie'],
    },
    'an own key function': {
      keyFn: (request: { method: string; url: string }) => `${request.method} ${request.url.length}`,
    },
  })) {
    itOnCurrentAxios(`gives the key that a request gets, whatever its config, with ${what}`, async () => {
      const { adapter, origin } = await start({ allowableMethods: METHODS, ...options }, {}, (_req, res) => {
        res.end('ok');
      });
      await fc.assert(
        fc.asyncProperty(config, async (given) => {
          const whole = { ...given, baseURL: origin.url, adapter };
          // axios itself refuses a bare number as body, and sends none for `false`: these have no key.
          const cacheKey = await keyOfRequest(whole);
          if (cacheKey === undefined) {
            expect(['number', 'boolean']).to.include(typeof given.data);
            expect(() => adapter.cache.createKey(whole)).to.throw(CacheOptionError);
            expect(await adapter.cache.has(whole)).to.equal(false);
            return;
          }
          expect(adapter.cache.createKey(whole)).to.equal(cacheKey);
          expect((await adapter.cache.get(whole))?.key).to.equal(cacheKey);
        }),
        { numRuns: 120 },
      );
    });
  }

  it('gives the same key as the method shorthands and the form shorthands', async () => {
    const { http, adapter, origin } = await start({ allowableMethods: METHODS });
    const at = { baseURL: origin.url, url: '/a' };
    const multipart = { 'Content-Type': 'multipart/form-data' };
    for (const [response, whole] of [
      [http.post('/a', { x: 1 }), { ...at, method: 'post', data: { x: 1 } }],
      [http.put('/a', 'text'), { ...at, method: 'put', data: 'text' }],
      [http.postForm('/a', { x: 1 }), { ...at, method: 'post', data: { x: 1 }, headers: multipart }],
      [http.head('/a'), { ...at, method: 'HEAD' }],
      [http.delete('/a'), { ...at, method: 'delete' }],
    ] as const) {
      expect(adapter.cache.createKey(whole)).to.equal((await response).cacheKey);
    }
  });

  it('takes the headers for all requests and for a method out of the defaults of an instance, as axios does', async () => {
    const { http, adapter, origin } = await start({ allowableMethods: METHODS, matchHeaders: true });
    Object.assign(http.defaults.headers.common, {
      Authorization: 'Bearer x',
      'X-A': 'common',
      'X-B': 'common',
    });
    Object.assign(http.defaults.headers.get, { 'X-B': 'get', 'x-c': 'get' });
    Object.assign(http.defaults.headers.post, { 'X-C': 'post' });
    const defaults = http.defaults as AxiosRequestConfig;
    const own = { headers: { 'X-C': 'own', 'x-a': 'own' } };
    for (const more of [
      {},
      own,
      { method: 'post', data: { a: 1 } },
      { ...own, method: 'POST' },
      { method: 'head' },
    ]) {
      const given = { url: `${origin.url}/a`, ...more };
      const { cacheKey, config } = await http.request(given);
      const whole: AxiosRequestConfig[] = [axios.mergeConfig(defaults, given), config];
      if (!('headers' in more)) whole.push({ ...defaults, ...given });
      for (const one of whole) {
        expect(adapter.cache.createKey(one), JSON.stringify(more)).to.equal(cacheKey);
        expect(await adapter.cache.has(one)).to.equal(true);
        expect((await adapter.cache.get(one))?.key).to.equal(cacheKey);
      }
    }
    expect(http.defaults.headers.common).to.include({ Authorization: 'Bearer x' });
    expect(http.defaults.headers.get).to.include({ 'X-B': 'get' });
  });

  it('takes nested headers that a request itself gives, and headers of other classes', async () => {
    const { http, adapter, origin } = await start({ matchHeaders: ['x-a', 'x-b', 'accept'] });
    for (const headers of [
      { common: { 'X-A': '1' }, get: { 'X-B': '2' }, post: { 'X-A': '3' } },
      { common: { Accept: 'a/b', 'X-A': '1' }, get: { 'x-a': '2' }, 'X-B': '3' },
      new AxiosHeaders({ 'X-A': '1', Accept: 'a/b' }),
      new oldest.AxiosHeaders({ 'X-A': '1', Accept: 'a/b' }),
      new Headers({ 'X-A': '1', Accept: 'a/b' }),
    ]) {
      const given = { url: `${origin.url}/a`, headers } as unknown as AxiosRequestConfig;
      const { cacheKey } = await http.request(given);
      expect(adapter.cache.createKey(given)).to.equal(cacheKey);
    }
  });

  it('takes a URL object, as axios sends it', async () => {
    const { http, adapter, origin } = await start();
    const at = (path: string) => new URL(path, origin.url) as unknown as string;
    for (const [given, path] of [
      [{ adapter, url: at('/u?b=1#part') }, '/u?b=1'],
      [{ adapter, url: at('/u?b=1#part'), params: { a: 1 } }, '/u?b=1&a=1'],
    ] as const) {
      const first = await axios.request(given);
      expect(first.fromCache).to.equal(false);
      expect(origin.requests.at(-1)?.url).to.equal(path);
      expect((await http.get(path)).fromCache).to.equal(true);
      expect((await axios.request(given)).fromCache).to.equal(true);
      expect(adapter.cache.createKey(given)).to.equal(first.cacheKey);
      expect(await adapter.cache.has(given)).to.equal(true);
      await axios.request({ ...given, method: 'put' });
      expect(await adapter.cache.has(given)).to.equal(false);
    }
  });

  itOnCurrentAxios('refuses a URL object with a base URL, which axios refuses too', async () => {
    const { http, adapter, origin } = await start();
    const url = new URL('/u', origin.url) as unknown as string;
    expect(await http.get(url).catch((error: unknown) => error)).to.be.instanceOf(TypeError);
    expect(() => adapter.cache.createKey({ url, baseURL: origin.url })).to.throw();
  });

  it('changes with the settings, at once', async () => {
    const { adapter, origin } = await start();
    const config = { url: `${origin.url}/a?x=1` };
    const before = adapter.cache.createKey(config);
    adapter.settings.ignoredParameters = ['x'];
    expect(adapter.cache.createKey(config)).to.equal(adapter.cache.createKey({ url: `${origin.url}/a?x=2` }));
    expect(adapter.cache.createKey(config)).to.not.equal(before);
  });

  it('leaves the config as it was', async () => {
    const { adapter, origin } = await start();
    const config = {
      url: '/a',
      baseURL: origin.url,
      method: 'POST',
      data: Object.freeze({ x: 1 }),
      headers: Object.freeze({ A: 'b' }),
    };
    adapter.cache.createKey(Object.freeze(config));
    expect(config).to.deep.equal({
      url: '/a',
      baseURL: origin.url,
      method: 'POST',
      data: { x: 1 },
      headers: { A: 'b' },
    });
  });

  it('refuses what has no key, or none at once', async () => {
    const { adapter, origin } = await start();
    const { cache } = adapter;
    const form = new FormData();
    form.append('file', new Blob(['x']));
    for (const refused of [
      {},
      { url: '/relative' },
      { url: 'data:text/plain,x' },
      { url: origin.url, data: new ReadableStream(), method: 'post' },
      { url: origin.url, headers: { 'x-http-method-override': 'PUT' } },
      { url: origin.url, data: form, method: 'post' },
      undefined,
      null,
      'a url' as AxiosRequestConfig,
    ]) {
      expect(() => cache.createKey(refused as AxiosRequestConfig)).to.throw(CacheOptionError);
    }
  });
});
