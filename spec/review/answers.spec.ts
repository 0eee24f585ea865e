/** Corners in which an answer could be wrong, another's, or said to be what it is not. */
import { getEventListeners } from 'node:events';
import axios, { type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import { CacheOptionError, type CacheOptions, cacheAdapter, MemoryBackend } from '../../lib/index.js';
import { answer, Gate, RemoteStore, rejection, until, using } from '../adapter/support.js';
import { itOnCurrentAxios } from '../support/axios-version.js';
import { rig } from '../support/harness.js';

describe('what is said of an answer', () => {
  for (const how of ['refresh', 'alwaysRevalidate'] as const) {
    it(
      `a fresh response that stands in for a failure of ${how} is not called expired`,
      using(
        { staleIfError: true, alwaysRevalidate: how === 'alwaysRevalidate', expireAfter: 100 },
        async (on) => {
          const { origin, http, adapter } = on;
          origin.on('/x', answer('v1', { etag: '"1"' }));
          const { expires } = await http.get('/x');
          origin.on('/x', answer('oops', {}, 500));
          const response = await http.get('/x', how === 'refresh' ? { refresh: true } : {});
          expect(response.data).to.equal('v1');
          expect(response.expires).to.deep.equal(expires);
          expect(response.isExpired).to.equal(false);
          expect(adapter.cache.stats().stale).to.equal(0);
        },
      ),
    );
  }

  it(
    'ttl is rounded down: what expired half a second ago is not at 0',
    using(
      { expireAfter: 10, staleWhileRevalidate: true, cacheStatusHeader: 'stash' },
      async ({ http, clock }) => {
        await http.get('/x');
        clock.tick(0.6);
        expect((await http.get('/x')).cacheStatus?.ttl).to.equal(9);
        clock.tick(9.9);
        const { cacheStatus, headers } = await http.get('/x');
        expect(cacheStatus?.ttl).to.equal(-1);
        expect(headers['cache-status']).to.include('ttl=-1');
      },
    ),
  );
});

describe('what two callers may share', () => {
  it('an answer that cannot be copied is asked for by each caller for itself', async () => {
    class Thing {
      readonly n: number;
      constructor(n: number) {
        this.n = n;
      }
    }
    let n = 0;
    const inner = async (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => {
      n += 1;
      const data = new Thing(n);
      await new Promise((resolve) => setImmediate(resolve));
      return { status: 200, statusText: 'OK', headers: {}, config, data } as unknown as AxiosResponse;
    };
    const adapter = cacheAdapter({ backend: new MemoryBackend(), adapter: inner });
    const http = axios.create({ adapter });
    const url = 'http://origin.invalid/x';
    const responses = await Promise.all([1, 2, 3].map(() => http.get(url)));
    const things = new Set(responses.map(({ data }) => data));
    expect(things.size).to.equal(3);
    for (const thing of things) expect(thing).to.be.instanceOf(Thing);
    await adapter.close();
  });

  it("a HEAD and a GET never share a key, not even one of the user's own function", async () => {
    const bench = await rig({ keyFn: ({ url }) => url });
    const { http } = bench;
    await http.head('/x');
    expect((await http.get('/x')).data).to.include({ method: 'GET' });
    await bench.close();
  });
});

describe('a 304 without Age', () => {
  it(
    'puts the Age of the stored response out of force: it was that of another journey',
    using({ cacheControl: true }, async ({ origin, http, clock }) => {
      const date = () => new Date(clock.now()).toUTCString();
      let age: string | undefined = '50';
      origin.on('/x', (req, res) => {
        res.sendDate = false;
        res.setHeader('date', date());
        if (age !== undefined) res.setHeader('age', age);
        res.setHeader('cache-control', 'max-age=60');
        res.setHeader('etag', '"1"');
        const isSame = req.headers['if-none-match'] === '"1"';
        res.writeHead(isSame ? 304 : 200).end(isSame ? undefined : 'v1');
      });
      await http.get('/x');
      clock.tick(20);
      age = undefined;
      expect((await http.get('/x')).revalidated).to.equal(true);
      clock.tick(30);
      const hit = await http.get('/x');
      expect({ hit: hit.cacheStatus?.hit, age: hit.headers.age }).to.deep.equal({ hit: true, age: '30' });
    }),
  );
});

describe('never a request', () => {
  it(
    'only-if-cached in the request holds where the cache is passed by',
    using({}, async ({ origin, http }) => {
      const headers = { 'Cache-Control': 'only-if-cached', Range: 'bytes=0-1' };
      expect((await rejection(http.get('/x', { headers }))).response?.status).to.equal(504);
      expect(origin.count).to.equal(0);
    }),
  );
});

describe('settings', () => {
  it('limits set later are refused where the store cannot evict, as at construction', async () => {
    const store = new RemoteStore();
    const bench = await rig({ backend: store } as CacheOptions);
    const { adapter } = bench;
    expect(() => {
      adapter.settings.maxEntries = 3;
    }).to.throw(CacheOptionError, /maxEntries.*evict/);
    expect(adapter.settings.maxEntries).to.equal(undefined);
    await bench.close();
  });

  it(
    'a request ends under the settings that it began with',
    using({}, async (on) => {
      const store = new RemoteStore();
      let go = () => {};
      const { adapter, http } = on.another({ backend: store } as CacheOptions);
      store.before = (operation) =>
        operation === 'get'
          ? new Promise<void>((resolve) => {
              go = resolve;
            })
          : undefined;
      const asked = http.get('/x');
      await until(() => store.calls.length > 0);
      adapter.settings.readOnly = true;
      adapter.settings.cacheStatusHeader = 'later';
      go();
      const response = await asked;
      expect(response.cacheStatus?.stored).to.equal(true);
      expect(response.headers['cache-status']).to.equal(undefined);
    }),
  );
});

describe('an unsafe request over a store that is slow', () => {
  it('reads all that it may have to remove at once, not one after the other', async () => {
    const store = new RemoteStore();
    const bench = await rig({ backend: store, storeTimeout: 60 } as CacheOptions);
    const all = new Gate();
    let waiting = 0;
    store.before = (operation) => {
      if (operation !== 'get') return;
      waiting += 1;
      return all.opened;
    };
    const done = bench.http.put('/x', 'new', { headers: { Authorization: 'Basic x' } });
    await until(() => waiting === 4); // GET and HEAD, with and without the credentials
    all.open();
    await done;
    await bench.close();
  });
});

describe('an unsafe request over a store that cannot be read just now', () => {
  it('removes what is stored all the same', async () => {
    const store = new RemoteStore();
    const bench = await rig({ backend: store } as CacheOptions);
    const { http, adapter } = bench;
    await http.get('/x');
    await adapter.cache.flush();
    store.before = (operation) => {
      if (operation === 'get') throw new Error('busy');
    };
    await http.put('/x', 'new');
    store.before = () => {};
    expect((await http.get('/x')).fromCache).to.equal(false);
    await bench.close();
  });
});

describe('a stream that comes with an error', () => {
  const streamed = { responseType: 'stream' } as const;
  for (const inner of ['http', 'fetch'] as const) {
    // The oldest axios' fetch adapter holds on to the signal itself.
    const test = inner === 'fetch' ? itOnCurrentAxios : it;
    test(`no longer obeys the signal over ${inner}, as in axios: who ignores it must not be ended by a late abort`, async () => {
      const bench = await rig({ allowableCodes: [200, 404], adapter: inner });
      const { origin, http } = bench;
      origin.on('/404', answer('not here', {}, 404)).on('/503', answer('not now', {}, 503));
      await rejection(http.get('/404')); // stored
      const { signal } = new AbortController();
      for (const [path, config] of [
        ['/503', streamed],
        ['/404', { ...streamed, forceRefresh: true }],
        ['/404', streamed],
        ['/other', { ...streamed, onlyIfCached: true }],
      ] as const) {
        const { response } = await rejection(http.get(path, { ...config, signal }));
        expect(response?.status, path).to.be.greaterThan(400);
        expect(getEventListeners(signal, 'abort'), path).to.have.length(0);
        const stream = response?.data as AsyncIterable<Uint8Array>;
        let body = '';
        for await (const chunk of stream) body += Buffer.from(chunk).toString();
        expect(body, path).to.include(response?.status === 504 ? '' : 'not');
      }
      await bench.close();
    });
  }
});
