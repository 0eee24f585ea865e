import axios, { AxiosError, type AxiosProgressEvent, type AxiosResponse } from 'axios';
import { expect } from 'chai';
import { type CacheOptions, cacheAdapter, MemoryBackend, type Store } from '../../lib/index.js';
import { itOnCurrentAxios } from '../support/axios-version.js';
import { answer, Gate, RemoteStore, rejection, until, using } from './support.js';

const modes: [string, CacheOptions][] = [
  ['cacheControl: false', { expireAfter: 100 }],
  ['cacheControl: true', { expireAfter: 100, cacheControl: true }],
];

for (const [mode, options] of modes) {
  describe(`response fields, ${mode}`, () => {
    it(
      'are on a miss, a hit, and what was not stored',
      using(options, async ({ http, origin, clock }) => {
        origin.on('/no', answer('x', {}, 202));
        const miss = await http.get('/r');
        expect(miss).to.include({ fromCache: false, isExpired: false, revalidated: false });
        expect(miss.cacheKey).to.match(/^[0-9a-f]{64}$/);
        expect(miss.createdAt?.getTime()).to.equal(clock.now());
        expect(miss.expires?.getTime()).to.equal(clock.now() + 100_000);
        expect(miss.redirects).to.deep.equal([]);
        expect(miss.cacheStatus).to.deep.equal({
          hit: false,
          fwd: 'uri-miss',
          fwdStatus: 200,
          stored: true,
          ttl: 100,
          key: miss.cacheKey,
        });
        clock.tick(40);
        const hit = await http.get('/r');
        expect(hit).to.include({
          fromCache: true,
          isExpired: false,
          revalidated: false,
          cacheKey: miss.cacheKey,
        });
        expect(hit.createdAt).to.deep.equal(miss.createdAt);
        expect(hit.expires).to.deep.equal(miss.expires);
        expect(hit.cacheStatus).to.deep.equal({ hit: true, ttl: 60, key: miss.cacheKey });
        if (options.cacheControl) return; // RFC 9111 lets a 202 of a private cache be stored
        const not = await http.get('/no');
        expect([not.cacheKey, not.createdAt, not.expires]).to.deep.equal([undefined, undefined, undefined]);
        expect(not.cacheStatus).to.deep.equal({
          hit: false,
          fwd: 'uri-miss',
          fwdStatus: 202,
          stored: false,
          detail: 'status',
        });
      }),
    );

    it(
      'have no expires where the response never expires',
      using({ ...options, expireAfter: -1 }, async ({ http }) => {
        for (const response of [await http.get('/r'), await http.get('/r')]) {
          expect(response.expires).to.equal(undefined);
          expect(response.createdAt).to.be.instanceOf(Date);
          expect(response.cacheStatus?.ttl).to.equal(undefined);
        }
      }),
    );

    it(
      'are each caller’s own',
      using(options, async ({ http }) => {
        await http.get('/r');
        const [a, b] = [await http.get('/r'), await http.get('/r')];
        a.createdAt?.setTime(0);
        a.redirects?.push('x');
        a.headers['x-mine'] = '1';
        a.data.n = 99;
        Object.assign(a.cacheStatus ?? {}, { hit: false });
        for (const response of [b, await http.get('/r')]) {
          expect(response.createdAt?.getTime()).not.to.equal(0);
          expect(response.redirects).to.deep.equal([]);
          expect(response.headers['x-mine']).to.equal(undefined);
          expect(response.data.n).to.equal(1);
          expect(response.cacheStatus?.hit).to.equal(true);
        }
      }),
    );

    for (const responseType of ['text', 'stream'] as const) {
      it(
        `are on the response of an error that the inner adapter itself makes, ${responseType}`,
        using(
          {
            ...options,
            adapter: async (config) => {
              const response = { status: 200, statusText: 'OK', headers: {}, data: 'ha', config };
              throw new AxiosError('cut short', 'ERR_BAD_RESPONSE', config, {}, response as AxiosResponse);
            },
          },
          async ({ http }) => {
            const { response } = await rejection(http.get('/r', { responseType }));
            expect(response).to.include({ fromCache: false, isExpired: false, revalidated: false });
            expect(response).to.deep.include({
              redirects: [],
              cacheStatus: { hit: false, fwd: 'uri-miss', fwdStatus: 200, stored: false },
            });
          },
        ),
      );
    }

    itOnCurrentAxios(
      'are on the response of a body that breaks off or can’t be decoded',
      using(options, async ({ http, origin }) => {
        origin.on('/cut', (_req, res, raw) => {
          res.writeHead(200, { 'content-length': '100' });
          res.write('begin', () => raw.socket.destroy());
        });
        origin.on('/gzip', answer('no gzip', { 'content-encoding': 'gzip' }));
        for (const url of ['/cut', '/gzip']) {
          const { response } = await rejection(http.get(url));
          expect(response, url).to.deep.include({
            status: 200,
            fromCache: false,
            cacheStatus: { hit: false, fwd: 'uri-miss', fwdStatus: 200, stored: false },
          });
        }
      }),
    );

    it(
      'come as a Cache-Status header too, after what the origin wrote there',
      using({ ...options, cacheStatusHeader: 'my stash' }, async ({ http, origin }) => {
        origin.on('/r', answer('x', { 'Cache-Status': 'Origin; hit' }));
        const miss = await http.get('/r');
        expect(miss.headers['cache-status']).to.equal(
          `Origin; hit, "my stash"; fwd=uri-miss; fwd-status=200; ttl=100; stored; key="${miss.cacheKey}"`,
        );
        const hit = await http.get('/r');
        expect(hit.headers['cache-status']).to.equal(
          `Origin; hit, "my stash"; hit; ttl=100; key="${miss.cacheKey}"`,
        );
        expect((await http.get('/r', { cache: false })).headers['cache-status']).to.match(
          /"my stash"; fwd=bypass; fwd-status=200/,
        );
      }),
    );
  });

  describe(`hits, ${mode}`, () => {
    it(
      'obey the caller’s signal, token and limits',
      using(options, async ({ http, origin }) => {
        origin.on('/r', answer('x'.repeat(100)));
        await http.get('/r');
        expect(await rejection(http.get('/r', { signal: AbortSignal.abort() }))).to.include({
          code: 'ERR_CANCELED',
        });
        const source = axios.CancelToken.source();
        source.cancel('no');
        expect(await rejection(http.get('/r', { cancelToken: source.token }))).to.include({ message: 'no' });
        expect(await rejection(http.get('/r', { maxContentLength: 99 }))).to.include({
          code: 'ERR_BAD_RESPONSE',
          message: 'maxContentLength size of 99 exceeded',
        });
        expect((await http.get('/r', { maxContentLength: 100 })).fromCache).to.equal(true);
        expect(origin.count).to.equal(1);
      }),
    );

    it(
      'pass the caller’s own validateStatus, transforms and progress listener',
      using({ ...options, allowableCodes: [200, 404] }, async ({ http, origin }) => {
        origin.on('/r', answer('{"a":1}', {}, 404));
        await rejection(http.get('/r'));
        const error = await rejection(http.get('/r'));
        expect(error).to.include({ code: 'ERR_BAD_REQUEST', message: 'Request failed with status code 404' });
        expect(error.response).to.include({ fromCache: true, status: 404, statusText: 'Not Found' });
        let loaded = 0;
        const accepted = await http.get('/r', {
          validateStatus: (status) => status === 404,
          transformResponse: (data: string) => `${data}!`,
          onDownloadProgress: (event) => {
            loaded = event.loaded;
          },
        });
        expect(accepted).to.include({ fromCache: true, data: '{"a":1}!' });
        expect(loaded).to.equal(7);
        expect(origin.count).to.equal(1);
      }),
    );

    it('wait for a slow store no longer than the caller does', async () => {
      const backend = new RemoteStore();
      await using({ ...options, backend }, async ({ http }) => {
        backend.before = () => new Promise(() => {});
        expect(await rejection(http.get('/r', { timeout: 20 }))).to.include({
          code: 'ECONNABORTED',
          message: 'timeout of 20ms exceeded',
        });
        const controller = new AbortController();
        const aborted = rejection(http.get('/r', { signal: controller.signal }));
        await until(() => backend.calls.length === 2);
        controller.abort();
        expect(await aborted).to.include({ code: 'ERR_CANCELED' });
      })();
    });
  });

  describe(`HEAD, ${mode}`, () => {
    it(
      'has an entry of its own',
      using(options, async ({ http, origin }) => {
        const head = await http.head('/r');
        expect(head.data).to.equal('');
        expect((await http.head('/r')).fromCache).to.equal(true);
        const get = await http.get('/r');
        expect(get).to.include({ fromCache: false });
        expect(get.data.method).to.equal('GET');
        expect(origin.count).to.equal(2);
      }),
    );
  });

  describe(`store failures, ${mode}`, () => {
    const failures: [string, (store: RemoteStore) => void][] = [
      [
        'throws',
        (store) => {
          store.get = () => {
            throw new Error('down');
          };
          store.set = store.get as never;
        },
      ],
      [
        'rejects',
        (store) => {
          store.before = () => Promise.reject(new Error('down'));
        },
      ],
      [
        'rejects with no error',
        (store) => {
          store.before = () => Promise.reject(undefined);
        },
      ],
      [
        'hangs beyond storeTimeout',
        (store) => {
          store.before = () => new Promise(() => {});
        },
      ],
      [
        'answers with foreign bytes',
        (store) => {
          store.get = async () => Buffer.from('not ours');
        },
      ],
      [
        'answers with no bytes at all',
        (store) => {
          store.get = async () => ({ odd: true }) as never;
        },
      ],
      [
        'answers with nothing of length',
        (store) => {
          store.get = async () => Buffer.alloc(0);
        },
      ],
    ];
    for (const [name, fail] of failures) {
      it(`a store that ${name} is a miss and an event, never a failed request`, async () => {
        const backend = new RemoteStore();
        await using(
          { ...options, backend, storeTimeout: 0.03, hotBytes: 0 },
          async ({ http, errors, adapter }) => {
            await http.get('/r');
            await adapter.cache.flush();
            fail(backend);
            const response = await http.get('/r');
            expect(response).to.include({ fromCache: false, status: 200 });
            expect(response.data.n).to.equal(2);
            await adapter.cache.flush();
            expect(errors.length).to.be.greaterThan(0);
            for (const { error, store, reason } of errors) {
              expect(error)
                .to.have.property('code')
                .that.matches(/^ERR_CACHE_(STORE|RECORD)$/);
              expect(store).to.equal('RemoteStore');
              expect(reason).to.be.a('string');
            }
            expect(adapter.cache.stats().errors).to.equal(errors.length);
          },
        )();
      });
    }

    it('a damaged record is a miss, and is replaced', async () => {
      const backend = new RemoteStore();
      await using({ ...options, backend }, async ({ http, errors, adapter }) => {
        await http.get('/r');
        await adapter.cache.flush();
        for (const bytes of backend.map.values()) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        expect((await http.get('/r')).data.n).to.equal(2);
        expect(errors[0]?.error).to.have.property('code', 'ERR_CACHE_RECORD');
        await adapter.cache.flush();
        expect((await http.get('/r')).data.n).to.equal(2);
      })();
    });

    it(
      'a record moved to another key is a miss',
      using({ ...options, backend: new MemoryBackend() }, async ({ http, adapter, another, origin }) => {
        const backend = new RemoteStore();
        const own = another({ ...options, backend });
        await own.http.get('/a');
        await own.http.get('/b');
        await own.adapter.cache.flush();
        const [[a, first], [b, second]] = [...backend.map] as [[string, Uint8Array], [string, Uint8Array]];
        backend.map.set(a, second).set(b, first);
        expect((await own.http.get('/a')).data.url).to.equal('/a');
        expect((await own.http.get('/b')).data.url).to.equal('/b');
        expect(origin.count).to.equal(4);
        await adapter.clear();
        expect((await http.get('/a')).fromCache).to.equal(false);
      }),
    );

    it('comes back by itself when the store does', async () => {
      const backend = new RemoteStore();
      await using({ ...options, backend }, async ({ http, adapter }) => {
        backend.before = () => Promise.reject(new Error('down'));
        await http.get('/r');
        await adapter.cache.flush();
        backend.before = () => {};
        await http.get('/r');
        await adapter.cache.flush();
        expect((await http.get('/r')).fromCache).to.equal(true);
      })();
    });
  });
}

