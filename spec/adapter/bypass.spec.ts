import { Readable } from 'node:stream';
import { expect } from 'chai';
import { type CacheOptions, type CacheRequestConfig, DO_NOT_CACHE } from '../../lib/index.js';
import { answer, Gate, Resource, recordEvents, rejection, until, using } from './support.js';

describe('bypass', () => {
  it(
    'cache: false neither reads nor writes',
    using({}, async (own) => {
      const { http, adapter, origin } = own;
      const events = recordEvents(own, ['bypass']);
      const response = await http.get('/r', { cache: false });
      expect(response).to.include({ fromCache: false, isExpired: false, revalidated: false });
      expect(response.cacheStatus).to.deep.equal({
        hit: false,
        fwd: 'bypass',
        fwdStatus: 200,
        stored: false,
        detail: 'cache: false',
      });
      expect([response.cacheKey, response.createdAt, response.expires]).to.deep.equal([
        undefined,
        undefined,
        undefined,
      ]);
      expect(await adapter.cache.count()).to.equal(0);
      await http.get('/r');
      expect((await http.get('/r', { cache: false })).data.n).to.equal(3);
      expect((await http.get('/r')).data.n).to.equal(2);
      expect((await http.get('/r', { cache: true })).fromCache).to.equal(true);
      expect(events).to.deep.equal(
        Array(2).fill(['bypass', { reason: 'cache: false', url: `${origin.url}/r` }]),
      );
      expect(adapter.cache.stats()).to.include({ bypassed: 2, misses: 1, hits: 2 });
    }),
  );

  it('DO_NOT_CACHE is the same, by request, pattern and adapter', async () => {
    const options: CacheOptions[] = [
      {},
      { urlsExpireAfter: { '*': DO_NOT_CACHE } },
      { expireAfter: DO_NOT_CACHE },
    ];
    for (const [i, given] of options.entries()) {
      await using(given, async ({ http, adapter }) => {
        const config: CacheRequestConfig = i === 0 ? { expireAfter: DO_NOT_CACHE } : {};
        for (let n = 1; n <= 2; n++) {
          const response = await http.get('/r', config);
          expect(response.data.n).to.equal(n);
          expect(response.cacheStatus).to.include({ fwd: 'bypass', detail: 'DO_NOT_CACHE' });
        }
        expect(await adapter.cache.count()).to.equal(0);
        if (i > 0)
          expect((await http.get('/r', { expireAfter: 10 })).cacheStatus).to.include({ stored: true });
      })();
    }
  });

  const requests: [string, CacheRequestConfig & Record<string, unknown>, string][] = [
    ['a Range request', { headers: { Range: 'bytes=0-1' } }, 'range'],
    ['a method override', { headers: { 'X-HTTP-Method-Override': 'DELETE' } }, 'method-override'],
    ['its sibling X-HTTP-Method', { headers: { 'X-HTTP-Method': 'PUT' } }, 'method-override'],
    ['its sibling X-Method-Override', { headers: { 'X-Method-Override': 'PUT' } }, 'method-override'],
  ];
  for (const [name, config, detail] of requests) {
    it(
      `${name} passes by`,
      using({}, async ({ http, adapter }) => {
        await http.get('/r');
        const response = await http.get('/r', config);
        expect(response.data.n).to.equal(2);
        expect(response.cacheStatus).to.include({ fwd: 'bypass', detail });
        expect(await adapter.cache.count()).to.equal(1);
      }),
    );
  }

  it(
    'a 206 is never stored as a whole, asked for or not',
    using({ allowableCodes: [200, 206] }, async ({ http, origin, adapter }) => {
      origin.on('/r', answer('ab', { 'content-range': 'bytes 0-1/4' }, 206));
      expect((await http.get('/r', { headers: { Range: 'bytes=0-1' } })).status).to.equal(206);
      expect((await http.get('/r')).cacheStatus).to.include({ stored: false });
      expect(await adapter.cache.count()).to.equal(0);
    }),
  );

  it(
    'a stream as a body passes by, sent as it is',
    using({ allowableMethods: ['POST'] }, async ({ http, origin, adapter }) => {
      for (let i = 0; i < 2; i++) {
        const response = await http.post('/r', Readable.from(['a', 'b']));
        expect(response.cacheStatus).to.include({ fwd: 'bypass', detail: 'stream-body' });
        expect(origin.last?.body.toString()).to.equal('ab');
      }
      expect(await adapter.cache.count()).to.equal(0);
    }),
  );

  it(
    'a method that is not allowed passes by',
    using({}, async ({ http, adapter }) => {
      const response = await http.options('/r');
      expect(response.cacheStatus).to.deep.equal({
        hit: false,
        fwd: 'method',
        fwdStatus: 200,
        stored: false,
      });
      expect(await adapter.cache.count()).to.equal(0);
    }),
  );

  it(
    'a data: URL passes by',
    using({ adapter: 'fetch' }, async ({ adapter, another }) => {
      const { http } = another({ adapter: 'http' }, { baseURL: '' });
      const response = await http.get('data:text/plain;base64,aGVsbG8=', { responseType: 'text' });
      expect(response).to.include({ data: 'hello', fromCache: false });
      expect(response.cacheStatus).to.include({ fwd: 'bypass', detail: 'unsupported-url' });
      expect(await adapter.cache.count()).to.equal(0);
    }),
  );

  it(
    'marks the response of an error too, and leaves the error as it is',
    using({}, async ({ http, origin }) => {
      origin.on('/r', answer('no', {}, 404));
      const error = await rejection(http.get('/r', { cache: false }));
      expect(error).to.include({ code: 'ERR_BAD_REQUEST', message: 'Request failed with status code 404' });
      expect(error.response).to.include({ fromCache: false });
      expect(error.response?.cacheStatus).to.include({ fwd: 'bypass', fwdStatus: 404 });
    }),
  );
});

