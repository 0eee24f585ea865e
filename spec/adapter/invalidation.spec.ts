import axios, { type AxiosInstance } from 'axios';
import { expect } from 'chai';
import {
  type CacheOptions,
  type MaybePromise,
  MemoryBackend,
  type Store,
  type StoreMeta,
} from '../../lib/index.js';
import { Origin } from '../support/origin.js';
import { answer, Gate, RemoteStore, Resource, recordEvents, rejection, until, using } from './support.js';

const modes: [string, () => CacheOptions][] = [
  ['cacheControl: false', () => ({})],
  ['cacheControl: true', () => ({ cacheControl: true, expireAfter: 100 })],
  ['a store without look-up by URL', () => ({ backend: new RemoteStore() })],
];

for (const [mode, options] of modes) {
  describe(`invalidation by unsafe methods, ${mode}`, () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'LINK']) {
      it(
        `${method} deletes what is stored of its URL, GET and HEAD`,
        using(options(), async (own) => {
          const { http, adapter } = own;
          const events = recordEvents(own, ['invalidated']);
          await http.head('/r?a=1');
          await http.get('/r?a=1');
          await http.get('/r');
          const done = await http.request({ url: '/r?a=1', method });
          expect(done).to.include({ fromCache: false });
          expect(done.cacheStatus).to.include({ hit: false, fwd: 'method', stored: false });
          expect(await adapter.cache.count()).to.equal(1);
          expect((await http.get('/r?a=1')).fromCache).to.equal(false);
          expect((await http.get('/r')).fromCache).to.equal(true);
          expect(events.length).to.equal(2);
          expect(events[0]?.[1]).to.include({ reason: 'unsafe method' });
          expect(events[0]?.[1].url).to.match(/\/r\?a=1$/);
        }),
      );
    }

    for (const method of ['OPTIONS', 'QUERY', 'PROPFIND']) {
      it(
        `${method} deletes nothing`,
        using(options(), async ({ http }) => {
          await http.get('/r');
          await http.request({ url: '/r', method });
          expect((await http.get('/r')).fromCache).to.equal(true);
        }),
      );
    }

    it(
      'deletes what Location and Content-Location of the same origin name, not of another',
      using(options(), async ({ http, origin }) => {
        const other = await Origin.start();
        try {
          const paths = ['/a', '/b?x=1', '/c', `${other.url}/d`];
          for (const path of paths) await http.get(path);
          origin.on('/post', answer('', { location: '/a', 'content-location': `${origin.url}/b?x=1` }, 201));
          await http.post('/post');
          origin.on('/post', answer('', { location: `${other.url}/d` }, 201));
          await http.post('/post');
          const hits = [];
          for (const path of paths) hits.push((await http.get(path)).fromCache);
          expect(hits).to.deep.equal([false, false, true, true]);
        } finally {
          await other.close();
        }
      }),
    );

    for (const status of [400, 404, 409, 500, 503]) {
      it(
        `an answer of ${status} deletes nothing`,
        using(options(), async ({ http, origin }) => {
          await http.get('/r');
          origin.on('/r', answer('no', {}, status));
          await http.put('/r', 'x', { validateStatus: null });
          await http.put('/r', 'x').catch(() => {});
          expect((await http.get('/r')).fromCache).to.equal(true);
        }),
      );
    }

    it(
      'a request that never reached the origin deletes nothing',
      using(options(), async ({ http, origin }) => {
        await http.get('/r');
        origin.on('/r', (_req, _res, raw) => {
          raw.socket.destroy();
        });
        await http.put('/r', 'x').catch(() => {});
        expect((await http.get('/r')).fromCache).to.equal(true);
      }),
    );

    it(
      'deletes all variants',
      using(options(), async ({ http, origin, adapter }) => {
        origin.on('/r', answer('x', { vary: 'accept-language' }));
        for (const language of ['de', 'en'])
          await http.get('/r', { headers: { 'accept-language': language } });
        expect(await adapter.cache.count()).to.equal(2);
        await http.put('/r', 'x');
        expect(await adapter.cache.count()).to.equal(0);
      }),
    );

    it(
      'deletes what the same credentials and none have stored',
      using(options(), async ({ http }) => {
        const headers = { authorization: 'Bearer a' };
        await http.get('/r', { headers });
        await http.get('/r');
        await http.put('/r', 'x', { headers });
        expect((await http.get('/r', { headers })).fromCache).to.equal(false);
        expect((await http.get('/r')).fromCache).to.equal(false);
      }),
    );

    it(
      'reaches the target of a redirect through its own URL',
      using(options(), async ({ http, origin }) => {
        origin.on('/from', answer('', { location: '/to', 'cache-control': 'max-age=100' }, 301));
        await http.get('/from');
        await http.put('/to', 'x');
        expect((await http.get('/from')).fromCache).to.equal(false);
        expect((await http.get('/from')).fromCache).to.equal(true);
      }),
    );

    it(
      'does not store what a GET brings that was under way',
      using(options(), async ({ http, origin, adapter }) => {
        const gate = new Gate();
        origin.on('/r', async (req, res) => {
          if (req.method === 'GET') await gate.opened;
          res.end('before');
        });
        const under = http.get('/r');
        await until(() => origin.count === 1);
        await http.put('/r', 'x');
        gate.open();
        const response = await under;
        expect(response).to.include({ data: 'before', fromCache: false });
        expect(response.cacheStatus).to.include({ stored: false, detail: 'invalidated meanwhile' });
        expect(await adapter.cache.count()).to.equal(0);
        expect((await http.get('/r')).fromCache).to.equal(false);
        expect((await http.get('/r')).fromCache).to.equal(true);
      }),
    );

    it(
      'does not store what a stream brings that was under way',
      using(options(), async ({ http, origin, adapter }) => {
        const gate = new Gate();
        origin.on('/r', async (req, res) => {
          if (req.method === 'GET') {
            res.write('be');
            await gate.opened;
          }
          res.end('fore');
        });
        const { data } = await http.get('/r', { responseType: 'stream' });
        await http.put('/r', 'x');
        gate.open();
        for await (const _ of data);
        expect(await adapter.cache.count()).to.equal(0);
      }),
    );

    it(
      'does not bring back what a 304 confirms that was under way',
      using({ ...options(), expireAfter: 10 }, async ({ http, origin, clock, adapter }) => {
        const gate = new Gate();
        const resource = new Resource();
        origin.on('/r', resource.handler);
        await http.get('/r');
        clock.tick(11);
        origin.on('/r', async (req, res, raw) => {
          if (req.method === 'GET') await gate.opened;
          await resource.handler(req, res, raw);
        });
        const under = http.get('/r');
        await until(() => origin.count === 2);
        await http.put('/r', 'x');
        gate.open();
        expect(await under).to.include({ revalidated: true, data: 'v1' });
        expect(await adapter.cache.count()).to.equal(0);
      }),
    );

    it(
      'each request on the way over redirects deletes what is stored of its URL and its Location',
      using(options(), async ({ http, origin }) => {
        const isHit = async (path: string) => (await http.get(path)).fromCache;
        const redirect = (path: string, location: string, status: number) =>
          origin.on(path, (req, res) => {
            if (req.method === 'GET') res.end('list');
            else res.writeHead(status, { location }).end();
          });
        for (const path of ['/items', '/items/1', '/old', '/new', '/gone', '/lost']) await http.get(path);
        redirect('/items', '/items/1', 303);
        const created = await http.post('/items', {});
        expect(created.redirects).to.deep.equal([`${origin.url}/items`]);
        expect(created.config.beforeRedirect).to.equal(undefined);
        expect([await isHit('/items'), await isHit('/items/1')]).to.deep.equal([false, false]);

        redirect('/old', '/new', 307);
        await http.put('/old', 'x');
        expect([await isHit('/old'), await isHit('/new')]).to.deep.equal([false, false]);

        // The POST was well, whatever became of what follows it.
        redirect('/gone', '/broken', 303);
        origin.on('/broken', answer('no', {}, 500));
        await http.post('/gone').catch(() => {});
        expect(await isHit('/gone')).to.equal(false);
        redirect('/lost', 'http://127.0.0.1:1/', 303);
        const refused = await rejection(http.post('/lost'));
        expect(refused.config?.beforeRedirect).to.equal(undefined);
        expect(await isHit('/lost')).to.equal(false);
      }),
    );

    it(
      'knows a URL however it is spelled, and its user whatever else is sent along',
      using(options(), async ({ http, adapter }) => {
        const headers = { authorization: 'Bearer alice' };
        const spellings = [
          ['/l?x=1&y=2', '/l?y=2&x=1'],
          ['/a%7eb', '/a~b'],
          ['/q?v=%2f', '/q?v=%2F&'],
        ] as const;
        for (const [one, other] of spellings) {
          await http.get(one, { headers });
          await http.put(other, 'x', { headers: { ...headers, 'X-CSRF-Token': 't', cookie: 'c' } });
          expect(
            await adapter.cache.has({ url: one, baseURL: http.defaults.baseURL ?? '', headers }),
          ).to.equal(false);
        }
      }),
    );

    it(
      'leaves other queries, paths and origins alone',
      using(options(), async ({ http, origin, adapter }) => {
        const paths = ['/r', '/r/', '/r?x', '/R', '/'];
        for (const path of paths) await http.get(path);
        await http.delete('/r');
        const hits = [];
        for (const path of paths) hits.push((await http.get(path)).fromCache);
        expect(hits).to.deep.equal([false, true, true, true, true]);
        // Without a path: the same as /.
        await axios.delete(origin.url, { adapter });
        expect((await http.get('/')).fromCache).to.equal(false);
      }),
    );
  });
}

