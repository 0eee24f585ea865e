/** What lies round an adapter (interceptors, transforms, retries, mocks) works as it does without a cache. */
import axios, {
  type AxiosAdapter,
  AxiosError,
  AxiosHeaders,
  type AxiosInstance,
  type AxiosRequestConfig,
  type InternalAxiosRequestConfig,
} from 'axios';
import MockAdapter from 'axios-mock-adapter';
import { expect } from 'chai';
import { type CacheOptions, cacheAdapter } from '../../lib/index.js';
import { type Rig, rig } from '../support/harness.js';
import { answer, JSON_TEXT, JSON_TYPE } from './answers.js';
import { rejection } from './outcome.js';

describe('the rest of axios goes on as ever', () => {
  let bench: Rig;
  beforeEach(async () => {
    bench = await rig({ allowableCodes: [200, 404, 500] }, {}, answer(JSON_TEXT, JSON_TYPE));
    bench.origin.on('/404', answer(JSON_TEXT, JSON_TYPE, 404)).on('/500', answer('oh', {}, 500));
  });
  afterEach(() => bench.close());

  it('interceptors run once, and response.config is the very object they saw', async () => {
    const { http } = bench;
    const seen: InternalAxiosRequestConfig[] = [];
    let responses = 0;
    http.interceptors.request.use((config) => {
      seen.push(config);
      return config;
    });
    http.interceptors.response.use((response) => {
      responses += 1;
      return response;
    });
    for (const round of [1, 2, 3]) {
      const response = await http.get('/x');
      expect(response.config).to.equal(seen.at(-1));
      expect(seen.length).to.equal(round);
      expect(responses).to.equal(round);
    }
    expect(bench.origin.count).to.equal(1);
  });

  it('error.config and error.response.config are the very object that interceptors saw', async () => {
    const { http } = bench;
    const seen: InternalAxiosRequestConfig[] = [];
    http.interceptors.request.use((config) => {
      seen.push(config);
      return config;
    });
    for (let round = 0; round < 3; round++) {
      const error = (await rejection(http.get('/404'))) as AxiosError;
      expect(error.config).to.equal(seen.at(-1));
      expect(error.response?.config).to.equal(seen.at(-1));
      expect(error.response?.request).to.equal(error.request);
      expect(error).to.be.instanceOf(AxiosError);
      expect(axios.isAxiosError(error)).to.equal(true);
      expect(error.code).to.equal(AxiosError.ERR_BAD_REQUEST);
      expect(error.toJSON()).to.include({ message: 'Request failed with status code 404', status: 404 });
    }
    const failed = (await rejection(http.get('/500'))) as AxiosError;
    expect(failed.code).to.equal(AxiosError.ERR_BAD_RESPONSE);
    const again = (await rejection(http.get('/500'))) as AxiosError;
    expect(again.code).to.equal(AxiosError.ERR_BAD_RESPONSE);
    expect(again.response?.fromCache).to.equal(true);
    expect(bench.origin.count).to.equal(2);
  });

  it('an interceptor that returns a copy of the config is obeyed', async () => {
    const { http } = bench;
    http.interceptors.request.use((config) => ({ ...config, params: { added: 1 } }));
    await http.get('/x');
    const hit = await http.get('/x');
    expect(hit.fromCache).to.equal(true);
    expect(hit.config.params).to.deep.equal({ added: 1 });
    expect(bench.origin.last?.url).to.equal('/x?added=1');
  });

  it("each caller's own transformResponse runs exactly once, on raw data", async () => {
    const { http } = bench;
    const seen: unknown[] = [];
    const transformResponse = (data: unknown) => {
      seen.push(data);
      return `<${data}>`;
    };
    for (let round = 0; round < 3; round++) {
      expect((await http.get('/x', { transformResponse })).data).to.equal(`<${JSON_TEXT}>`);
    }
    const error = (await rejection(http.get('/404', { transformResponse }))) as AxiosError;
    expect(error.response?.data).to.equal(`<${JSON_TEXT}>`);
    const again = (await rejection(http.get('/404', { transformResponse }))) as AxiosError;
    expect(again.response?.data).to.equal(`<${JSON_TEXT}>`);
    expect(seen).to.deep.equal(Array(5).fill(JSON_TEXT));
    expect((await http.get('/x')).data).to.deep.equal(JSON.parse(JSON_TEXT));
  });

  it("transformResponse sees the response's headers and status", async () => {
    const { http } = bench;
    const seen: unknown[] = [];
    const transformResponse = (data: unknown, headers: unknown, status?: number) => {
      seen.push([headers instanceof AxiosHeaders, (headers as AxiosHeaders).get('content-type'), status]);
      return data;
    };
    await http.get('/x', { transformResponse });
    await http.get('/x', { transformResponse });
    expect(seen).to.deep.equal(Array(2).fill([true, 'application/json', 200]));
  });

  it('request transforms run once, and what they make is what counts', async () => {
    const { http } = bench.another({ allowableMethods: ['POST'] });
    let calls = 0;
    const transformRequest = (data: { n: number }) => {
      calls += 1;
      return JSON.stringify({ wrapped: data.n });
    };
    const headers = { 'content-type': 'application/json' };
    await http.post('/x', { n: 1 }, { transformRequest, headers });
    expect(bench.origin.last?.body.toString()).to.equal('{"wrapped":1}');
    expect((await http.post('/x', { n: 1 }, { transformRequest, headers })).fromCache).to.equal(true);
    expect(calls).to.equal(2);
    expect((await http.post('/x', { wrapped: 1 }, { headers })).fromCache).to.equal(true);
  });

  it("each caller's own validateStatus decides", async () => {
    const { http } = bench;
    expect((await http.get('/404', { validateStatus: (status) => status === 404 })).status).to.equal(404);
    expect(((await rejection(http.get('/404'))) as AxiosError).response?.fromCache).to.equal(true);
    expect((await http.get('/404', { validateStatus: null })).fromCache).to.equal(true);
    await http.get('/x');
    const error = (await rejection(http.get('/x', { validateStatus: () => false }))) as AxiosError;
    expect(error.message).to.equal('Request failed with status code 200');
    expect(error.code).to.equal(AxiosError.ERR_BAD_RESPONSE);
  });

  it('a replay of error.config or response.config goes through the cache as any request', async () => {
    const { http, origin, adapter } = bench;
    const error = (await rejection(http.get('/404', { params: { a: 1 } }))) as AxiosError;
    const replay = (await rejection(http.request(error.config as AxiosRequestConfig))) as AxiosError;
    expect(replay.response?.fromCache).to.equal(true);
    const miss = await http.get('/x');
    const hit = await http.request(miss.config);
    expect(hit.fromCache).to.equal(true);
    const again = await http.request(hit.config);
    expect(again.fromCache).to.equal(true);
    expect(again.cacheKey).to.equal(miss.cacheKey);
    expect(origin.count).to.equal(2);
    await adapter.clear();
    expect((await http.request(again.config)).fromCache).to.equal(false);
  });

  it('a retrying interceptor (as axios-retry does) reaches the network until it succeeds, then the cache', async () => {
    const { http, origin, adapter } = bench;
    let failures = 2;
    origin.on('/flaky', (request, res, raw) => {
      if (failures-- > 0) raw.socket.destroy();
      else return answer(JSON_TEXT, JSON_TYPE)(request, res, raw);
    });
    retry(http, 3);
    const response = await http.get('/flaky');
    expect(response.data).to.deep.equal(JSON.parse(JSON_TEXT));
    expect(response.fromCache).to.equal(false);
    expect(origin.count).to.equal(3);
    expect((await http.get('/flaky')).fromCache).to.equal(true);
    expect(adapter.cache.stats().stored).to.equal(1);
  });

  it('a retry of a stored error meets the cache, and with forceRefresh the network', async () => {
    const { http, origin } = bench;
    retry(http, 2);
    const error = (await rejection(http.get('/500'))) as AxiosError;
    expect(error.response?.fromCache).to.equal(true);
    expect(origin.count).to.equal(1);
    const forced = (await rejection(http.get('/500', { forceRefresh: true }))) as AxiosError;
    expect(forced.response?.fromCache).to.equal(false);
    expect(origin.count).to.equal(4);
  });

  /** What axios-retry does: counts on the config, and sends the same config again. */
  function retry(http: AxiosInstance, times: number): void {
    http.interceptors.response.use(undefined, (error: AxiosError & { config: { tries?: number } }) => {
      const tries = error.config.tries ?? 0;
      if (tries >= times) return Promise.reject(error);
      error.config.tries = tries + 1;
      return http.request(error.config as AxiosRequestConfig);
    });
  }
});