describe('keyFn', () => {
  for (const [name, keyFn] of [
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    ['returns no string', () => 5 as unknown as string],
    ['returns an empty string', () => ''],
  ] as [string, () => string][]) {
    it(
      `that ${name} lets the request pass, with an error event`,
      using({ keyFn }, async ({ http, adapter, errors }) => {
        expect((await http.get('/r')).cacheStatus).to.include({ hit: false, fwd: 'bypass' });
        expect((await http.get('/r')).data.n).to.equal(2);
        expect(errors).to.have.length(2);
        expect(errors[0]).to.include({ reason: 'keyFn' });
        expect(await adapter.cache.count()).to.equal(0);
        expect((await rejection(http.get('/r', { onlyIfCached: true }))).response?.status).to.equal(504);
      }),
    );
  }

  it(
    'decides what is the same',
    using(
      {
        keyFn: ({ method, url, headers }, defaultKey) =>
          headers['x-own'] === undefined ? defaultKey() : `${method} ${new URL(url).pathname}`,
      },
      async ({ http }) => {
        const headers = { 'x-own': '1' };
        await http.get('/r?a=1', { headers });
        expect((await http.get('/r?a=2', { headers })).fromCache).to.equal(true);
        expect((await http.get('/r?a=1')).fromCache).to.equal(false);
        expect((await http.get('/r?a=1')).fromCache).to.equal(true);
        expect((await http.get('/s', { headers })).fromCache).to.equal(false);
      },
    ),
  );
});

describe('cacheDisabled', () => {
  it(
    'neither reads nor writes inside, in all async work that is started there',
    using({}, async ({ http, adapter }) => {
      await http.get('/r');
      const inside = await adapter.cacheDisabled(async () => {
        const direct = await http.get('/r');
        await new Promise((resolve) => setImmediate(resolve));
        const later = await Promise.all([
          http.get('/r'),
          new Promise((resolve) => setTimeout(resolve, 1)).then(() => http.get('/new')),
        ]);
        return [direct, ...later];
      });
      for (const { fromCache, cacheStatus } of inside) {
        expect(fromCache).to.equal(false);
        expect(cacheStatus).to.include({ fwd: 'bypass', detail: 'cacheDisabled', stored: false });
      }
      expect(await adapter.cache.count()).to.equal(1);
      expect((await http.get('/r')).fromCache).to.equal(true);
    }),
  );

  it(
    'nests, returns what the function returns, and is over after a throw',
    using({}, async ({ http, adapter }) => {
      await http.get('/r');
      expect(adapter.cacheDisabled(() => 5)).to.equal(5);
      await adapter.cacheDisabled(async () => {
        await adapter.cacheDisabled(() => http.get('/r'));
        expect((await http.get('/r')).fromCache).to.equal(false);
      });
      expect(() =>
        adapter.cacheDisabled(() => {
          throw new Error('boom');
        }),
      ).to.throw('boom');
      expect((await http.get('/r')).fromCache).to.equal(true);
      await adapter
        .cacheDisabled(async () => {
          throw new Error('boom');
        })
        .catch(() => {});
      expect((await http.get('/r')).fromCache).to.equal(true);
    }),
  );

  it(
    'leaves concurrent requests outside alone, and other caches inside',
    using({}, async ({ http, adapter, another }) => {
      const other = another();
      await Promise.all([http.get('/r'), other.http.get('/r')]);
      const gate = new Gate();
      const inside = adapter.cacheDisabled(async () => {
        await gate.opened;
        return Promise.all([http.get('/r'), other.http.get('/r')]);
      });
      expect((await http.get('/r')).fromCache).to.equal(true);
      gate.open();
      expect((await inside).map(({ fromCache }) => fromCache)).to.deep.equal([false, true]);
    }),
  );

  it(
    'joins no call from outside, and lets none join',
    using({}, async ({ http, adapter, origin }) => {
      const gate = new Gate();
      origin.on('/r', async (_req, res) => {
        await gate.opened;
        res.end('x');
      });
      const all = [http.get('/r'), adapter.cacheDisabled(() => http.get('/r')), http.get('/r')];
      await until(() => origin.count === 2);
      gate.open();
      expect((await Promise.all(all)).map(({ cacheStatus }) => cacheStatus?.collapsed)).to.deep.equal([
        undefined,
        undefined,
        true,
      ]);
    }),
  );
});