describe('invalidation', () => {
  it(
    'deletes nothing where readOnly is set',
    using({}, async ({ http, adapter }) => {
      await http.get('/r');
      adapter.settings.readOnly = true;
      await http.put('/r', 'x');
      expect((await http.get('/r')).fromCache).to.equal(true);
    }),
  );

  it(
    'reaches what other credentials have stored, where the store can look up by URL',
    using({}, async ({ http, adapter }) => {
      await http.get('/r', { headers: { authorization: 'a' } });
      await http.put('/r', 'x', { headers: { authorization: 'b' } });
      expect(await adapter.cache.count()).to.equal(0);
    }),
  );

  it('reaches redacted and encrypted URLs', async () => {
    for (const encryptionKey of [undefined, Buffer.alloc(32, 7)]) {
      await using({ encryptionKey }, async ({ http }) => {
        await http.get('/r?api_key=1', { headers: { authorization: 'a' } });
        await http.put('/r?api_key=1', 'x', { headers: { authorization: 'b' } });
        expect((await http.get('/r?api_key=1', { headers: { authorization: 'a' } })).fromCache).to.equal(
          false,
        );
      })();
    }
  });

  it(
    'does not treat an unsafe method that is cached itself as unsafe',
    using({ allowableMethods: ['GET', 'POST'] }, async ({ http }) => {
      await http.get('/r');
      await http.post('/r', { a: 1 });
      expect((await http.get('/r')).fromCache).to.equal(true);
      expect((await http.post('/r', { a: 1 })).fromCache).to.equal(true);
    }),
  );

  it('never fails or delays a request for what a store does', async () => {
    for (const failure of ['reject', 'hang'] as const) {
      const backend = new RemoteStore();
      await using({ backend, storeTimeout: 0.05 }, async ({ http, errors }) => {
        await http.get('/r');
        backend.before = () =>
          failure === 'hang' ? new Promise(() => {}) : Promise.reject(new Error('down'));
        expect((await http.put('/r', 'x')).status).to.equal(200);
        expect(errors.length).to.be.greaterThan(0);
      })();
    }
  });

  it('is not held up by a look-up by URL that hangs', async () => {
    const backend = Object.assign(new RemoteStore(), { keysByUrl: () => new Promise<string[]>(() => {}) });
    await using({ backend, storeTimeout: 0.05 }, async ({ http, errors }) => {
      await http.get('/r');
      expect((await http.put('/r', 'x')).status).to.equal(200);
      expect(errors).to.have.length(1);
      expect((await http.get('/r')).fromCache).to.equal(false);
    })();
  });
});

