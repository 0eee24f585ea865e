/** An origin that means ill: whatever it sends, nothing is buffered without bound, stored in part or left hanging. */
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { createGzip, gzipSync } from 'node:zlib';
import axios from 'axios';
import { expect } from 'chai';
import { rejection, until, using } from '../adapter/support.js';

const MIB = 1024 * 1024;
const LANGUAGES = Array.from({ length: 40 }, (_, n) => `x-${n}`);

/** The most that buffers took while `work` ran, over what they took before. */
async function buffered(work: (look: () => void) => Promise<void>): Promise<number> {
  const taken = () => process.memoryUsage().arrayBuffers;
  const before = taken();
  let most = 0;
  await work(() => {
    most = Math.max(most, taken() - before);
  });
  return most;
}

describe('a hostile origin', () => {
  it(
    'sends as many headers as Node takes: they are stored and replayed, odd names too',
    using({}, async ({ http, origin }) => {
      const names = Array.from({ length: 600 }, (_, n) => `x-header-${n}`);
      origin.on('/', (_req, res) => {
        for (const name of [...names, '__proto__', 'constructor', 'toString']) res.setHeader(name, 'v');
        res.setHeader(
          'set-cookie',
          Array.from({ length: 100 }, (_, n) => `c${n}=${n}`),
        );
        res.end('{"__proto__":{"polluted":true},"a":1}');
      });
      const miss = await http.get('/');
      const hit = await http.get('/');
      expect(hit.fromCache).to.equal(true);
      expect(JSON.stringify(hit.headers)).to.equal(JSON.stringify(miss.headers));
      expect(hit.headers['set-cookie']).to.have.length(100);
      expect(Reflect.get({}, 'polluted')).to.equal(undefined);
      expect((await http.get('/', { adapter: undefined } as never)).status).to.equal(200);
    }),
  );

  it(
    'sends more headers than Node takes: an error of axios, and nothing is stored',
    using({}, async ({ http, origin, adapter, errors }) => {
      origin.on('/', (_req, res) => {
        for (let n = 0; n < 300; n++) res.setHeader(`x-${n}`, 'x'.repeat(1000));
        res.end('ok');
      });
      const error = await rejection(http.get('/'));
      expect(error.code).to.equal((await rejection(axios.get(`${origin.url}/`))).code);
      expect([await adapter.cache.count(), errors]).to.deep.equal([0, []]);
    }),
  );

  it(
    'varies on more headers than anybody compares: answered, not stored',
    using({}, async ({ http, origin, adapter }) => {
      origin.on('/', (_req, res) => void res.setHeader('vary', LANGUAGES.join(', ')).end('ok'));
      for (let n = 0; n < 3; n++) expect((await http.get('/')).fromCache).to.equal(false);
      expect(await adapter.cache.count()).to.equal(0);
      origin.on('/', (_req, res) => void res.setHeader('vary', LANGUAGES.slice(0, 32).join(', ')).end('ok'));
      await http.get('/');
      expect((await http.get('/')).fromCache).to.equal(true);
    }),
  );

  it(
    'sends a decompression bomb: the limit is maxContentLength, as without a cache',
    using({}, async ({ http, origin, adapter }) => {
      const bomb = gzipSync(Buffer.alloc(64 * MIB));
      origin.on('/', (_req, res) => void res.setHeader('content-encoding', 'gzip').end(bomb));
      for (const responseType of ['text', 'arraybuffer', 'json'] as const) {
        const error = await rejection(http.get('/', { responseType, maxContentLength: MIB }));
        expect(error.message).to.include(`maxContentLength size of ${MIB} exceeded`);
      }
      expect(await adapter.cache.count()).to.equal(0);
    }),
  );

  it(
    'sends a bomb to who set no limit: it is handed on and not stored, over maxEntryBytes',
    using({ maxEntryBytes: MIB }, async ({ http, origin, adapter }) => {
      const bomb = gzipSync(Buffer.alloc(8 * MIB));
      origin.on('/', (_req, res) => void res.setHeader('content-encoding', 'gzip').end(bomb));
      for (let n = 0; n < 2; n++) {
        const { data, fromCache, cacheStatus } = await http.get('/', { responseType: 'arraybuffer' });
        expect([data.byteLength, fromCache, cacheStatus?.stored]).to.deep.equal([8 * MIB, false, false]);
      }
      expect(await adapter.cache.count()).to.equal(0);
    }),
  );

  it(
    'streams a bomb: no more of it is kept than maxEntryBytes',
    using({ maxEntryBytes: MIB }, async ({ http, origin, adapter }) => {
      origin.on('/', (_req, res) => {
        res.setHeader('content-encoding', 'gzip');
        const gzip = createGzip();
        gzip.pipe(res);
        const chunk = Buffer.alloc(MIB);
        let left = 400;
        const write = () => {
          while (left-- > 0) if (!gzip.write(chunk)) return void gzip.once('drain', write);
          gzip.end();
        };
        write();
      });
      let size = 0;
      const most = await buffered(async (look) => {
        const { data } = await http.get('/', { responseType: 'stream' });
        for await (const chunk of data as Readable) {
          size += chunk.length;
          if (size % (4 * MIB) < chunk.length) look();
        }
      });
      expect(size).to.equal(400 * MIB);
      // Besides what is kept there are buffers on their way, and garbage that is not collected yet.
      expect(most).to.be.lessThan(200 * MIB);
      expect(await adapter.cache.count()).to.equal(0);
    }),
  );

  it(
    'never ends its body: nothing is kept beyond maxEntryBytes, and the caller may leave',
    using({ maxEntryBytes: MIB }, async ({ http, origin, adapter }) => {
      let isClosed = false;
      origin.on('/', (_req, res) => {
        const chunk = Buffer.alloc(64 * 1024, 1);
        const write = () => {
          while (!isClosed && res.write(chunk));
          if (!isClosed) res.once('drain', write);
        };
        res.once('close', () => {
          isClosed = true;
        });
        write();
      });
      let size = 0;
      const most = await buffered(async (look) => {
        const { data } = await http.get('/', { responseType: 'stream' });
        for await (const chunk of data as Readable) {
          size += chunk.length;
          look();
          if (size > 400 * MIB) break; // destroys it
        }
      });
      await until(() => isClosed);
      // Of 400: the rest is what the collector had not come to yet.
      expect(most).to.be.lessThan(200 * MIB);
      expect(await adapter.cache.count()).to.equal(0);
    }),
  );

  it(
    'drips its body: each caller keeps its own timeout, and the connection is closed when all have left',
    using({}, async ({ http, origin, adapter }) => {
      let closed = 0;
      origin.on('/', (_req, res) => {
        res.writeHead(200, { 'content-length': 1000 });
        const timer = setInterval(() => res.write('x'), 10);
        res.once('close', () => {
          clearInterval(timer);
          closed += 1;
        });
      });
      const all = [60, 80, 100].map((timeout) => rejection(http.get('/', { timeout })));
      for (const error of await Promise.all(all)) expect(error.code).to.equal('ECONNABORTED');
      await until(() => closed === 1);
      expect(origin.count).to.equal(1);
      expect(await adapter.cache.count()).to.equal(0);
    }),
  );

  it(
    'ends a chunked body early, or promises more than it sends: not stored',
    using({}, async ({ http, origin, adapter }) => {
      origin.on('/chunked', (_req, res, raw) => {
        res.write('half', () => raw.socket.destroy());
      });
      origin.on('/length', (_req, res, raw) => {
        res.writeHead(200, { 'content-length': 100 });
        res.write('half', () => raw.socket.destroy());
      });
      for (const path of ['/chunked', '/length']) {
        await rejection(http.get(path));
        const { data } = await http.get(path, { responseType: 'stream' });
        data.resume();
        await once(data, 'error').catch((error: unknown) => error);
      }
      await adapter.cache.flush();
      expect(await adapter.cache.count()).to.equal(0);
    }),
  );

  it(
    'redirects in a circle: an error of axios, and nothing is stored',
    using({}, async ({ http, origin, adapter }) => {
      origin.on('/a', (_req, res) => void res.writeHead(302, { location: '/b' }).end());
      origin.on('/b', (_req, res) => void res.writeHead(302, { location: '/a' }).end());
      expect((await rejection(http.get('/a'))).code).to.equal('ERR_FR_TOO_MANY_REDIRECTS');
      expect(await adapter.cache.count()).to.equal(0);
    }),
  );

  for (const frozen of [false, true]) {
    it(
      `sends JSON a hundred thousand levels deep (frozen: ${frozen})`,
      using({ frozen }, async ({ http, origin, errors }) => {
        const body = '['.repeat(100_000) + ']'.repeat(100_000);
        origin.on('/', (_req, res) => void res.end(body));
        for (const fromCache of [false, true, true]) {
          const response = await http.get('/');
          expect(response.fromCache).to.equal(fromCache);
          expect(Array.isArray(response.data)).to.equal(true);
        }
        expect(errors).to.deep.equal([]);
      }),
    );
  }
});
