import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import axios from 'axios';
import { expect } from 'chai';
import type { CacheOptions } from '../../lib/index.js';
import { itOnCurrentAxios } from '../support/axios-version.js';
import { answer, Gate, RemoteStore, Resource, rejection, until, using } from './support.js';

const flavours: [string, CacheOptions][] = [
  ['http', {}],
  ['fetch', { adapter: 'fetch' }],
];
const streamed = { responseType: 'stream' } as const;

/** The next bytes of a stream of either kind; undefined at its end. */
function reader(data: unknown): { next(): Promise<string | undefined>; cancel(): Promise<void> } {
  if (data instanceof Readable) {
    const iterator = data[Symbol.asyncIterator]();
    return {
      next: async () => {
        const { value, done } = await iterator.next();
        return done ? undefined : Buffer.from(value).toString();
      },
      cancel: async () => {
        data.destroy();
      },
    };
  }
  const web = (data as ReadableStream<Uint8Array>).getReader();
  return {
    next: async () => {
      const { value, done } = await web.read();
      return done ? undefined : Buffer.from(value).toString();
    },
    cancel: () => web.cancel(),
  };
}

async function all(data: unknown): Promise<string> {
  const chunks: string[] = [];
  const from = reader(data);
  for (let chunk = await from.next(); chunk !== undefined; chunk = await from.next()) chunks.push(chunk);
  return chunks.join('');
}