describe('onlyIfCached', () => {
  const gone = { status: 504, statusText: 'Gateway Timeout', fromCache: false };
  const combinations: [string, CacheRequestConfig & Record<string, unknown>, boolean][] = [
    ['alone', {}, true],
    ['with refresh', { refresh: true }, true],
    ['with forceRefresh', { forceRefresh: true }, false],
    ['with cache: false', { cache: false }, false],
    ['with DO_NOT_CACHE', { expireAfter: DO_NOT_CACHE }, false],
    ['with staleIfError', { staleIfError: true }, true],
    ['with staleWhileRevalidate', { staleWhileRevalidate: true }, true],
    ['with no-cache', { headers: { 'Cache-Control': 'no-cache' } }, false],
    ['with no-store', { headers: { 'Cache-Control': 'no-store' } }, true],
    ['with a stream', { responseType: 'stream' }, true],
    ['with another method', { method: 'post' }, false],
    ['with a Range', { headers: { Range: 'bytes=0-' } }, false],
  ];
  const options: CacheOptions[] = [
    {},
    { alwaysRevalidate: true },
    { cacheControl: true, expireAfter: 100 },
    { readOnly: true },
    { filterFn: () => false },
    { coalesce: false },
  ];
  for (const [name, config, served] of combinations) {
    it(`${name}: never a request, whatever the options`, async () => {
      for (const given of options) {
        for (const where of ['request', 'adapter'] as const) {
          await using({}, async ({ http, origin, adapter }) => {
            origin.on('/r', new Resource().handler);
            await http.get('/r', { expireAfter: 100 });
            Object.assign(adapter.settings, given);
            if (where === 'adapter') adapter.settings.onlyIfCached = true;
            const hit = await http.request({
              url: '/r',
              validateStatus: null,
              ...config,
              ...(where === 'request' && { onlyIfCached: true }),
            });
            const isServed = served && given.filterFn === undefined;
            expect(hit, `${name} ${JSON.stringify(given)}`).to.include(
              isServed ? { status: 200, fromCache: true } : gone,
            );
            const miss = await http.request({
              url: '/none',
              validateStatus: null,
              ...config,
              ...(where === 'request' && { onlyIfCached: true }),
            });
            expect(miss).to.include(gone);
            expect(origin.count).to.equal(1);
          })();
        }
      }
    });
  }

  it('serves what is stale only where that is allowed, and refreshes nothing', async () => {
    for (const [config, status] of [
      [{}, 504],
      [{ staleIfError: true }, 200],
      [{ staleWhileRevalidate: 60 }, 200],
      [{ staleIfError: 1 }, 504],
    ] as const) {
      await using({ expireAfter: 10 }, async ({ http, origin, clock }) => {
        await http.get('/r');
        clock.tick(20);
        const response = await http.get('/r', { onlyIfCached: true, validateStatus: null, ...config });
        expect(response).to.include({ status, isExpired: status === 200 });
        await http.get('/other');
        expect(origin.requests.map(({ url }) => url)).to.deep.equal(['/r', '/other']);
      })();
    }
  });

  it(
    'answers 504 as a response is answered: by validateStatus, with the body of the type asked for',
    using({ onlyIfCached: true }, async ({ http }) => {
      const error = await rejection(http.get('/r'));
      expect(error).to.include({ code: 'ERR_BAD_RESPONSE', message: 'Request failed with status code 504' });
      expect(error.response).to.include(gone);
      expect(error.config?.url).to.equal('/r');
      const buffer = await http.get('/r', { validateStatus: () => true, responseType: 'arraybuffer' });
      expect(buffer.data.byteLength).to.equal(0);
      expect(buffer.cacheStatus).to.include({ hit: false });
      expect(buffer.cacheStatus?.fwd).to.equal(undefined);
    }),
  );

  it(
    'may be lifted by one request',
    using({ onlyIfCached: true }, async ({ http }) => {
      expect((await http.get('/r', { onlyIfCached: false })).status).to.equal(200);
      expect((await http.get('/r')).fromCache).to.equal(true);
    }),
  );

  it(
    'sends nothing once the cache is closed, or inside cacheDisabled',
    using({}, async ({ http, adapter, origin }) => {
      await http.get('/r');
      const config = { onlyIfCached: true, validateStatus: null };
      expect((await adapter.cacheDisabled(() => http.get('/r', config))).status).to.equal(504);
      await adapter.close();
      expect((await http.get('/r', config)).status).to.equal(504);
      expect(origin.count).to.equal(1);
    }),
  );
});