describe('axios-mock-adapter as the inner adapter', () => {
  /** The documented order: the cache round the mock. */
  function mocked(options: CacheOptions = {}) {
    const mocks = axios.create();
    const mock = new MockAdapter(mocks as never); // its types are for require: another AxiosInstance to TypeScript
    const adapter = cacheAdapter({
      backend: 'memory',
      ...options,
      adapter: mocks.defaults.adapter as AxiosAdapter,
    } as CacheOptions);
    return { mock, bare: mocks, adapter, http: axios.create({ adapter }) };
  }

  it('is asked once; parsed data is handed out by value', async () => {
    const { mock, http, bare } = mocked();
    mock.onGet('http://mock/users').reply(200, { users: [{ id: 1 }] }, { 'x-mock': 'yes' });
    const plain = await bare.get('http://mock/users');
    mock.resetHistory();
    for (const fromCache of [false, true, true]) {
      const response = await http.get('http://mock/users');
      expect(response.fromCache).to.equal(fromCache);
      expect(response.data).to.deep.equal(plain.data);
      expect(response.headers).to.deep.include({ 'x-mock': 'yes' });
      expect(response.status).to.equal(200);
      response.data.users.push('spoilt');
    }
    expect(mock.history.get).to.have.length(1);
  });

  it('errors of the mock reach the caller as they would without a cache', async () => {
    const { mock, http, bare } = mocked();
    mock.onGet('http://mock/network').networkError();
    mock.onGet('http://mock/timeout').timeout();
    mock.onGet('http://mock/aborted').abortRequest();
    mock.onGet('http://mock/500').reply(500, { oh: 'no' });
    for (const path of ['network', 'timeout', 'aborted', '500', 'unknown']) {
      const plain = (await rejection(bare.get(`http://mock/${path}`))) as AxiosError;
      for (let round = 0; round < 2; round++) {
        const error = (await rejection(http.get(`http://mock/${path}`))) as AxiosError;
        expect(error.message, path).to.equal(plain.message);
        expect(error.isAxiosError, path).to.equal(plain.isAxiosError);
        expect(error.response?.status, path).to.equal(plain.response?.status);
        // The mock gives no data at all for what it does not know; from here on that is the empty text, as on the network.
        const data = path === 'unknown' ? '' : plain.response?.data;
        expect(error.response?.data, path).to.deep.equal(data);
        expect(error.config?.url, path).to.equal(`http://mock/${path}`);
        expect(error.config?.validateStatus, path).to.be.a('function');
      }
    }
  });

  it('a mock put onto a caching instance takes the cache out of the way', async () => {
    const { http } = mocked();
    const mock = new MockAdapter(http as never);
    mock.onGet('http://mock/x').reply(200, 'x');
    await http.get('http://mock/x');
    const second = await http.get('http://mock/x');
    expect(second.fromCache).to.equal(undefined);
    expect(mock.history.get).to.have.length(2);
  });
});