for (const [name, options] of flavours) {
  describe(`responseType stream, ${name} adapter`, () => {
    it(
      'hands on the first byte before the last is sent, and stores only what is complete',
      using(options, async ({ http, origin, adapter }) => {
        const gate = new Gate();
        origin.on('/s', async (_req, res) => {
          res.write('first ');
          await gate.opened;
          res.end('last');
        });
        const response = await http.get('/s', streamed);
        expect(response).to.include({ fromCache: false, status: 200 });
        const from = reader(response.data);
        expect(await from.next()).to.equal('first ');
        expect(await adapter.cache.count()).to.equal(0);
        gate.open();
        expect(await from.next()).to.equal('last');
        expect(await from.next()).to.equal(undefined);
        expect(await adapter.cache.count()).to.equal(1);
        expect(await http.get('/s')).to.include({ fromCache: true, data: 'first last' });
        expect(origin.count).to.equal(1);
      }),
    );

    it(
      'is a stream again from the cache, and each caller has its own',
      using(options, async ({ http, origin }) => {
        const body = 'x'.repeat(300_000);
        origin.on('/s', answer(body));
        const first = await http.get('/s', streamed);
        expect(await all(first.data)).to.equal(body);
        const hits = await Promise.all([http.get('/s', streamed), http.get('/s', streamed)]);
        expect(hits[0].data).not.to.equal(hits[1].data);
        expect(hits[0].data?.constructor === Readable || hits[0].data instanceof Readable).to.equal(
          name === 'http',
        );
        for (const hit of hits) {
          expect(hit.fromCache).to.equal(true);
          expect(await all(hit.data)).to.equal(body);
        }
        expect(origin.count).to.equal(1);
      }),
    );

    it(
      'serves a stream from what was stored of a plain request, and the other way round',
      using(options, async ({ http, origin }) => {
        origin.on('/a', answer('{"a":1}')).on('/b', answer('{"b":1}'));
        await http.get('/a');
        const a = await http.get('/a', streamed);
        expect(a.fromCache).to.equal(true);
        expect(await all(a.data)).to.equal('{"a":1}');
        await all((await http.get('/b', streamed)).data);
        expect((await http.get('/b')).data).to.deep.equal({ b: 1 });
        expect(origin.count).to.equal(2);
      }),
    );

    itOnCurrentAxios(
      'stores nothing of a stream that its caller gives up',
      using(options, async ({ http, origin, adapter }) => {
        const closed = new Gate();
        origin.on('/s', (_req, res) => {
          res.on('close', closed.open);
          res.write('first');
        });
        const response = await http.get('/s', streamed);
        const from = reader(response.data);
        await from.next();
        await from.cancel();
        await closed.opened;
        expect(await adapter.cache.count()).to.equal(0);
      }),
    );

    it(
      'stores nothing of a stream that breaks off, and its caller learns of it',
      using(options, async ({ http, origin, adapter }) => {
        origin.on('/s', (_req, res) => {
          res.writeHead(200, { 'content-length': '100' });
          res.write('first', () => res.destroy());
        });
        const response = await http.get('/s', streamed);
        let failed: unknown;
        await all(response.data).catch((error: unknown) => {
          failed = error;
        });
        expect(failed).to.be.instanceOf(Error);
        expect(await adapter.cache.count()).to.equal(0);
      }),
    );

    it(
      'stores nothing of a stream whose caller aborts by signal',
      using(options, async ({ http, origin, adapter }) => {
        const closed = new Gate();
        origin.on('/s', (_req, res) => {
          res.on('close', closed.open);
          res.write('first');
        });
        const controller = new AbortController();
        const response = await http.get('/s', { ...streamed, signal: controller.signal });
        const from = reader(response.data);
        await from.next();
        controller.abort();
        let failed: unknown;
        await from.next().catch((error: unknown) => {
          failed = error;
        });
        expect(failed).to.be.instanceOf(Error);
        await closed.opened;
        expect(await adapter.cache.count()).to.equal(0);
      }),
    );

    it('lets a stream over maxEntryBytes through whole, unstored', async () => {
      for (const known of [true, false]) {
        await using({ ...options, maxEntryBytes: 1000 }, async ({ http, origin, adapter }) => {
          const body = 'x'.repeat(5000);
          origin.on('/s', (_req, res) => {
            if (known) res.setHeader('content-length', body.length);
            res.write(body.slice(0, 10));
            res.end(body.slice(10));
          });
          expect(await all((await http.get('/s', streamed)).data)).to.equal(body);
          expect(await adapter.cache.count()).to.equal(0);
          expect((await http.get('/s', streamed)).fromCache).to.equal(false);
        })();
      }
    });

    itOnCurrentAxios(
      'revalidates, and serves the stored body as a stream after a 304',
      using({ ...options, expireAfter: 10 }, async ({ http, origin, clock }) => {
        const resource = new Resource();
        origin.on('/s', resource.handler);
        await all((await http.get('/s', streamed)).data);
        clock.tick(11);
        const again = await http.get('/s', streamed);
        expect(again).to.include({ revalidated: true, fromCache: true, status: 200 });
        expect(await all(again.data)).to.equal('v1');
        clock.tick(11);
        Object.assign(resource, { body: 'v2', etag: '"2"' });
        expect(await all((await http.get('/s', streamed)).data)).to.equal('v2');
        expect(await http.get('/s')).to.include({ fromCache: true, data: 'v2' });
      }),
    );

    it(
      'serves the stale entry as a stream where an error would be',
      using({ ...options, expireAfter: 10, staleIfError: true }, async ({ http, origin, clock }) => {
        origin.on('/s', answer('good'));
        await all((await http.get('/s', streamed)).data);
        clock.tick(11);
        origin.on('/s', answer('bad', {}, 500));
        const stale = await http.get('/s', streamed);
        expect(stale).to.include({ fromCache: true, isExpired: true, status: 200 });
        expect(await all(stale.data)).to.equal('good');
      }),
    );

    it(
      'rejects a status that the caller does not accept, with the stream on the error',
      using(options, async ({ http, origin, adapter }) => {
        origin.on('/s', answer('not here', {}, 404));
        const error = await rejection(http.get('/s', streamed));
        expect(error).to.include({ code: 'ERR_BAD_REQUEST' });
        expect(await all(error.response?.data)).to.equal('not here');
        expect(await adapter.cache.count()).to.equal(0);
      }),
    );

    it(
      'asks once for each stream: what is under way can be read by one only',
      using(options, async ({ http, origin }) => {
        origin.on('/s', answer('body'));
        const responses = await Promise.all([http.get('/s', streamed), http.get('/s', streamed)]);
        for (const { data } of responses) expect(await all(data)).to.equal('body');
        expect(origin.count).to.equal(2);
      }),
    );

    it(
      'reads no faster than its caller does',
      using(options, async ({ http, origin }) => {
        let sent = 0;
        let isOver = false;
        origin.on('/s', (_req, res) => {
          const chunk = Buffer.alloc(64 * 1024);
          const send = () => {
            while (sent < 400 && !res.destroyed) {
              sent += 1;
              if (!res.write(chunk)) {
                res.once('drain', send);
                return;
              }
            }
            isOver = true;
            res.end();
          };
          send();
        });
        const response = await http.get('/s', streamed);
        const from = reader(response.data);
        await from.next();
        // 25 MB do not fit into the sockets' buffers: unless somebody reads ahead the origin must come to a halt.
        let before = -1;
        while (before !== sent) {
          before = sent;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        expect(isOver).to.equal(false);
        while ((await from.next()) !== undefined);
        expect(isOver).to.equal(true);
        expect((await http.get('/s', { responseType: 'arraybuffer' })).data.byteLength).to.equal(
          400 * 64 * 1024,
        );
      }),
    );

    it('hands back what it read before the store has it, and stores over a remote store', async () => {
      const backend = new RemoteStore();
      await using({ ...options, backend }, async ({ http, origin, adapter }) => {
        const gate = new Gate();
        backend.before = (operation) => (operation === 'set' ? gate.opened : undefined);
        origin.on('/s', answer('body'));
        expect(await all((await http.get('/s', streamed)).data)).to.equal('body');
        expect(await http.get('/s')).to.include({ fromCache: true, data: 'body' });
        gate.open();
        await adapter.cache.flush();
        expect(backend.map.size).to.equal(1);
      })();
    });
  });
}

describe('streams of the http adapter', () => {
  it(
    'keep what users read from the response: status, headers, the request',
    using({}, async ({ http, origin }) => {
      origin.on('/s', answer('body', { 'x-a': '1' }));
      const miss = await http.get('/s', streamed);
      expect(miss.data).to.include({ statusCode: 200 });
      expect(miss.data.headers['x-a']).to.equal('1');
      await buffer(miss.data);
      const hit = await http.get('/s', streamed);
      expect(hit.data).to.include({ statusCode: 200 });
      expect(hit.data.headers['x-a']).to.equal('1');
    }),
  );

  itOnCurrentAxios(
    'fail at maxContentLength, on the network and from the cache',
    using({}, async ({ http, origin, adapter }) => {
      origin.on('/s', answer('x'.repeat(1000)));
      for (const stored of [false, true]) {
        if (stored) await http.get('/s');
        const response = await http.get('/s', { ...streamed, maxContentLength: 10 });
        expect(response.fromCache).to.equal(stored);
        const error = await rejection(buffer(response.data));
        expect(axios.isAxiosError(error)).to.equal(true);
        expect(error).to.include({
          code: 'ERR_BAD_RESPONSE',
          message: 'maxContentLength size of 10 exceeded',
        });
        if (!stored) expect(await adapter.cache.count()).to.equal(0);
      }
    }),
  );

  it(
    'are decompressed as axios does it, and stored so',
    using({}, async ({ http, origin }) => {
      const { gzipSync } = await import('node:zlib');
      origin.on('/s', (_req, res) => {
        res.writeHead(200, { 'content-encoding': 'gzip' });
        res.end(gzipSync('hello'));
      });
      expect((await buffer((await http.get('/s', streamed)).data)).toString()).to.equal('hello');
      expect(await http.get('/s')).to.include({ fromCache: true, data: 'hello' });
    }),
  );

  it(
    'end with the timeout of their caller',
    using({}, async ({ http, origin }) => {
      origin.on('/s', () => {});
      expect(await rejection(http.get('/s', { ...streamed, timeout: 30 }))).to.include({
        code: 'ECONNABORTED',
        message: 'timeout of 30ms exceeded',
      });
      await until(() => origin.count === 1);
    }),
  );
});
