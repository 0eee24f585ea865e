/** Nothing about a request changes for the origin: the bytes on the socket are those of axios without a cache. */
import { createServer, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import axios, { type AxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import NodeFormData from 'form-data';
import { type CacheOptions, cacheAdapter, DO_NOT_CACHE } from '../../lib/index.js';
import { TestClock } from '../support/origin.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Records what comes over the socket, byte for byte; answers each request with the same and hangs up. */
class Tap {
  readonly seen: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #answer = 'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}';

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      let request = '';
      socket.on('data', (chunk) => {
        request += chunk.toString('latin1');
        if (!isWhole(request)) return;
        this.seen.push(request);
        const head = this.#answer.slice(0, this.#answer.indexOf('\r\n\r\n') + 4);
        socket.end(request.startsWith('HEAD ') ? head : this.#answer);
        request = '';
      });
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<Tap> {
    const tap = new Tap();
    await new Promise<void>((resolve) => tap.#server.listen(0, '127.0.0.1', resolve));
    return tap;
  }

  get host(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('not listening');
    return `127.0.0.1:${address.port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** What arrived while `ask` ran, its outcome beside, boundaries made alike. */
  async record(ask: () => Promise<unknown>): Promise<{ sent: string[]; outcome: string }> {
    const from = this.seen.length;
    const outcome = await ask().then(
      () => 'resolved',
      (error: Error) => `${error.name}: ${error.message}`,
    );
    return { sent: this.seen.slice(from).map(withoutBoundary), outcome };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function isWhole(request: string): boolean {
  const end = request.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = request.slice(0, end);
  if (/^transfer-encoding: *chunked/im.test(head)) return request.endsWith('0\r\n\r\n');
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return request.length >= end + 4 + length;
}

/** Multipart boundaries are random, alike in length; on POST fetch leaves them out of the header (it keeps axios' own type). */
function withoutBoundary(request: string): string {
  const boundary = (/boundary="?([^"\r\n;]+)/i.exec(request) ??
    /\r\n\r\n--(----formdata-undici-\d+)/.exec(request))?.[1];
  return boundary === undefined ? request : request.replaceAll(boundary, 'B'.repeat(boundary.length));
}

function webForm(): FormData {
  const form = new FormData();
  form.append('a', '1');
  form.append('file', new Blob(['file body'], { type: 'text/x' }), 'name.txt');
  return form;
}

function nodeForm(): NodeFormData {
  const form = new NodeFormData();
  form.append('a', '1');
  form.append('file', Buffer.from('file body'), { filename: 'name.txt', contentType: 'text/x' });
  return form;
}

const bytes = Uint8Array.from([0, 1, 2, 250, 255, 13, 10]);
/** Made anew for each request: some can be read only once. */
const BODIES: Record<string, () => unknown> = {
  none: () => undefined,
  null: () => null,
  'JSON object': () => ({ z: 1, a: [1, { b: 'ä' }] }),
  'JSON array': () => [3, 1, 2],
  string: () => 'just a string, ä',
  'empty string': () => '',
  number: () => 17,
  URLSearchParams: () =>
    new URLSearchParams([
      ['b', '1'],
      ['a', '2 & 3'],
      ['b', '0'],
    ]),
  FormData: webForm,
  'form-data': nodeForm,
  Buffer: () => Buffer.from(bytes),
  ArrayBuffer: () => bytes.buffer.slice(0),
  'typed-array view': () => new Uint8Array(bytes.buffer.slice(0), 2, 3),
  Blob: () => new Blob([bytes], { type: 'application/x-blob' }),
  'Node stream': () => Readable.from([Buffer.from('one,'), Buffer.from('two')]),
  'web stream': () => new Response('streamed').body,
};

const CONFIGS: Record<string, AxiosRequestConfig> = {
  auth: { auth: { username: 'jané', password: 's:ecret' } },
  'auth over a header': { auth: { username: 'u', password: 'p' }, headers: { Authorization: 'Bearer t' } },
  'an Authorization header': { headers: { AUTHORIZATION: 'Bearer t' } },
  cookies: { headers: { cookie: 'b=2; a=1' } },
  params: { params: { z: 1, a: ['x', 'y'], 'b[c]': { d: 'é &+' }, empty: '', none: null, plus: '+' } },
  'params as URLSearchParams': { params: new URLSearchParams('z=1&a=2&z=0') },
  'params beside a query and a fragment': { url: '/p?b=1&&c#frag', params: { a: 1 } },
  'an odd query': { url: '/p//x/../%7euser/%2F?b=%2b+&a&=&a=%zz' },
  paramsSerializer: { params: { a: 1 }, paramsSerializer: { serialize: () => 'raw=[%]' } },
  'headers in odd spellings': {
    headers: { 'x-LOWER-Upper': 'v', 'X-Latin': '\xe9', 'x-list': ['one', 'two'] as never },
  },
  'headers taken away': {
    headers: { Accept: null as never, 'User-Agent': false as never, 'Accept-Encoding': '' },
  },
  'headers replaced': {
    headers: { 'user-agent': 'me/1', 'accept-encoding': 'identity', host: 'example.test' },
  },
  'a condition of the caller': {
    headers: { 'If-None-Match': '"x"', 'If-Modified-Since': 'Thu, 15 Jan 2026 12:00:00 GMT' },
  },
  'Cache-Control of the caller': { headers: { 'cache-control': 'max-age=5, no-cache', pragma: 'no-cache' } },
  Range: { headers: { range: 'bytes=0-1' } },
  'a content type of the caller': { headers: { 'Content-Type': 'application/vnd.x+json' } },
  'decompress: false': { decompress: false },
  'maxRedirects: 0': { maxRedirects: 0 },
  'limits and timeouts': { timeout: 10_000, maxBodyLength: 10_000, maxContentLength: 10_000 },
  "the cache's own options": {
    expireAfter: 60,
    refresh: true,
    staleIfError: 5,
    staleWhileRevalidate: { days: 1 },
  },
  'cache: false': { cache: false },
  DO_NOT_CACHE: { expireAfter: DO_NOT_CACHE },
  withCredentials: { withCredentials: true, withXSRFToken: true, xsrfCookieName: 'x' },
  'responseType stream': { responseType: 'stream' },
  'responseType arraybuffer': { responseType: 'arraybuffer' },
};

describe('bytes to the origin', () => {
  let tap: Tap;
  let clock: TestClock;
  const adapters: { close(): Promise<void> }[] = [];
  before(async () => {
    tap = await Tap.start();
    clock = new TestClock();
  });
  afterEach(async () => {
    await Promise.all(adapters.splice(0).map((adapter) => adapter.close()));
  });
  after(() => tap.close());

  function caching(options: object = {}) {
    const adapter = cacheAdapter({ backend: 'memory', clock: clock.now, ...options } as CacheOptions);
    adapters.push(adapter);
    return axios.create({ adapter, baseURL: tap.url });
  }

  /** Reads a streamed answer too, so that its connection ends. */
  async function ask(http: ReturnType<typeof caching>, config: AxiosRequestConfig): Promise<void> {
    const { data } = await http.request(config);
    if (config.responseType === 'stream' && data !== null) await text(data);
  }

  for (const inner of ['http', 'fetch']) {
    for (const [kind, body] of Object.entries(BODIES)) {
      it(`are those of plain axios for a body of kind ${kind}, by every method, on ${inner}`, async () => {
        const bare = axios.create({ adapter: inner, baseURL: tap.url });
        for (const method of METHODS) {
          const config = () => ({ method, url: '/path?q=1', data: body() });
          const plain = await tap.record(() => bare.request(config()));
          // Once as a method that is cached, once as one that passes through.
          for (const allowableMethods of [METHODS, ['TRACE']]) {
            const http = caching({ adapter: inner, allowableMethods });
            expect(
              await tap.record(() => http.request(config())),
              `${method}, ${allowableMethods}`,
            ).to.deep.equal(plain);
          }
        }
      });
    }

    for (const [kind, extra] of Object.entries(CONFIGS)) {
      it(`are those of plain axios with ${kind}, on ${inner}`, async () => {
        const bare = axios.create({ adapter: inner, baseURL: tap.url });
        for (const [method, data] of [
          ['GET', undefined],
          ['HEAD', undefined],
          ['POST', { a: 1 }],
        ] as const) {
          const config = { method, url: '/path', data, ...extra };
          const plain = await tap.record(() => ask(bare, config));
          for (const options of [
            {},
            { cacheControl: true },
            { allowableMethods: METHODS, coalesce: false },
          ]) {
            const http = caching({ adapter: inner, ...options });
            const ours = await tap.record(() => ask(http, config));
            expect(ours, `${method}, ${JSON.stringify(options)}`).to.deep.equal(plain);
          }
        }
      });
    }

    it(`with credentials in the URL, on ${inner}`, async () => {
      const config = {
        url: `http://us%40er:pa%3Ass@${tap.host}/path`,
        headers: { Authorization: 'Bearer t' },
      };
      const plain = await tap.record(() => axios.request({ ...config, adapter: inner }));
      expect(await tap.record(() => caching({ adapter: inner }).request(config))).to.deep.equal(plain);
    });

    it(`a revalidation is the plain request with the validator, on ${inner}`, async () => {
      // Not the plain request plus one line: with a validator, fetch itself adds no-cache (Fetch, HTTP-network-or-cache fetch).
      const headers = { 'If-None-Match': '"1"' };
      const bare = axios.create({ adapter: inner, baseURL: tap.url });
      const [plain] = (await tap.record(() => bare.get('/again', { headers }))).sent;
      const http = caching({ adapter: inner });
      await http.get('/again', { expireAfter: 10 });
      clock.tick(11);
      const [again] = (await tap.record(() => http.get('/again'))).sent;
      expect(lines(again)).to.deep.equal(lines(plain));
    });

    it(`a forced refresh adds Cache-Control: no-cache and nothing else, on ${inner}`, async () => {
      const http = caching({ adapter: inner });
      const [plain] = (await tap.record(() => http.get('/forced'))).sent;
      const [forced] = (await tap.record(() => http.get('/forced', { forceRefresh: true }))).sent;
      expect(without(forced, 'cache-control: no-cache')).to.deep.equal(lines(plain));
      const headers = { 'Cache-Control': 'max-age=0, no-transform' };
      const [own] = (await tap.record(() => http.get('/forced', { forceRefresh: true, headers }))).sent;
      expect(own?.match(/cache-control: .*/gi)).to.deep.equal(['Cache-Control: max-age=0, no-transform']);
    });

    it(`callers that coalesce send what one of them would, once, on ${inner}`, async () => {
      const bare = axios.create({ adapter: inner, baseURL: tap.url });
      const plain = await tap.record(() => bare.get('/together'));
      const http = caching({ adapter: inner });
      const together = () =>
        Promise.all([http.get('/together'), http.get('/together'), http.get('/together')]);
      expect(await tap.record(together)).to.deep.equal(plain);
    });
  }

  function lines(request: string | undefined): string[] {
    return (request ?? '')
      .split('\r\n')
      .map((line) => line.toLowerCase())
      .sort();
  }

  function without(request: string | undefined, line: string): string[] {
    const all = lines(request);
    expect(all).to.include(line);
    return all.filter((one) => one !== line);
  }
});