describe('invalidation by unsafe methods, in a store that takes its time', () => {
  const slow = async (work: (http: AxiosInstance, store: RemoteStore, gate: Gate) => Promise<void>) => {
    const store = new RemoteStore();
    const gate = new Gate();
    await using({ backend: store }, async ({ http, adapter }) => {
      await http.get('/r');
      await adapter.cache.flush();
      store.before = async (operation) => {
        if (operation !== 'set') await gate.opened;
      };
      await work(http, store, gate);
      gate.open();
      await adapter.cache.flush();
      expect(store.map.size).to.equal(0);
    })();
  };

  it('takes no more of the caller than its timeout', () =>
    slow(async (http) => {
      expect((await http.post('/r', {}, { timeout: 50 })).status).to.equal(200);
    }));

  it('ends when the caller gives up', () =>
    slow(async (http) => {
      const controller = new AbortController();
      const posted = rejection(http.post('/r', {}, { signal: controller.signal }));
      setTimeout(() => controller.abort(), 50);
      expect(await posted).to.include({ code: 'ERR_CANCELED' });
    }));
});

describe('invalidation by unsafe methods, after a key was rotated', () => {
  it('finds what was stored under the old one', async () => {
    const [k1, k2] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const backend = new MemoryBackend();
    await using({ backend, encryptionKey: k1 }, async ({ http, another }) => {
      const alice = { headers: { authorization: 'alice' } };
      await http.get('/r', alice);
      const rotated = another({ backend, encryptionKey: [k2, k1] });
      expect((await rotated.http.get('/r', alice)).fromCache).to.equal(true);
      await rotated.http.post('/r');
      expect((await rotated.http.get('/r', alice)).fromCache).to.equal(false);
    })();
  });
});