describe('writes behind', () => {
  it('do not hold up the response; this process sees them, flush and maintenance wait for them', async () => {
    const backend = new RemoteStore();
    await using({ backend }, async ({ http, adapter }) => {
      const gate = new Gate();
      backend.before = (operation) => (operation === 'set' ? gate.opened : undefined);
      const miss = await http.get('/r');
      expect(miss.cacheStatus).to.include({ stored: true });
      expect(backend.map.size).to.equal(0);
      expect(await http.get('/r')).to.include({ fromCache: true });
      let isFlushed = false;
      const flushed = adapter.cache.flush().then(() => {
        isFlushed = true;
      });
      const count = adapter.cache.count();
      await new Promise((resolve) => setImmediate(resolve));
      expect(isFlushed).to.equal(false);
      gate.open();
      await flushed;
      expect(backend.map.size).to.equal(1);
      expect(await count).to.equal(1);
    })();
  });

  it('land in order, the last one last', async () => {
    const backend = new RemoteStore();
    await using({ backend }, async ({ http, adapter }) => {
      const gates = [new Gate(), new Gate()];
      let sets = 0;
      backend.before = (operation) => (operation === 'set' ? gates[sets++]?.opened : undefined);
      await http.get('/r');
      await http.get('/r', { forceRefresh: true });
      expect((await http.get('/r')).data.n).to.equal(2);
      gates[1]?.open();
      gates[0]?.open();
      await adapter.cache.flush();
      expect((await http.get('/r')).data.n).to.equal(2);
      expect(sets).to.equal(2);
    })();
  });

  it('that fail are events; flush resolves all the same', async () => {
    const backend = new RemoteStore();
    await using({ backend }, async ({ http, adapter, errors }) => {
      backend.before = (operation) => (operation === 'set' ? Promise.reject(new Error('full')) : undefined);
      expect((await http.get('/r')).status).to.equal(200);
      await adapter.cache.flush();
      expect(errors).to.have.length(1);
      expect(errors[0]).to.include({ reason: 'write' });
      expect((await http.get('/r')).fromCache).to.equal(false);
    })();
  });

  it('are waited for by close', async () => {
    const backend = new RemoteStore();
    const gate = new Gate();
    await using({ backend }, async ({ http, adapter }) => {
      backend.before = (operation) => (operation === 'set' ? gate.opened : undefined);
      await http.get('/r');
      const closed = adapter.close();
      gate.open();
      await closed;
      expect(backend.map.size).to.equal(1);
    })();
  });
});

