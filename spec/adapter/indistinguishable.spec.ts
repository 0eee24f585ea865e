/** research/axios-adapter.md C.9: what a caller gets from the cache is what the network would have given. */
import { once } from 'node:events';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import axios, {
  type AxiosError,
  type AxiosHeaders,
  type AxiosInstance,
  type AxiosRequestConfig,
  type AxiosResponse,
  type AxiosResponseTransformer,
} from 'axios';
import { expect } from 'chai';
import { MemoryBackend } from '../../lib/index.js';
import { isCurrentAxios } from '../support/axios-version.js';
import { type Rig, rig } from '../support/harness.js';
import type { Handler } from '../support/origin.js';
import { answer, DATE, JSON_TEXT, JSON_TYPE } from './answers.js';
import { outcome, rejection } from './outcome.js';

const FORM = [
  '--b0undary',
  'Content-Disposition: form-data; name="x"',
  '',
  'one',
  '--b0undary',
  'Content-Disposition: form-data; name="y"',
  '',
  'two',
  '--b0undary--',
  '',
].join('\r\n');
const GZIP = { 'content-type': 'application/json', 'content-encoding': 'gzip' };

interface Case {
  name: string;
  handler: Handler;
  config?: AxiosRequestConfig;
  /** Adapters that had another manner, or a bug, here in axios 1.7; ours is that of today's axios. */
  changed?: ('http' | 'fetch')[];
}

const cases: Case[] = [
  { name: 'JSON', handler: answer(JSON_TEXT, JSON_TYPE) },
  { name: 'a JSON string', handler: answer('"text"', JSON_TYPE) },
  { name: 'a number', handler: answer('17', JSON_TYPE) },
  { name: 'an empty body', handler: answer('') },
  { name: 'JSON after a BOM', handler: answer(`\ufeff${JSON_TEXT}`, JSON_TYPE) },
  {
    name: 'latin1',
    handler: answer(Buffer.from('"déjà vu"', 'latin1')),
    config: { responseEncoding: 'latin1' },
  },
  {
    name: 'UTF-16',
    handler: answer(Buffer.from('"déjà"', 'utf16le')),
    config: { responseEncoding: 'utf16le' },
  },
  { name: 'base64', handler: answer(JSON_TEXT), config: { responseEncoding: 'base64' } },
  { name: 'an unknown encoding', handler: answer(JSON_TEXT), config: { responseEncoding: 'klingon' } },
  { name: 'gzip', handler: answer(gzipSync(JSON_TEXT), GZIP) },
  {
    name: 'brotli',
    handler: answer(brotliCompressSync(JSON_TEXT), { ...JSON_TYPE, 'content-encoding': 'br' }),
  },
  { name: 'gzip left as it is', handler: answer(gzipSync(JSON_TEXT), GZIP), config: { decompress: false } },
  {
    name: 'binary',
    handler: answer(Buffer.from(Array.from({ length: 300 }, (_, at) => at % 256)), {
      'content-type': 'image/x',
    }),
  },
  { name: '200 KB', handler: answer('0123456789abcdef'.repeat(12_800), { 'content-type': 'text/plain' }) },
  {
    name: 'chunks without a length',
    handler: (_request, res) => {
      res.writeHead(200, { date: DATE, 'content-type': 'text/plain' });
      res.write('one,');
      res.end('two');
    },
  },
  { name: 'invalid JSON', handler: answer('{"a":', JSON_TYPE) },
  { name: 'multipart', handler: answer(FORM, { 'content-type': 'multipart/form-data; boundary=b0undary' }) },
  { name: 'a form', handler: answer('x=1&x=2', { 'content-type': 'application/x-www-form-urlencoded' }) },
  { name: 'Set-Cookie twice', handler: answer('{}', { 'set-cookie': ['a=1; Path=/', 'b=2; HttpOnly'] }) },
  {
    name: 'odd header names',
    handler: answer('{}', {
      'X-oDD-Name': 'v',
      'x-empty': '',
      'X-Twice': ['one', 'two'],
      'x-latin': '\xe9',
      __proto: 'p',
    }),
  },
  {
    name: 'a reason phrase of its own',
    handler: (_request, res) => {
      res.writeHead(200, 'All Right Then', { date: DATE, 'content-length': 2 });
      res.end('{}');
    },
  },
  { name: '204', changed: ['fetch'], handler: answer('', {}, 204) },
  { name: 'HEAD', changed: ['fetch'], handler: answer(JSON_TEXT, JSON_TYPE), config: { method: 'head' } },
  { name: 'HEAD of gzip', changed: ['fetch'], handler: answer('', GZIP), config: { method: 'head' } },
  { name: '203', handler: answer(JSON_TEXT, JSON_TYPE, 203) },
  { name: '404', changed: ['fetch'], handler: answer(JSON_TEXT, JSON_TYPE, 404) },
  {
    name: '404 that is no error to the caller',
    handler: answer(JSON_TEXT, JSON_TYPE, 404),
    config: { validateStatus: null },
  },
  { name: '500', changed: ['fetch'], handler: answer('no JSON', { 'content-type': 'text/html' }, 500) },
  {
    name: '200 that is an error to the caller',
    changed: ['http', 'fetch'],
    handler: answer(JSON_TEXT, JSON_TYPE),
    config: { validateStatus: () => false },
  },
  {
    name: '410 over maxContentLength',
    changed: ['http', 'fetch'],
    handler: answer(JSON_TEXT, JSON_TYPE, 410),
    config: { maxContentLength: 3 },
  },
  {
    name: 'a body over maxContentLength',
    changed: ['http', 'fetch'],
    handler: answer(JSON_TEXT, JSON_TYPE),
    config: { maxContentLength: 3 },
  },
];