describe('invalidation by unsafe methods, while the store deletes many', () => {
  for (const [what, start] of [
    ['clear', 'clear'],
    ['removeExpiredResponses', 'deleteExpired'],
  ] as const) {
    it(`reaches what ${what} has taken out of the store, and somebody has just read`, async () => {
      const [begun, gone, over] = [new Gate(), new Gate(), new Gate()];
      const backend = new VersionedStore();
      const work = async () => {
        begun.open();
        await gone.opened;
        backend.map.clear();
        await over.opened;
        return 0;
      };
      Object.assign(backend, { [start]: work });
      await using({ backend, expireAfter: 10, staleIfError: true }, async ({ http, adapter, origin }) => {
        const alice = { headers: { authorization: 'alice' } };
        await http.get('/r', alice);
        const deleting = adapter[what]();
        await begun.opened;
        expect((await http.get('/r', alice)).fromCache).to.equal(true);
        gone.open();
        await until(() => backend.map.size === 0);
        await http.put('/r', 'x', { headers: { authorization: 'bob' } });
        const before = origin.count;
        expect((await http.get('/r', alice)).fromCache).to.equal(false);
        expect(origin.count).to.equal(before + 1);
        over.open();
        await deleting;
      })();
    });
  }
});

/** A store that answers at once, knows URLs, and nobody else can change. */
class VersionedStore implements Store {
  readonly map = new Map<string, { value: Uint8Array; url: string }>();
  get(key: string): Uint8Array | undefined {
    return this.map.get(key)?.value;
  }
  set(key: string, value: Uint8Array, { url }: StoreMeta): void {
    this.map.set(key, { value, url });
  }
  delete(keys: string[]): number {
    return keys.filter((key) => this.map.delete(key)).length;
  }
  clear: () => MaybePromise<void> = () => this.map.clear();
  deleteExpired: () => MaybePromise<number> = () => 0;
  async *keys(): AsyncGenerator<string> {
    yield* [...this.map.keys()];
  }
  close(): void {}
  keysByUrl(url: string): string[] {
    return [...this.map].flatMap(([key, entry]) => (entry.url === url ? [key] : []));
  }
  version(): number {
    return 0;
  }
}