describe('what is stored of a stream', () => {
  it(
    'is known from its head: key, moments, time to live',
    using({ expireAfter: 60 }, async ({ http, origin, clock, adapter }) => {
      origin.on('/go', answer('', { location: '/v' }, 302)).on('/v', answer('x', { vary: 'accept' }));
      for (const url of ['/r', '/v', '/go']) {
        const { data, ...miss } = await http.get(url, { responseType: 'stream', forceRefresh: true });
        expect(miss.cacheStatus).to.include({ stored: true, ttl: 60, key: miss.cacheKey });
        expect(miss.createdAt?.getTime()).to.equal(clock.now());
        clock.tick(1);
        for await (const _ of data);
        await adapter.cache.flush();
        const hit = await http.get(url);
        expect(hit.fromCache, url).to.equal(true);
        const { cacheKey, createdAt, expires } = hit;
        expect({ cacheKey, createdAt, expires }, url).to.deep.equal({
          cacheKey: miss.cacheKey,
          createdAt: miss.createdAt,
          expires: miss.expires,
        });
      }
    }),
  );
});

describe('upload progress', () => {
  for (const inner of ['http', 'fetch'] as const) {
    it(
      `is told of by a hit as by the network, ${inner}`,
      using({ allowableMethods: ['POST'], adapter: inner }, async ({ http }) => {
        for (const data of [{ a: 'ü' }, 'text', Buffer.from('bytes')]) {
          const told: unknown[] = [];
          const onUploadProgress = ({ loaded, total, upload }: AxiosProgressEvent) =>
            told.push({ loaded, total, upload });
          for (let n = 0; n < 2; n++) await http.post('/r', data, { onUploadProgress });
          expect(told).to.have.length(2);
          expect(told[1]).to.deep.equal(told[0]);
        }
      }),
    );
  }
});