const TYPES = [
  undefined,
  'json',
  'text',
  'arraybuffer',
  'stream',
  'blob',
  'formdata',
  'document',
  'ArrayBuffer',
];
const STORED = { allowableCodes: [200, 203, 204, 404, 410, 500] };

describe('a hit is indistinguishable from the network', () => {
  let bench: Rig;
  before(async () => {
    bench = await rig();
  });
  after(() => bench.close());

  for (const adapter of ['http', 'fetch'] as const) {
    for (const { name, handler, config, changed } of cases) {
      const check = isCurrentAxios || !changed?.includes(adapter) ? it : it.skip;
      check(`${name}, by the ${adapter} adapter, for every responseType`, async () => {
        const path = `/${adapter}/${encodeURIComponent(name)}`;
        bench.origin.on(path, handler);
        const bare = axios.create({ baseURL: bench.origin.url, adapter });
        for (const responseType of TYPES) {
          const asked = { url: path, ...config, responseType } as AxiosRequestConfig;
          const network = await outcome(bare.request(asked));
          const backend = new MemoryBackend();
          const { http, adapter: caching } = bench.another({ ...STORED, adapter, backend });
          expect(await outcome(http.request(asked)), `miss, ${responseType}`).to.deep.equal(network);
          await caching.cache.flush();
          // A body over maxContentLength is not stored; without the limit it is.
          if ((await caching.cache.count()) === 0)
            await outcome(http.request({ ...asked, maxContentLength: -1 }));
          await caching.cache.flush();
          const before = bench.origin.count;
          expect(await outcome(http.request(asked)), `hit, ${responseType}`).to.deep.equal(network);
          const { http: cold } = bench.another({ ...STORED, adapter, backend, hotBytes: 0 });
          expect(await outcome(cold.request(asked)), `hit of stored bytes, ${responseType}`).to.deep.equal(
            network,
          );
          expect(bench.origin.count, `hits, ${responseType}`).to.equal(before);
        }
      });
    }
  }

  it('a stored miss of each responseType is a hit for every other', async () => {
    for (const adapter of ['http', 'fetch']) {
      const bare = axios.create({ baseURL: bench.origin.url, adapter });
      bench.origin.on('/any', answer(JSON_TEXT, JSON_TYPE));
      for (const first of TYPES.filter((type) => type !== 'formdata' || adapter === 'http')) {
        const { http, adapter: caching } = bench.another({ adapter });
        await outcome(http.get('/any', { responseType: first } as AxiosRequestConfig));
        await caching.cache.flush();
        for (const second of TYPES) {
          const asked = { url: '/any', responseType: second } as AxiosRequestConfig;
          const network = await outcome(bare.request(asked));
          const before = bench.origin.count;
          expect(await outcome(http.request(asked)), `${first}, then ${second}`).to.deep.equal(network);
          expect(bench.origin.count, `${first}, then ${second}`).to.equal(before);
        }
      }
    }
  });

  it('what people read from an http stream itself: status, headers, where it came from', async () => {
    const { origin } = bench;
    origin.on('/moved', (_request, res) => void res.writeHead(302, { location: '/message' }).end());
    origin.on('/message', answer(JSON_TEXT, JSON_TYPE));
    const { http, adapter } = bench.another();
    const faces: unknown[] = [];
    for (const client of [axios.create({ baseURL: origin.url }), http, http]) {
      const { data, fromCache } = await client.get('/moved', { responseType: 'stream' });
      const { statusCode, statusMessage, headers, rawHeaders, httpVersion, responseUrl, req } = data;
      const request = { method: req.method, path: req.path, host: req.host };
      data.resume();
      await once(data, 'end');
      await adapter.cache.flush();
      faces.push({
        statusCode,
        statusMessage,
        headers,
        httpVersion,
        responseUrl,
        request,
        names: rawHeaders.length,
      });
      expect(fromCache).to.equal(faces.length === 1 ? undefined : faces.length === 3);
    }
    expect(faces[1]).to.deep.equal(faces[0]);
    expect(faces[2]).to.deep.equal(faces[0]);
  });

  it('the final URL after redirects too', async () => {
    const { origin } = bench;
    origin.on('/from', (_request, res) => {
      res.writeHead(302, { location: '/to?x=1' });
      res.end();
    });
    origin.on('/to', answer(JSON_TEXT, JSON_TYPE));
    const network = await outcome(axios.get(`${origin.url}/from`));
    const { http } = bench.another();
    expect(await outcome(http.get('/from'))).to.deep.equal(network);
    const before = origin.count;
    expect(await outcome(http.get('/from'))).to.deep.equal(network);
    expect(origin.count).to.equal(before);
  });
});

