/** Rows A24-A31: which requests are cached, and which are the same. */
import type { AxiosError, AxiosInstance, AxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import { answer, rejection, using } from './support.js';

/** Whether each of the requests, one after the other, came from the cache. */
async function hits(http: AxiosInstance, requests: readonly AxiosRequestConfig[]): Promise<boolean[]> {
  const found: boolean[] = [];
  for (const request of requests) {
    found.push((await http.request({ validateStatus: null, ...request })).fromCache);
  }
  return found;
}

const twice = (config: AxiosRequestConfig): AxiosRequestConfig[] => [config, config];

describe('The seed: methods and status codes', () => {
  for (const method of ['GET', 'HEAD']) {
    it(
      `A24 methods by default: ${method} is cached`,
      using({}, async ({ http }) => {
        expect(await hits(http, twice({ method, url: '/a' }))).to.deep.equal([false, true]);
      }),
    );
  }

  for (const method of ['OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    it(
      `A24 methods by default: ${method} goes to the origin each time and is not stored`,
      using({}, async ({ http, origin, adapter }) => {
        expect(await hits(http, twice({ method, url: '/a' }))).to.deep.equal([false, false]);
        expect(origin.count).to.equal(2);
        expect(await adapter.cache.count()).to.equal(0);
      }),
    );
  }

  it(
    'A25 allowableMethods: a POST is cached by its body',
    using({ allowableMethods: ['GET', 'POST'] }, async ({ http, origin }) => {
      await http.post('/post', { param: 'value' });
      expect((await http.post('/post', { param: 'value' })).fromCache).to.equal(true);
      expect(origin.count).to.equal(1);
      expect((await http.post('/post', { param: 'other' })).fromCache).to.equal(false);
      expect((await http.post('/post', { param: 'value' })).fromCache).to.equal(true);
    }),
  );

  it(
    'A25 allowableMethods: the list replaces the default, for reading as for writing',
    using({ allowableMethods: ['POST'] }, async ({ http, origin, adapter }) => {
      expect(await hits(http, twice({ url: '/a' }))).to.deep.equal([false, false]);
      expect(origin.count).to.equal(2);
      expect(await adapter.cache.count()).to.equal(0);
      adapter.settings.allowableMethods = ['GET'];
      expect(await hits(http, twice({ url: '/a' }))).to.deep.equal([false, true]);
      adapter.settings.allowableMethods = ['POST'];
      expect(await hits(http, [{ url: '/a' }])).to.deep.equal([false]);
    }),
  );

  it(
    'A25 allowableMethods: their case does not count',
    using({ allowableMethods: ['post'] }, async ({ http }) => {
      const request = { method: 'POST', url: '/a', data: 'x' };
      expect(await hits(http, twice(request))).to.deep.equal([false, true]);
    }),
  );

  for (const status of [201, 203, 204, 206, 301, 302, 304, 404, 418, 500]) {
    it(
      `A26 status codes by default: ${status} is not stored`,
      using({}, async ({ http, origin, adapter }) => {
        origin.on('/a', answer('', { location: '/b' }, status));
        const request = { url: '/a', maxRedirects: 0 };
        expect(await hits(http, twice(request))).to.deep.equal([false, false]);
        expect(origin.count).to.equal(2);
        expect(await adapter.cache.count()).to.equal(0);
      }),
    );
  }

  it(
    'A27 allowableCodes: a 418 from the cache rejects as the first one did',
    using({ allowableCodes: [200, 418] }, async ({ http, origin }) => {
      origin.on('/teapot', answer('short and stout', {}, 418));
      const errors: AxiosError[] = [];
      for (let n = 0; n < 2; n++) errors.push(await rejection(http.get('/teapot')));
      expect(origin.count).to.equal(1);
      const faces = errors.map(({ name, message, code, response }) => ({
        name,
        message,
        code,
        status: response?.status,
        statusText: response?.statusText,
        data: response?.data,
      }));
      expect(faces[1]).to.deep.equal(faces[0]);
      expect(faces[0]).to.include({ status: 418, data: 'short and stout', code: 'ERR_BAD_REQUEST' });
      expect(errors.map(({ response }) => response?.fromCache)).to.deep.equal([false, true]);
    }),
  );

  it(
    'A27 allowableCodes: a hit resolves where the caller accepts the status',
    using({ allowableCodes: [200, 418] }, async ({ http, origin }) => {
      origin.on('/teapot', answer('', {}, 418));
      await rejection(http.get('/teapot'));
      const response = await http.get('/teapot', { validateStatus: (status) => status === 418 });
      expect(response).to.include({ status: 418, fromCache: true });
    }),
  );

  it(
    'A27 allowableCodes: the list replaces the default',
    using({ allowableCodes: [404] }, async ({ http, origin }) => {
      origin.on('/404', answer('', {}, 404));
      expect(await hits(http, twice({ url: '/a' }))).to.deep.equal([false, false]);
      expect(await hits(http, twice({ url: '/404' }))).to.deep.equal([false, true]);
    }),
  );
});

describe('The seed: which requests are the same', () => {
  it(
    'A28 parameters: all count, their order does not',
    using({}, async ({ http, origin }) => {
      const requests = [
        { url: '/get?a=1&b=2' },
        { url: '/get?b=2&a=1' },
        { url: '/get', params: { b: 2, a: 1 } },
      ];
      expect(await hits(http, requests)).to.deep.equal([false, true, true]);
      expect(await hits(http, [{ url: '/get?a=2' }, { url: '/get?a=2&b=2' }])).to.deep.equal([false, false]);
      expect(origin.count).to.equal(3);
    }),
  );

  const token = (value: string) => ({ 'auth-token': value });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const ignored: [where: string, request: (value: string) => AxiosRequestConfig][] = [
    ['query', (value) => ({ url: '/get', params: { ...token(value), a: 1 } })],
    ['form body', (value) => ({ method: 'POST', url: '/p', data: `auth-token=${value}&a=1`, headers: form })],
    ['JSON body', (value) => ({ method: 'POST', url: '/p', data: { ...token(value), a: 1 } })],
    ['nested JSON', (value) => ({ method: 'POST', url: '/p', data: { list: [{ ...token(value), a: 1 }] } })],
    ['headers', (value) => ({ url: '/get', headers: token(value) })],
    ['headers in another case', (value) => ({ url: '/get', headers: { 'Auth-Token': value } })],
  ];
  for (const [where, request] of ignored) {
    it(
      `A29 ignoredParameters in ${where}: values do not separate requests, and are not stored`,
      using(
        { ignoredParameters: ['auth-token'], allowableMethods: ['GET', 'POST'] },
        async ({ http, origin, adapter }) => {
          const requests = ['2F63E5DF4F44', 'D9FAEB3449D3'].map(request);
          expect(await hits(http, requests)).to.deep.equal([false, true]);
          expect(origin.count).to.equal(1);
          // The seed keeps the first value in clear; the contract redacts it.
          for await (const { request } of adapter.cache.values()) {
            expect(JSON.stringify(request)).to.not.contain('2F63E5DF4F44');
          }
        },
      ),
    );
  }

  it(
    'A29 ignoredParameters: present and absent are the same request',
    using({ ignoredParameters: ['auth-token'] }, async ({ http }) => {
      const requests = [{ params: token('x') }, {}, { headers: token('y') }];
      const all = requests.map((one) => ({ url: '/get', ...one }));
      expect(await hits(http, all)).to.deep.equal([false, true, true]);
    }),
  );

  it(
    'A29 ignoredParameters: other parameters separate requests as ever, whatever the case of the ignored name',
    using({ ignoredParameters: ['auth-token'] }, async ({ http }) => {
      const requests = ['/get?auth-token=1&a=1', '/get?auth-token=1&a=2', '/get?AUTH-TOKEN=1&a=1'];
      expect(
        await hits(
          http,
          requests.map((url) => ({ url })),
        ),
      ).to.deep.equal([false, false, false]);
    }),
  );

  it(
    'A30 headers: they do not separate requests',
    using({}, async ({ http, origin }) => {
      const requests = ['text/plain', 'application/json'].map((Accept) => ({
        url: '/get',
        headers: { Accept },
      }));
      expect(await hits(http, requests)).to.deep.equal([false, true]);
      expect(origin.count).to.equal(1);
    }),
  );

  const credentials: [what: string, configs: AxiosRequestConfig[]][] = [
    ['Authorization', ['Bearer a', 'Bearer b'].map((Authorization) => ({ headers: { Authorization } }))],
    ['Cookie', ['id=1', 'id=2'].map((Cookie) => ({ headers: { Cookie } }))],
    ['auth', ['ann', 'bob'].map((username) => ({ auth: { username, password: 'p' } }))],
  ];
  for (const [what, configs] of credentials) {
    // The seed serves one user another's response here; the contract never does.
    it(
      `A30 headers: ${what} always separates requests`,
      using({}, async ({ http }) => {
        const requests = [{}, ...configs, {}, ...configs].map((one) => ({ url: '/get', ...one }));
        expect(await hits(http, requests)).to.deep.equal([false, false, false, true, true, true]);
      }),
    );
  }

  for (const options of [{ includeGetHeaders: true }, { matchHeaders: true }, { matchHeaders: ['Accept'] }]) {
    it(
      `A31 ${JSON.stringify(options)}: headers separate requests, the case of their names does not`,
      using(options, async ({ http, origin }) => {
        const plain = { url: '/get', headers: { Accept: 'text/plain' } };
        const json = { url: '/get', headers: { Accept: 'application/json' } };
        expect(await hits(http, [plain, json, plain, json])).to.deep.equal([false, false, true, true]);
        const lower = { url: '/get', headers: { accept: 'text/plain' } };
        expect(await hits(http, [lower])).to.deep.equal([true]);
        expect(origin.count).to.equal(2);
      }),
    );
  }

  it(
    'A31 matchHeaders with names: other headers do not separate requests',
    using({ matchHeaders: ['Accept'] }, async ({ http }) => {
      const requests = ['1', '2'].map((value) => ({ url: '/get', headers: { 'X-Other': value } }));
      expect(await hits(http, requests)).to.deep.equal([false, true]);
    }),
  );

  it(
    'A31 includeGetHeaders: despite its name it holds for every method',
    using({ includeGetHeaders: true, allowableMethods: ['POST'] }, async ({ http }) => {
      const requests = ['1', '2', '1'].map((value) => ({
        method: 'POST',
        url: '/p',
        data: 'x',
        headers: { 'X-Own': value },
      }));
      expect(await hits(http, requests)).to.deep.equal([false, false, true]);
    }),
  );
});
