/** Bodies of which nobody can tell that they came whole: handed on as axios does, and not stored. */
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import axios, { type AxiosRequestConfig, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import { rejection, using } from '../adapter/support.js';

const { server: identity } = JSON.parse(
  readFileSync(new URL('fixtures/certificates.json', import.meta.url), 'utf8'),
) as { server: { key: string; cert: string } };

/** How a connection ends after the answer. */
type Ending = 'in order' | 'reset' | 'without a closure alert';

interface Raw {
  url: string;
  config: AxiosRequestConfig;
  /** Ends the connection on which the answer was begun last. */
  end(): void;
}

/** Answers each request with these very bytes, with no HTTP server that would put them right. */
async function answering(
  answer: string | Buffer,
  {
    ending = 'in order',
    isTls = false,
    waits = false,
  }: { ending?: Ending; isTls?: boolean; waits?: boolean },
  body: (raw: Raw) => Promise<void>,
): Promise<void> {
  const open = new Set<Socket>();
  let begun: (() => void) | undefined;
  let isDue = false;
  const server = createServer((socket) => {
    open.add(socket.on('error', () => {}));
    const stream = isTls ? new TLSSocket(socket, { isServer: true, ...identity }) : socket;
    stream.on('error', () => {});
    const end = () => {
      if (ending === 'reset') socket.resetAndDestroy();
      else if (ending === 'in order') stream.end();
      else socket.end();
    };
    isDue = !waits;
    begun = undefined;
    const sent = () => {
      begun = end;
      if (isDue) end();
    };
    stream.once('data', () => stream.write(answer, sent));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const httpsAgent = new Agent({ ca: identity.cert });
  try {
    await body({
      url: `http${isTls ? 's' : ''}://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      config: isTls ? { httpsAgent } : {},
      end: () => {
        isDue = true;
        begun?.();
      },
    });
  } finally {
    httpsAgent.destroy();
    for (const socket of open) socket.destroy();
    server.close();
  }
}

const IN_DOUBT = 'not known to be whole';
const OPEN = 'HTTP/1.1 200 OK\r\n\r\nhalf';
const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhalf';
const CHUNKS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n';
const CLOSE = 'Connection: close\r\n\r\n';
const GZIP = 'Content-Encoding: gzip\r\n\r\n';

async function text(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('a body that ends with the connection', () => {
  it('is whole when that was closed in order, and stored', () =>
    answering(OPEN, {}, ({ url }) =>
      using({ adapter: 'http' }, async ({ http }) => {
        expect(await http.get(url)).to.include({ data: 'half', fromCache: false });
        expect(await http.get(url)).to.include({ data: 'half', fromCache: true });
      })(),
    ));

  it('is an error of axios when that was reset, and not stored', () =>
    answering(OPEN, { ending: 'reset', waits: true }, ({ url, end }) =>
      using({ adapter: 'http' }, async ({ http, adapter }) => {
        expect((await rejection(http.get(url, { onDownloadProgress: end }))).code).to.equal('ECONNRESET');
        expect(await adapter.cache.count()).to.equal(0);
      })(),
    ));

  for (const [kind, answer] of [
    ['as it comes', OPEN],
    [
      'compressed',
      Buffer.concat([Buffer.from(OPEN.replace('\r\n\r\nhalf', `\r\n${GZIP}`)), gzipSync('half')]),
    ],
  ] as const) {
    it(`is an end like any other to who streams it, when that was reset, and not stored (${kind})`, () =>
      answering(answer, { ending: 'reset', waits: true }, ({ url, end }) =>
        using({ adapter: 'http' }, async ({ http, adapter }) => {
          for (const client of [http, axios.create({ adapter: 'http' })]) {
            const { data } = await client.get<Readable>(url, { responseType: 'stream' });
            data.once('data', end);
            expect(await text(data)).to.equal('half');
          }
          await adapter.cache.flush();
          expect(await adapter.cache.count()).to.equal(0);
        })(),
      ));
  }

  for (const ending of ['in order', 'without a closure alert'] as const) {
    for (const responseType of ['text', 'stream'] as const) {
      it(`over TLS, which was closed ${ending}: nobody tells, so it is not stored (${responseType})`, () =>
        answering(OPEN, { ending, isTls: true }, ({ url, config }) =>
          using({ adapter: 'http' }, async ({ http, adapter }) => {
            const plain = await axios.get(url, { ...config, adapter: 'http' });
            for (let n = 0; n < 2; n++) {
              const { data, fromCache, cacheStatus } = await http.get(url, { ...config, responseType });
              expect(responseType === 'stream' ? await text(data) : data).to.equal(plain.data);
              expect(fromCache).to.equal(false);
              expect(cacheStatus).to.include({ stored: false, detail: IN_DOUBT });
            }
            await adapter.cache.flush();
            expect(await adapter.cache.count()).to.equal(0);
          })(),
        ));
    }
  }

  for (const [name, answer] of [
    ['a length', LENGTH],
    ['chunks', CHUNKS],
    ['no body', 'HTTP/1.1 204 No Content\r\n\r\n'],
  ] as const) {
    it(`over TLS, of ${name}, is stored however that was closed`, () =>
      answering(answer, { ending: 'without a closure alert', isTls: true }, ({ url, config }) =>
        using({ adapter: 'http', allowableCodes: [200, 204] }, async ({ http }) => {
          await http.get(url, config);
          expect((await http.get(url, config)).fromCache).to.equal(true);
        })(),
      ));
  }

  // Before undici's #5273 a chunk that breaks off ends the body too.
  for (const [name, answer] of [
    ['without a length', OPEN.replace('\r\n\r\n', `\r\n${CLOSE}`)],
    ['within a chunk', CHUNKS.replace('\r\n\r\n4', `\r\n${CLOSE}40`).replace('\r\n0\r\n\r\n', '')],
  ] as const) {
    for (const ending of ['in order', 'reset'] as const) {
      it(`of fetch, ${name}, closed ${ending}: handed on as fetch does, and not stored`, () =>
        answering(answer, { ending, waits: true }, ({ url, end }) =>
          using({ adapter: 'fetch' }, async ({ http, adapter }) => {
            const outcomes: unknown[] = [];
            for (const client of [http, axios.create({ adapter: 'fetch' })]) {
              const { data } = await client.get(url, { responseType: 'stream' });
              const iterator = data[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
              const first = await iterator.next();
              end();
              const last = await iterator.next().catch((error: Error) => error.message);
              outcomes.push([String(Buffer.from(first.value)), last]);
            }
            expect(outcomes[0]).to.deep.equal(outcomes[1]);
            await adapter.cache.flush();
            expect(await adapter.cache.count()).to.equal(0);
          })(),
        ));
    }
  }

  it('of fetch, closed though it has a length, is stored', () =>
    answering(LENGTH.replace('\r\n\r\n', `\r\n${CLOSE}`), {}, ({ url }) =>
      using({ adapter: 'fetch' }, async ({ http }) => {
        await http.get(url);
        expect(await http.get(url)).to.include({ data: 'half', fromCache: true });
      })(),
    ));

  it('of an adapter of the user is what that says', () => {
    const headers = { connection: 'close' };
    const adapter = async (config: InternalAxiosRequestConfig) =>
      ({ data: 'whole', status: 200, statusText: 'OK', headers, config }) as unknown as AxiosResponse;
    return using({ adapter }, async ({ http }) => {
      await http.get('/');
      expect((await http.get('/')).fromCache).to.equal(true);
    })();
  });
});

/** HTTP's completeness is that of the message; what axios decompresses of it, it hands over without an error. */
describe('a compressed body that breaks off, in a message that is whole', () => {
  const BODY = 'one two three '.repeat(100);
  const codings = { gzip: gzipSync(BODY), deflate: deflateSync(BODY), br: brotliCompressSync(BODY) };
  for (const adapter of ['http', 'fetch'] as const) {
    for (const [coding, bytes] of Object.entries(codings)) {
      it(`${coding}, by ${adapter}: what axios makes of it, from the network and from the cache`, () =>
        using({ adapter }, async ({ http, origin }) => {
          origin.on('/', (_req, res) => {
            res.writeHead(200, { 'content-encoding': coding }).end(bytes.subarray(0, bytes.length - 12));
          });
          const plain = await axios.get(`${origin.url}/`, { adapter });
          for (const fromCache of [false, true])
            expect(await http.get('/')).to.include({ data: plain.data, fromCache });
        })());
    }
  }
});