describe('a request that fails', () => {
  it(
    'is a miss',
    using({}, async ({ http, origin, adapter }) => {
      const events: unknown[] = [];
      adapter.cache.on('miss', ({ reason }) => events.push(reason));
      origin.on('/r', (_req, _res, raw) => void raw.socket.destroy());
      await rejection(http.get('/r'));
      await rejection(http.get('/r', { responseType: 'stream' }));
      expect(events).to.deep.equal(['uri-miss', 'uri-miss']);
      expect(adapter.cache.stats()).to.include({ misses: 2, hits: 0 });
    }),
  );
});

describe('close', () => {
  it(
    'is idempotent, sends requests to the network, and rejects maintenance',
    using({}, async ({ http, adapter, origin }) => {
      await http.get('/r');
      await Promise.all([adapter.close(), adapter.close(), adapter.cache.close()]);
      await adapter.close();
      const response = await http.get('/r');
      expect(response).to.include({ fromCache: false });
      expect(response.cacheStatus).to.include({ fwd: 'bypass', stored: false });
      expect(origin.count).to.equal(2);
      const calls: [string, () => Promise<unknown>][] = [
        ['clear', () => adapter.clear()],
        ['count', () => adapter.cache.count()],
        ['size', () => adapter.cache.size()],
        ['urls', () => adapter.cache.urls()],
        ['delete', () => adapter.cache.delete({ expired: true })],
        ['removeExpiredResponses', () => adapter.removeExpiredResponses()],
        ['keys', () => adapter.cache.keys().next()],
      ];
      for (const [name, call] of calls) {
        expect(await rejection(call()), name).to.include({
          name: 'CacheStoreError',
          code: 'ERR_CACHE_STORE',
        });
      }
    }),
  );

  it('closes what the adapter made, and leaves alone what it was given', async () => {
    let closed = 0;
    class Own extends MemoryBackend {
      override close(): void {
        closed += 1;
        super.close();
      }
    }
    await cacheAdapter({ backend: Own }).close();
    expect(closed).to.equal(1);
    const given: Store = new Own();
    const [one, two] = [cacheAdapter({ backend: given }), cacheAdapter({ backend: given })];
    await one.close();
    expect(closed).to.equal(1);
    expect(await two.cache.count()).to.equal(0);
    await two.close();
  });

  it(
    'works by await using',
    using({}, async ({ origin }) => {
      const adapter = cacheAdapter({ backend: 'memory' });
      await axios.get(`${origin.url}/r`, { adapter });
      await adapter[Symbol.asyncDispose]();
      expect((await axios.get(`${origin.url}/r`, { adapter })).fromCache).to.equal(false);
    }),
  );

  it(
    'leaves requests under way to their answers',
    using({}, async ({ http, adapter, origin, errors }) => {
      const gate = new Gate();
      origin.on('/r', async (_req, res) => {
        await gate.opened;
        res.end('x');
      });
      const under = http.get('/r');
      await until(() => origin.count === 1);
      await adapter.close();
      gate.open();
      expect((await under).data).to.equal('x');
      expect(errors).to.deep.equal([]);
    }),
  );
});
