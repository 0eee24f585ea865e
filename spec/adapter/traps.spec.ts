/** The traps of axios' adapter interface, research/axios-adapter.md C.7, each one shown to be handled. */

import { once } from 'node:events';
import { METHODS } from 'node:http';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import axios, {
  type AxiosAdapter,
  AxiosError,
  AxiosHeaders,
  type AxiosProgressEvent,
  type AxiosRequestConfig,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { expect } from 'chai';
import NodeFormData from 'form-data';
import { type CacheOptions, MemoryBackend, type Store } from '../../lib/index.js';
import { itOnCurrentAxios } from '../support/axios-version.js';
import { type Rig, rig } from '../support/harness.js';
import { answer, JSON_TEXT, JSON_TYPE } from './answers.js';
import { drain, rejection } from './outcome.js';

const ETAG = '"1"';

/** A promise and what resolves it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** All that lies before the network is done in microtasks when the store is synchronous. */
function boarded(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('traps of the adapter interface', () => {
  let bench: Rig;
  beforeEach(async () => {
    bench = await rig({ allowableCodes: [200, 404] });
    bench.origin.on('/json', answer(JSON_TEXT, JSON_TYPE)).on('/404', answer(JSON_TEXT, JSON_TYPE, 404));
  });
  afterEach(() => bench.close());

  it('T1 coalesced callers each get their own response, transformed once', async () => {
    const { http, origin } = bench;
    const transformResponse = (data: string) => `<${data}>`;
    const get = () => http.get('/json', { transformResponse });
    const responses = await Promise.all([get(), get(), get()]);
    expect(responses.map(({ data }) => data)).to.deep.equal(Array(3).fill(`<${JSON_TEXT}>`));
    expect(new Set(responses).size).to.equal(3);

    const fail = () => rejection(http.get('/404', { transformResponse })) as Promise<AxiosError>;
    const errors = await Promise.all([fail(), fail(), fail()]);
    expect(errors.map(({ response }) => response?.data)).to.deep.equal(Array(3).fill(`<${JSON_TEXT}>`));
    expect(new Set(errors).size).to.equal(3);
    expect(origin.count).to.equal(2);
  });

  it('T2 each caller has its own AxiosHeaders, whatever a transformResponse does to them', async () => {
    const { http } = bench;
    const transformResponse = (data: unknown, headers: AxiosHeaders) => {
      headers.set('content-type', 'spoilt').delete('date');
      return data;
    };
    const spoilt = await Promise.all([
      http.get('/json', { transformResponse }),
      http.get('/json', { transformResponse }),
    ]);
    const hit = await http.get('/json');
    expect(hit.headers['content-type']).to.equal('application/json');
    expect(hit.headers.date).to.be.a('string');
    expect(new Set([...spoilt, hit].map(({ headers }) => headers)).size).to.equal(3);
  });

  it("T3 a hit is settled by the caller's own validateStatus", async () => {
    const { http, origin } = bench;
    await rejection(http.get('/404'));
    expect((await http.get('/404', { validateStatus: () => true })).status).to.equal(404);
    expect(((await rejection(http.get('/404'))) as AxiosError).response?.status).to.equal(404);
    expect(origin.count).to.equal(1);
  });

  it('T4 a body stored for one responseType is served for any other', async () => {
    const { http, origin } = bench;
    await http.get('/json', { responseType: 'text' });
    expect((await http.get('/json')).data).to.deep.equal(JSON.parse(JSON_TEXT));
    const bytes = (await http.get('/json', { responseType: 'arraybuffer' })).data;
    expect(Buffer.isBuffer(bytes) && bytes.toString()).to.equal(JSON_TEXT);
    const { data } = await http.get('/json', { responseType: 'stream' });
    expect(await drain(data)).to.equal(Buffer.from(JSON_TEXT).toString('base64'));
    expect(origin.count).to.equal(1);
  });

  it('T5 a streamed miss flows at once, and is stored only when it is complete', async () => {
    const { http, origin, adapter } = bench;
    const rest = gate();
    origin.on('/slow', async (_, res) => {
      res.write('first,');
      await rest.opened;
      res.end('last');
    });
    const { data } = await http.get('/slow', { responseType: 'stream' });
    const [first] = await once(data, 'data');
    expect(String(first)).to.equal('first,');
    expect(await adapter.cache.count()).to.equal(0);
    rest.open();
    await once(data, 'end');
    await adapter.cache.flush();
    expect((await http.get('/slow')).data).to.equal('first,last');
    expect(origin.count).to.equal(1);
  });

  it('T5 a stream that breaks off, is given up or is too large is not stored', async () => {
    const { http, origin, adapter, another } = bench;
    origin.on('/broken', (_, res) => {
      res.writeHead(200, { 'content-length': 100 });
      res.write('only this', () => res.destroy());
    });
    const broken = await http.get('/broken', { responseType: 'stream' });
    await rejection(drain(broken.data));
    const left = await http.get('/json', { responseType: 'stream' });
    left.data.destroy();
    await once(left.data, 'close');
    expect(await adapter.cache.count()).to.equal(0);

    const small = another({ maxEntryBytes: 10 });
    origin.on('/large', (_, res) => {
      res.write('0123456789');
      res.end('a');
    });
    const large = await small.http.get('/large', { responseType: 'stream' });
    expect(await drain(large.data)).to.equal(Buffer.from('0123456789a').toString('base64'));
    expect(await small.adapter.cache.count()).to.equal(0);
  });

  it('T6 invalid JSON with responseType json rejects from the cache as it does from the network', async () => {
    const { http, origin } = bench;
    origin.on('/invalid', answer('{"a":', JSON_TYPE));
    const strict = { responseType: 'json', transitional: { silentJSONParsing: false } } as const;
    const network = (await rejection(http.get('/invalid', strict))) as AxiosError;
    const hit = (await rejection(http.get('/invalid', strict))) as AxiosError;
    expect([hit.name, hit.message, hit.code]).to.deep.equal([network.name, network.message, network.code]);
    expect(hit.response?.data).to.equal(network.response?.data);
    expect((await http.get('/invalid', { responseType: 'text' })).data).to.equal('{"a":');
    expect(origin.count).to.equal(1);
  });

  it("T7 the http adapter's own headers neither reach the caller's config nor split what varies on them", async () => {
    const { http, origin } = bench;
    origin.on('/vary', (_, res) => {
      res.writeHead(200, { vary: 'Accept-Encoding, User-Agent, Accept' });
      res.end('{}');
    });
    let sent: string[] = [];
    http.interceptors.request.use((config) => {
      sent = Object.keys(config.headers.toJSON());
      return config;
    });
    const config = {
      headers: { 'X-Own': '1', Authorization: 'Bearer t' },
      auth: { username: 'u', password: 'p' },
    };
    const miss = await http.get('/vary', config);
    expect(Object.keys(miss.config.headers.toJSON())).to.have.members(sent);
    expect(miss.config.headers.get('authorization')).to.equal('Bearer t');
    expect((await http.get('/vary', config)).fromCache).to.equal(true);
    expect((await http.request(miss.config)).fromCache).to.equal(true);
  });

  it('T8 validators of a revalidation are not left on config, so a replay is unconditional', async () => {
    const { http, origin, clock, adapter } = bench;
    origin.on('/tagged', (request, res) => {
      if (request.headers['if-none-match'] === ETAG) res.writeHead(304, { etag: ETAG }).end();
      else res.writeHead(200, { etag: ETAG }).end('{}');
    });
    await http.get('/tagged', { expireAfter: 1 });
    clock.tick(2);
    const confirmed = await http.get('/tagged', { expireAfter: 1 });
    expect(confirmed.revalidated).to.equal(true);
    expect(confirmed.config.headers.has('if-none-match')).to.equal(false);
    await adapter.clear();
    const replay = await http.request(confirmed.config);
    expect(origin.last?.headers).to.not.have.property('if-none-match');
    expect(replay.status).to.equal(200);

    origin.on('/tagged', (_, res) => void res.writeHead(500).end());
    clock.tick(2);
    const error = (await rejection(http.get('/tagged'))) as AxiosError;
    expect(origin.last?.headers['if-none-match']).to.equal(ETAG);
    expect(error.config?.headers.has('if-none-match')).to.equal(false);
    expect(error.response?.config).to.equal(error.config);
  });

  it("T9 a 304 never meets the caller's validateStatus, and the caller's config is left alone", async () => {
    const { http, origin, clock } = bench;
    origin.on('/tagged', (request, res) => {
      if (request.headers['if-none-match'] === ETAG) res.writeHead(304).end();
      else res.writeHead(200, { etag: ETAG }).end('{}');
    });
    const statuses: number[] = [];
    const validateStatus = (status: number) => {
      statuses.push(status);
      return status === 200;
    };
    await http.get('/tagged', { validateStatus, expireAfter: 1 });
    clock.tick(2);
    const response = await http.get('/tagged', { validateStatus });
    expect(response.revalidated).to.equal(true);
    expect(response.status).to.equal(200);
    expect(response.config.validateStatus).to.equal(validateStatus);
    expect(response.config.responseType).to.equal(undefined);
    expect(statuses).to.deep.equal([200, 200]);
  });

  it('T10 an aborted signal or cancelled token rejects although there is a hit', async () => {
    const { http } = bench;
    await http.get('/json');
    const bySignal = (await rejection(http.get('/json', { signal: AbortSignal.abort() }))) as AxiosError;
    expect(axios.isCancel(bySignal)).to.equal(true);
    expect(bySignal.code).to.equal(AxiosError.ERR_CANCELED);
    const source = axios.CancelToken.source();
    source.cancel('enough');
    const byToken = (await rejection(http.get('/json', { cancelToken: source.token }))) as AxiosError;
    expect(axios.isCancel(byToken)).to.equal(true);
    expect(byToken.message).to.equal('enough');
  });

  it('T10 a signal aborted while a slow store is read rejects at once', async () => {
    const { another, origin } = bench;
    const asked = gate();
    const store = slowStore(() => asked.open());
    const { http } = another({ backend: store } as CacheOptions);
    const controller = new AbortController();
    const request = rejection(http.get('/json', { signal: controller.signal }));
    await asked.opened;
    controller.abort();
    expect(axios.isCancel(await request)).to.equal(true);
    expect(origin.count).to.equal(0);
  });

  it('T11 the timeout of a request runs while a store is slow, and while it waits for another request', async () => {
    const { another, http, origin } = bench;
    const { http: behindStore } = another({ backend: slowStore(), storeTimeout: 60 } as CacheOptions);
    const slow = (await rejection(behindStore.get('/json', { timeout: 20 }))) as AxiosError;
    expect(slow.message).to.equal('timeout of 20ms exceeded');
    expect(slow.code).to.equal(AxiosError.ECONNABORTED);

    const asked = gate();
    const held = gate();
    origin.on('/held', async (_, res) => {
      asked.open();
      await held.opened;
      res.end('{}');
    });
    const leader = http.get('/held');
    await asked.opened;
    const transitional = { clarifyTimeoutError: true };
    const follower = (await rejection(
      http.get('/held', { timeout: 20, timeoutErrorMessage: 'too slow', transitional }),
    )) as AxiosError;
    expect(follower.message).to.equal('too slow');
    expect(follower.code).to.equal(AxiosError.ETIMEDOUT);
    held.open();
    expect((await leader).status).to.equal(200);
    expect(origin.count).to.equal(1);
  });

  it('T12 a call outlives the caller who began it, and is aborted when the last one has left', async () => {
    const { http, origin, adapter } = bench;
    let asked = gate();
    let held = gate();
    let hungUp: Promise<unknown> = Promise.resolve();
    origin.on('/held', async (_, res) => {
      hungUp = once(res, 'close');
      asked.open();
      await held.opened;
      res.end('{}');
    });
    const leader = new AbortController();
    const first = rejection(http.get('/held', { signal: leader.signal, timeout: 60_000 }));
    await asked.opened;
    const second = http.get('/held');
    const third = new AbortController();
    const last = rejection(http.get('/held', { signal: third.signal }));
    await boarded();
    leader.abort();
    expect(axios.isCancel(await first)).to.equal(true);
    third.abort();
    expect(axios.isCancel(await last)).to.equal(true);
    held.open();
    expect((await second).status).to.equal(200);
    expect(origin.count).to.equal(1);

    await adapter.clear();
    asked = gate();
    held = gate();
    const controllers = [new AbortController(), new AbortController()];
    const requests = controllers.map(({ signal }) => rejection(http.get('/held', { signal })));
    await asked.opened;
    await boarded();
    for (const controller of controllers) controller.abort();
    for (const error of await Promise.all(requests)) expect(axios.isCancel(error)).to.equal(true);
    await hungUp;
    expect(await adapter.cache.count()).to.equal(0);
  });

  it('T13 maxContentLength holds for hits, by the bytes that are handed over', async () => {
    const { http, origin } = bench;
    origin.on('/gzip', answer(gzipSync('a'.repeat(1000)), { 'content-encoding': 'gzip' }));
    await http.get('/gzip');
    expect((await http.get('/gzip', { maxContentLength: 1000 })).fromCache).to.equal(true);
    const error = (await rejection(http.get('/gzip', { maxContentLength: 999 }))) as AxiosError;
    expect(error.message).to.equal('maxContentLength size of 999 exceeded');
    expect(error.code).to.equal(AxiosError.ERR_BAD_RESPONSE);
    const { data } = await http.get('/gzip', { maxContentLength: 999, responseType: 'stream' });
    expect(((await rejection(drain(data))) as AxiosError).message).to.equal(error.message);
    expect(origin.count).to.equal(1);
  });

  itOnCurrentAxios('T13 maxBodyLength holds for hits, and for who joins a call', async () => {
    for (const adapter of ['http', 'fetch'] as const) {
      const { http } = bench.another({ adapter, allowableMethods: ['POST'] });
      const held = gate();
      bench.origin.on('/post', async (_, res) => {
        await held.opened;
        res.end('{}');
      });
      const body = 'x'.repeat(1000);
      const refused = () =>
        rejection(http.post('/post', body, { maxBodyLength: 999 })) as Promise<AxiosError>;
      const leader = http.post('/post', body, { maxBodyLength: 1000 });
      await boarded();
      const follower = await refused();
      held.open();
      expect((await leader).fromCache).to.equal(false);
      const hit = await refused();
      for (const error of [follower, hit]) {
        expect(error.message).to.equal('Request body larger than maxBodyLength limit');
        expect(error.code).to.equal(AxiosError.ERR_BAD_REQUEST);
      }
      expect((await http.post('/post', body, { maxBodyLength: 1000 })).fromCache).to.equal(true);
    }
    expect(bench.origin.count).to.equal(2);
  });

  it('T14 a hit tells onDownloadProgress once of the whole body', async () => {
    const { http } = bench;
    const events: AxiosProgressEvent[] = [];
    const onDownloadProgress = (event: AxiosProgressEvent) => void events.push(event);
    await http.get('/json');
    await http.get('/json', { onDownloadProgress });
    expect(events).to.have.length(1);
    const bytes = Buffer.byteLength(JSON_TEXT);
    expect(events[0]).to.include({
      loaded: bytes,
      total: bytes,
      progress: 1,
      bytes,
      download: true,
      lengthComputable: true,
    });
  });

  it('T15 an error of the inner adapter passes transforms and interceptors exactly once', async () => {
    const { http, origin } = bench;
    origin.on('/503', answer('oh', {}, 503));
    const seen: string[] = [];
    http.interceptors.request.use((config) => {
      seen.push('request');
      return config;
    });
    http.interceptors.response.use(undefined, (error) => {
      seen.push('response');
      return Promise.reject(error);
    });
    const transformResponse = (data: unknown) => {
      seen.push(`transform ${data}`);
      return [data];
    };
    const error = (await rejection(http.get('/503', { transformResponse }))) as AxiosError;
    expect(error.response?.data).to.deep.equal(['oh']);
    expect(seen).to.deep.equal(['request', 'transform oh', 'response']);
  });

  describe('T16 a body of any kind is part of the key', () => {
    const bytes = Uint8Array.from([1, 2, 3, 4]);
    const bodies: Record<string, (different: boolean) => unknown> = {
      'JSON object': (different) => ({ a: different ? 2 : 1 }),
      string: (different) => (different ? 'other' : 'text'),
      URLSearchParams: (different) => new URLSearchParams({ a: different ? '2' : '1' }),
      Buffer: (different) => Buffer.from(different ? 'other' : 'bytes'),
      ArrayBuffer: (different) => bytes.buffer.slice(different ? 1 : 0),
      // axios sends all of a view's buffer.
      'typed-array view': (different) => new Uint8Array(bytes.buffer.slice(different ? 1 : 0), 1, 2),
      Blob: (different) => new Blob([different ? 'other' : 'bytes']),
      FormData: (different) => {
        const form = new FormData();
        form.append('a', different ? '2' : '1');
        form.append('file', new Blob(['file']), 'name');
        return form;
      },
      'form-data': (different) => {
        const form = new NodeFormData();
        form.append('a', different ? '2' : '1');
        return form;
      },
    };
    for (const [kind, body] of Object.entries(bodies)) {
      it(kind, async () => {
        const { http } = bench.another({ allowableMethods: ['POST'] });
        expect((await http.post('/any', body(false))).fromCache).to.equal(false);
        expect((await http.post('/any', body(false))).fromCache).to.equal(true);
        expect((await http.post('/any', body(true))).fromCache).to.equal(false);
        expect((await http.post('/any')).fromCache).to.equal(false);
      });
    }

    it('a stream passes the cache by, and arrives whole', async () => {
      const { http, adapter } = bench.another({ allowableMethods: ['POST'] });
      for (let round = 0; round < 2; round++) {
        const response = await http.post('/any', Readable.from([Buffer.from('streamed')]));
        expect(response.fromCache).to.equal(false);
        expect(response.cacheStatus).to.include({ fwd: 'bypass', detail: 'stream-body' });
        expect(bench.origin.last?.body.toString()).to.equal('streamed');
      }
      expect(await adapter.cache.count()).to.equal(0);
    });
  });

  it('T17 the type of a body is part of the key', async () => {
    const { http } = bench.another({ allowableMethods: ['POST'] });
    const post = (type: string) => http.post('/any', 'a=1', { headers: { 'content-type': type } });
    await post('text/plain');
    expect((await post('text/plain')).fromCache).to.equal(true);
    expect((await post('text/html')).fromCache).to.equal(false);
    expect((await post('application/x-www-form-urlencoded')).fromCache).to.equal(false);
  });

  it('T18 the final URL of a redirect is known from a hit; the URL asked for is what is keyed', async () => {
    const { http, origin } = bench;
    origin.on('/from', (_, res) => void res.writeHead(301, { location: '/json' }).end());
    await http.get('/from');
    const hit = await http.get('/from');
    expect(hit.fromCache).to.equal(true);
    expect(hit.request.res.responseUrl).to.equal(`${origin.url}/json`);
    expect(hit.redirects).to.deep.equal([`${origin.url}/from`]);
    expect((await http.get('/json')).fromCache).to.equal(true);
    expect(origin.count).to.equal(2);
  });

  it('T19 what changes the bytes separates entries, what changes their reading does not', async () => {
    const { http, origin } = bench;
    const zipped = gzipSync(JSON_TEXT);
    origin.on('/gzip', answer(zipped, { ...JSON_TYPE, 'content-encoding': 'gzip' }));
    origin.on('/from', (_, res) => void res.writeHead(302, { location: '/json' }).end());
    await http.get('/gzip');
    const raw = await http.get('/gzip', { decompress: false, responseType: 'arraybuffer' });
    expect(raw.fromCache).to.equal(false);
    expect(raw.data.equals(zipped)).to.equal(true);
    const again = await http.get('/gzip', { decompress: false, responseType: 'arraybuffer' });
    expect(again.fromCache && again.data.equals(zipped)).to.equal(true);
    expect((await http.get('/gzip')).data).to.deep.equal(JSON.parse(JSON_TEXT));

    await http.get('/from');
    const hop = (await rejection(http.get('/from', { maxRedirects: 0 }))) as AxiosError;
    expect(hop.response?.status).to.equal(302);

    origin.on('/latin1', answer(Buffer.from('é', 'latin1')));
    await http.get('/latin1');
    const latin1 = await http.get('/latin1', { responseEncoding: 'latin1' });
    expect(latin1.fromCache && latin1.data).to.equal('é');
  });

  it('T20 the adapter answers with a promise whatever happens inside', async () => {
    const { another } = bench;
    const throwing: AxiosAdapter = () => {
      throw new Error('at once');
    };
    const { adapter } = another({ adapter: throwing });
    const config = {
      url: 'http://x/',
      method: 'get',
      headers: new AxiosHeaders(),
    } as InternalAxiosRequestConfig;
    for (const odd of [
      config,
      { ...config, expireAfter: 'soon' },
      { ...config, url: 'http://[' },
      { ...config, cache: false },
    ]) {
      const answered = adapter(odd as InternalAxiosRequestConfig);
      expect(answered).to.be.instanceOf(Promise);
      expect(await rejection(answered)).to.be.instanceOf(Error);
    }
    const plain = another({ adapter: (() => ({ status: 200, data: 'x', headers: {}, config })) as never });
    expect((await plain.http.get('http://x/')).data).to.equal('x');
  });

  it('T21 another copy of axios may use the adapter', async () => {
    const { adapter, origin } = bench;
    const other: typeof axios = createRequire(import.meta.url)('axios');
    const http = other.create({ adapter: adapter as never, baseURL: origin.url });
    await http.get('/json');
    const hit = await http.get('/json');
    expect(hit.fromCache).to.equal(true);
    expect(hit.headers).to.be.instanceOf(other.AxiosHeaders);
    const error = (await rejection(http.get('/404'))) as AxiosError;
    expect(other.isAxiosError(error) && axios.isAxiosError(error)).to.equal(true);
    const cancelled = await rejection(http.get('/json', { signal: AbortSignal.abort() as never }));
    expect(other.isCancel(cancelled) && axios.isCancel(cancelled)).to.equal(true);
    // And the caching instance may sit on an adapter of another copy.
    const mixed = bench.another({ adapter: other.getAdapter('http') as never });
    await mixed.http.get('/json');
    expect((await mixed.http.get('/json')).data).to.deep.equal(JSON.parse(JSON_TEXT));
    const refused = (await rejection(mixed.http.get('/404'))) as AxiosError;
    expect(refused.response?.status).to.equal(404);
  });

  it('T22 Set-Cookie is replayed as the array it was, to each caller its own', async () => {
    const { http, origin } = bench;
    origin.on('/cookies', answer('{}', { 'set-cookie': ['a=1', 'b=2; Path=/'] }));
    for (let round = 0; round < 3; round++) {
      const { headers } = await http.get('/cookies');
      expect(headers['set-cookie']).to.deep.equal(['a=1', 'b=2; Path=/']);
      headers['set-cookie']?.push('c=3');
    }
    expect(origin.count).to.equal(1);
  });

  it('T23 whatever an inner adapter rejects with reaches every waiter, and the next request is a new call', async () => {
    for (const reason of [new Error('plain'), 'a string', undefined, null, { odd: true }]) {
      let calls = 0;
      const held = gate();
      const adapter: AxiosAdapter = async () => {
        calls += 1;
        await held.opened;
        throw reason;
      };
      const { http } = bench.another({ adapter });
      const together = [rejection(http.get('/x')), rejection(http.get('/x'))];
      held.open();
      for (const error of await Promise.all(together)) expect(error).to.equal(reason);
      expect(calls).to.equal(1);
      expect(await rejection(http.get('/x'))).to.equal(reason);
      expect(calls).to.equal(2);
    }
  });

  it('T24 another wrapper may be the inner adapter, or sit outside', async () => {
    const { origin, another, adapter } = bench;
    let passed = 0;
    const inner: AxiosAdapter = (config) => {
      passed += 1;
      return axios.getAdapter('http')(config);
    };
    const { http } = another({ adapter: inner });
    await http.get('/json');
    expect((await http.get('/json')).fromCache).to.equal(true);
    expect(passed).to.equal(1);

    let limited = 0;
    const outer = axios.create({ baseURL: origin.url });
    outer.defaults.adapter = (config) => {
      limited += 1;
      return adapter(config);
    };
    await outer.get('/json');
    expect((await outer.get('/json')).fromCache).to.equal(true);
    expect(limited).to.equal(2);
  });

  it('T25 a store that fails in any way fails no request', async () => {
    const { another } = bench;
    const failure = new Error('the disk is gone');
    const thrown = () => {
      throw failure;
    };
    const rejected = () => Promise.reject(failure);
    for (const fail of [thrown, rejected]) {
      for (const broken of [['get'], ['set'], ['delete'], ['get', 'set', 'delete']] as const) {
        const store: Store = new MemoryBackend();
        for (const name of broken) store[name] = fail as never;
        const { http, adapter } = another({ backend: store, hotBytes: 0, expireAfter: 0 } as CacheOptions);
        const reasons: unknown[] = [];
        adapter.cache.on('error', ({ error }) => reasons.push((error as Error).cause));
        for (let round = 0; round < 2; round++) {
          expect((await http.get('/json', { expireAfter: 60 })).data).to.deep.equal(JSON.parse(JSON_TEXT));
          expect((await http.post('/json')).status).to.equal(200);
        }
        await adapter.cache.flush();
        if (broken.length > 1 || broken[0] !== 'delete') expect(reasons).to.not.be.empty;
        for (const cause of reasons) expect(cause).to.equal(failure);
      }
    }
  });

  it('T26 withCredentials and XSRF settings alone separate nothing; a Cookie header does', async () => {
    const { http } = bench;
    await http.get('/json');
    const xsrf = { withCredentials: true, withXSRFToken: true, xsrfCookieName: 'x', xsrfHeaderName: 'y' };
    expect((await http.get('/json', xsrf)).fromCache).to.equal(true);
    expect((await http.get('/json', { headers: { cookie: 'session=1' } })).fromCache).to.equal(false);
    expect((await http.get('/json', { headers: { cookie: 'session=1' } })).fromCache).to.equal(true);
    expect((await http.get('/json', { headers: { cookie: 'session=2' } })).fromCache).to.equal(false);
  });

  it('T27 a safe method with a body can be cached, keyed by its body', async () => {
    const method = METHODS.includes('QUERY') ? 'query' : 'search';
    const { http } = bench.another({ allowableMethods: ['GET', method] });
    const query = (data: unknown) => http.request({ url: '/any', method, data });
    await query({ q: 1 });
    expect(bench.origin.last?.method).to.equal(method.toUpperCase());
    expect((await query({ q: 1 })).fromCache).to.equal(true);
    expect((await query({ q: 2 })).fromCache).to.equal(false);
    const { http: byDefault } = bench.another();
    const response = await byDefault.request({ url: '/any', method, data: { q: 1 } });
    expect(response.cacheStatus).to.include({ hit: false, fwd: 'method' });
  });

  it('T28 an adapter given with a request goes past the cache', async () => {
    const { http, adapter, origin } = bench;
    await http.get('/json');
    const past = await http.get('/json', { adapter: 'http' });
    expect(past.fromCache).to.equal(undefined);
    expect(origin.count).to.equal(2);
    expect(adapter.cache.stats().hits).to.equal(0);
  });

  it('T29 instances made of a caching instance share its cache', async () => {
    const { http, origin, adapter } = bench;
    await http.get('/json');
    const child = axios.create({ ...http.defaults, headers: {} } as AxiosRequestConfig);
    expect((await child.get('/json')).fromCache).to.equal(true);
    const created = (http as unknown as typeof axios).create({ timeout: 1000 });
    expect(created.defaults.adapter).to.equal(adapter);
    expect((await created.get('/json')).fromCache).to.equal(true);
    expect(origin.count).to.equal(1);
  });

  it("T30 a polluted Object.prototype is nobody's wish", async () => {
    const { http, adapter } = bench;
    await http.get('/json');
    const polluted: Record<string, unknown> = {
      expireAfter: 'nonsense',
      cache: false,
      refresh: true,
      forceRefresh: true,
      onlyIfCached: true,
      staleIfError: 'nonsense',
      staleWhileRevalidate: 'nonsense',
    };
    const prototype = Object.prototype as unknown as Record<string, unknown>;
    let hit: AxiosResponse | undefined;
    let miss: AxiosResponse | undefined;
    const direct = { method: 'get', url: `${bench.origin.url}/json`, headers: new AxiosHeaders() };
    try {
      for (const [name, value] of Object.entries(polluted)) {
        Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
      }
      hit = await adapter(direct as InternalAxiosRequestConfig);
      miss = await adapter({ ...direct, url: `${bench.origin.url}/other` } as InternalAxiosRequestConfig);
    } finally {
      for (const name of Object.keys(polluted)) delete prototype[name];
    }
    expect(hit.fromCache).to.equal(true);
    expect(miss.cacheStatus).to.include({ hit: false, stored: true });
    expect(bench.origin.count).to.equal(2);
  });

  for (const [kind, of] of [
    ['a Buffer', (bytes: Buffer) => bytes],
    ['an array', (bytes: Buffer) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)],
  ] as const) {
    it(`T31 an adapter of the user may use its bytes again (${kind}), and so may who saves a response`, async () => {
      const bytes = Buffer.from('one');
      const bare = { status: 200, statusText: 'OK', headers: {} };
      const inner = async (config: InternalAxiosRequestConfig) => ({ ...bare, data: of(bytes), config });
      const { http, adapter } = bench.another({ adapter: inner as unknown as AxiosAdapter });
      const saved = { ...bare, data: of(bytes) } as unknown as AxiosResponse;
      await adapter.cache.save({ url: `${bench.origin.url}/saved` }, saved);
      const miss = http.get('/bytes', { responseType: 'arraybuffer' });
      expect(String((await miss).data)).to.equal('one');
      bytes.write('two');
      expect((await http.get('/bytes')).data).to.equal('one');
      expect((await http.get('/saved')).data).to.equal('one');
    });
  }
});

/** A store whose reads never come back. */
function slowStore(onRead: () => void = () => {}): Store {
  const store: Store = new MemoryBackend();
  store.get = () => {
    onRead();
    return new Promise<undefined>(() => {});
  };
  delete (store as { version?: unknown }).version;
  return store;
}