describe("a caller's objects are its own", () => {
  let bench: Rig;
  let http: AxiosInstance;
  beforeEach(async () => {
    bench = await rig(
      { allowableCodes: [200, 404] },
      {},
      answer(JSON_TEXT, { ...JSON_TYPE, 'set-cookie': ['a=1'] }),
    );
    http = bench.http;
    bench.origin.on('/missing', answer(JSON_TEXT, JSON_TYPE, 404));
  });
  afterEach(() => bench.close());

  for (const responseType of [undefined, 'text', 'arraybuffer', 'stream'] as const) {
    it(`what one does to its response never shows in another's: ${responseType}`, async () => {
      const pristine = await outcome(http.get('/x', { responseType: responseType ?? 'json' }));
      for (let round = 0; round < 3; round++) {
        const response = await http.get('/x', { responseType: responseType ?? 'json' });
        spoil(response);
      }
      expect(await outcome(http.get('/x', { responseType: responseType ?? 'json' }))).to.deep.equal(pristine);
      expect(bench.origin.count).to.equal(1);
    });
  }

  it('on the miss as well, and among callers that shared one network call', async () => {
    const responses = await Promise.all([http.get('/x'), http.get('/x'), http.get('/x')]);
    expect(bench.origin.count).to.equal(1);
    const [first, second, third] = responses;
    spoil(first);
    for (const other of [second, third]) {
      expect(other.data).to.deep.equal(JSON.parse(JSON_TEXT));
      expect(other.headers['set-cookie']).to.deep.equal(['a=1']);
      expect(other.status).to.equal(200);
    }
    const bytes = await http.get('/x', { responseType: 'arraybuffer' });
    expect(bytes.data.toString()).to.equal(JSON_TEXT);
  });

  it('bytes of a miss are not those that are stored', async () => {
    const miss = await http.get('/x', { responseType: 'arraybuffer' });
    miss.data.fill(0);
    new Uint8Array(miss.data.buffer).fill(0);
    const hit = await http.get('/x', { responseType: 'arraybuffer' });
    expect(hit.fromCache).to.equal(true);
    expect(hit.data.toString()).to.equal(JSON_TEXT);
    new Uint8Array(hit.data.buffer).fill(0);
    expect((await http.get('/x')).data).to.deep.equal(JSON.parse(JSON_TEXT));
  });

  it('chunks of a streamed miss are not those that are stored', async () => {
    for (const adapter of ['http', 'fetch']) {
      const { http: own, adapter: caching } = bench.another({ adapter });
      const miss = await own.get('/x', { responseType: 'stream' });
      for await (const chunk of miss.data) (chunk as Uint8Array).fill(0);
      await caching.cache.flush();
      const hit = await own.get('/x');
      expect(hit.fromCache).to.equal(true);
      expect(hit.data).to.deep.equal(JSON.parse(JSON_TEXT));
    }
  });

  it('errors too: each has its own response, headers and data', async () => {
    const get = () => rejection(http.get('/missing')) as Promise<AxiosError>;
    const errors = [...(await Promise.all([get(), get()])), await get(), await get()];
    expect(bench.origin.count).to.equal(1);
    for (const error of errors) {
      expect(error.response?.data).to.deep.equal(JSON.parse(JSON_TEXT));
      spoil(error.response as AxiosResponse);
    }
    expect(new Set(errors).size).to.equal(4);
  });

  function spoil(response: AxiosResponse): void {
    if (Buffer.isBuffer(response.data)) response.data.fill(0);
    else if (typeof response.data === 'object' && !('pipe' in response.data)) {
      response.data.b[2].c = 'spoilt';
      response.data.b.length = 1;
    } else if (typeof response.data === 'object') response.data.destroy();
    const cookies: unknown = response.headers['set-cookie'];
    if (Array.isArray(cookies)) cookies.push('spoilt=1');
    response.headers['content-type'] = 'text/spoilt';
    (response.headers as AxiosHeaders).set('x-spoilt', '1');
    response.request.res.headers['x-spoilt'] = '1';
    response.request.spoilt = true;
    response.status = 599;
    response.redirects?.push('spoilt');
  }
});

