import axios from 'axios';
import { expect } from 'chai';
import { type CacheOptions, cacheAdapter, MemoryBackend } from '../../lib/index.js';
import { answer, Gate, RemoteStore, Resource, recordEvents, until, using } from '../adapter/support.js';

const options = { cacheControl: true };
const fresh = { 'cache-control': 'max-age=100' };
const inGroups = (groups: string) => answer('body', { ...fresh, 'cache-groups': groups });
const invalidating = (groups: string, status = 200) =>
  answer('', { 'cache-group-invalidation': groups }, status);

describe('cache groups (RFC 9875) with cacheControl', () => {
  it(
    'are invalidated by the answer to an unsafe request, whatever the URL, and nothing else is',
    using(options, async (own) => {
      const { http, origin, adapter } = own;
      const events = recordEvents(own, ['invalidated']);
      origin.on('/a', inGroups('"x", "y"')).on('/b', inGroups('"y"')).on('/c', inGroups('"X"'));
      origin.on('/none', answer('body', fresh)).on('/post', invalidating('"x"'));
      for (const path of ['/a', '/b', '/c', '/none']) await http.get(path);
      await http.post('/post');
      expect((await http.get('/a')).fromCache).to.equal(false);
      for (const path of ['/b', '/c', '/none']) expect((await http.get(path)).fromCache, path).to.equal(true);
      expect((await http.get('/a')).fromCache, 'what came since').to.equal(true);
      expect(events.filter(([, { reason }]) => reason === 'cache group')).to.have.length(1);
      expect(await adapter.cache.count()).to.equal(4);
    }),
  );

  it(
    'are left by a failed or a safe request, by an answer that names none, and by another origin',
    using(options, async (own) => {
      const { http, origin } = own;
      origin.on('/a', inGroups('"x"'));
      await http.get('/a');
      for (const answered of [invalidating('"x"', 500), invalidating('x'), invalidating('"y"'), answer('')]) {
        origin.on('/post', answered);
        await http.post('/post', undefined, { validateStatus: null });
      }
      origin.on('/get', answer('', { ...fresh, 'cache-group-invalidation': '"x"' }));
      await http.get('/get');
      origin.on('/post', invalidating('"x"'));
      await http.post(`${origin.url.replace('127.0.0.1', 'localhost')}/post`).catch(() => undefined);
      expect((await http.get('/a')).fromCache).to.equal(true);
    }),
  );

  it(
    'count for what was revalidated since, and not for an answer that was under way',
    using(options, async ({ http, origin, clock }) => {
      const gate = new Gate();
      const resource = Object.assign(new Resource(), { headers: { ...fresh, 'cache-groups': '"x"' } });
      origin.on('/r', resource.handler).on('/post', invalidating('"x"'));
      await http.get('/r');
      clock.tick(1);
      origin.on('/r', async (req, res, raw) => {
        await gate.opened;
        await resource.handler(req, res, raw);
      });
      const underWay = http.get('/r', { refresh: true });
      await until(() => origin.count === 2);
      await http.post('/post');
      gate.open();
      expect(await underWay).to.include({ status: 200 });
      const again = await http.get('/r');
      expect(again.fromCache).to.equal(false);
      expect((await http.get('/r')).fromCache).to.equal(true);
    }),
  );

  it('are told of once, whether a request or the sweep meets them', async () => {
    const store = new RemoteStore();
    await using({ ...options, backend: store } as CacheOptions, async (own) => {
      const { http, origin, adapter } = own;
      const events = recordEvents(own, ['invalidated']);
      origin.on('/a', inGroups('"x"')).on('/post', invalidating('"x"'));
      const { cacheKey } = await http.get('/a');
      await adapter.cache.flush();
      const [read, answered] = [new Gate(), new Gate()];
      let isSwept = false;
      const get = store.get.bind(store);
      store.get = async (key) => {
        const value = await get(key);
        if (key !== cacheKey || isSwept) return value;
        isSwept = true;
        await read.opened;
        return value;
      };
      await http.post('/post');
      await until(() => isSwept);
      origin.on('/a', async (...exchange) => {
        await answered.opened;
        await inGroups('"x"')(...exchange);
      });
      const anew = http.get('/a');
      await until(() => origin.count === 3);
      read.open();
      for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setTimeout(resolve, 1));
      answered.open();
      expect((await anew).fromCache).to.equal(false);
      expect((await http.get('/a')).fromCache).to.equal(true);
      expect(events.filter(([, { reason }]) => reason === 'cache group')).to.have.length(1);
    })();
  });

  it(
    'are swept from the store, so that another process has them no longer',
    using({}, async ({ origin, clock }) => {
      const backend = new MemoryBackend();
      const make = () => cacheAdapter({ ...options, backend, clock: clock.now });
      const [one, two] = [make(), make()];
      const [here, there] = [one, two].map((adapter) => axios.create({ baseURL: origin.url, adapter }));
      if (here === undefined || there === undefined) throw new Error('two');
      origin.on('/post', invalidating('"x"'));
      for (let n = 0; n < 250; n++) {
        origin.on(`/a${n}`, inGroups(n % 2 === 0 ? '"x"' : '"y"'));
        await here.get(`/a${n}`);
      }
      let swept = 0;
      one.cache.on('invalidated', () => {
        swept += 1;
      });
      await here.post('/post');
      await until(() => swept === 125);
      await one.cache.flush();
      expect((await there.get('/a0')).fromCache).to.equal(false);
      expect((await there.get('/a1')).fromCache).to.equal(true);
      await one.close();
      await two.close();
    }),
  );

  it(
    'are nothing without cacheControl, nor with readOnly',
    using({ expireAfter: 100 }, async ({ another, http, origin }) => {
      origin.on('/a', inGroups('"x"')).on('/post', invalidating('"x"'));
      await http.get('/a');
      await http.post('/post');
      expect((await http.get('/a')).fromCache).to.equal(true);
      const { http: reading, adapter } = another(options);
      await reading.get('/a');
      adapter.settings.readOnly = true;
      await reading.post('/post');
      expect((await reading.get('/a')).fromCache).to.equal(true);
    }),
  );
});