describe('the headers of a hit, which axios need not normalize', () => {
  /** What each of the network and a hit gives, with the transforms that `config` has. */
  async function both(config: AxiosRequestConfig, headers: Record<string, string>): Promise<AxiosResponse[]> {
    const one = await rig({ backend: new MemoryBackend() });
    try {
      one.origin.on('/x', answer(JSON_TEXT, { ...JSON_TYPE, ...headers }));
      const network = await one.http.get('/x', { ...config, cache: false });
      await one.http.get('/x', config);
      const hit = await one.http.get('/x', config);
      expect([network.fromCache, hit.fromCache]).to.deep.equal([false, true]);
      return [network, hit];
    } finally {
      await one.close();
    }
  }
  const face = ({ headers }: AxiosResponse) => [
    Object.getOwnPropertyNames(headers),
    Object.entries((headers as AxiosHeaders).normalize(false)),
    Object.entries((headers as AxiosHeaders).set('X-Set', ' later ').normalize(true)),
    (headers as AxiosHeaders).normalize === Object.getPrototypeOf(headers).normalize,
  ];

  it('are as ever afterwards', async () => {
    const [network, hit] = await both({}, { 'x-mixed-Case': 'a', link: '<a>' });
    expect(hit && face(hit)).to.deep.equal(network && face(network));
  });

  it('are as ever when a transform of the user changes them', async () => {
    const change = (data: unknown, headers: Record<string, string>) => {
      headers[' X-Odd '] = ' value ';
      return data;
    };
    const transformResponse = [
      ...[axios.defaults.transformResponse].flat(),
      change,
    ] as AxiosResponseTransformer[];
    const [network, hit] = await both({ transformResponse }, {});
    expect(hit && face(hit)).to.deep.equal(network && face(network));
    expect(hit?.headers).to.have.property('X-Odd');
  });

  it('are as ever on a response that validateStatus refuses', async () => {
    const one = await rig({ backend: new MemoryBackend(), allowableCodes: [404] });
    one.origin.on('/x', answer(JSON_TEXT, JSON_TYPE, 404));
    const [network, hit] = [
      await rejection(one.http.get('/x')),
      await rejection(one.http.get('/x')),
    ] as AxiosError[];
    expect(hit).to.have.nested.property('response.fromCache', true);
    const [before, after] = [network, hit].map((error) =>
      face((error as AxiosError).response as AxiosResponse),
    );
    expect(after).to.deep.equal(before);
    await one.close();
  });

  it('may have one that is called normalize, as far as axios goes with it', async () => {
    const one = await rig({ backend: new MemoryBackend() });
    one.origin.on('/x', answer(JSON_TEXT, { ...JSON_TYPE, normalize: 'x' }));
    const first = await outcomeOf(one.http.get('/x'));
    const second = await outcomeOf(one.http.get('/x'));
    expect(second).to.deep.equal(first);
    await one.close();
  });

  /** Its headers, or its error: axios of some versions can't call the method any more. */
  const outcomeOf = (promise: Promise<AxiosResponse>) =>
    promise.then(({ headers }) => Object.entries(headers), String);
});
