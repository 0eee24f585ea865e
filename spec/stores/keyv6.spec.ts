/** Keyv 6, on a Node that has what it needs: its errors throw without a listener, its stores take moments of expiry. */
import { join } from 'node:path';
import KeyvMongo from '@keyv/mongo';
import KeyvRedis from '@keyv/redis';
import KeyvSqlite from '@keyv/sqlite';
import { expect } from 'chai';
import { isCacheError } from '../../lib/errors.js';
import { KeyvBackend } from '../../lib/stores/keyv.js';
import { rig } from '../support/harness.js';
import { describeService, findService } from '../support/services.js';
import { allKeys, expectStoreError, failure, meta, storeContract, text } from './contract.js';
import { temporaryDirectory } from './drivers.js';
import { failureSpecs } from './keyv-failures.js';
import {
  allowRefusedIndices,
  dropDatabase,
  FakeAdapter,
  FakeAdapter6,
  mongoAdapter,
  refuseIndicesAgain,
  uniqueName,
} from './keyv-support.js';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isAble = major > 22 || (major === 22 && minor >= 19);
const loaded = isAble ? await import('keyv6') : undefined;
const redis = await findService('redis');
const mongodb = await findService('mongodb');

describe('Keyv 6', () => {
  if (loaded === undefined) {
    // In CI, where nothing may be pending, they run on the newer Nodes.
    if (process.env.REQUIRE_SERVICES !== '1')
      it(`needs Node 22.19 or newer, this is ${process.versions.node}`);
    return;
  }
  specs(loaded);
});

function specs({ Keyv, KeyvMemoryAdapter, createKeyv }: typeof import('keyv6')): void {
  const minimal = { full: false };
  const hour = 3600_000;
  const value = Buffer.from('value');

  const makers: [what: string, make: () => unknown][] = [
    ['a Keyv over a Map', () => new Keyv()],
    ['a Keyv with a namespace', () => new Keyv({ namespace: 'my::own:space' })],
    ['a Keyv without serialization', () => createKeyv(new Map())],
    ['a KeyvMemoryAdapter', () => new KeyvMemoryAdapter(new Map(), { namespace: 'cache' })],
    ['a Keyv over an adapter', () => new Keyv({ store: new FakeAdapter6(), namespace: 'cache' })],
    ['an adapter', () => new FakeAdapter6()],
  ];
  for (const [what, make] of makers) {
    storeContract(`KeyvBackend on ${what} of Keyv 6`, () => ({ store: new KeyvBackend(make()) }), minimal);
  }

  storeContract(
    'KeyvBackend on a Keyv 6 over @keyv/sqlite of Keyv 5',
    async () => {
      const { path, remove } = temporaryDirectory();
      const open = async () => {
        const adapter = new KeyvSqlite(`sqlite://${join(path, 'keyv.sqlite')}`);
        await adapter.query('PRAGMA journal_mode = WAL');
        await adapter.query('PRAGMA synchronous = OFF');
        return new KeyvBackend(new Keyv(adapter, { namespace: 'cache' }));
      };
      return { store: await open(), reopen: open, dispose: remove };
    },
    { ...minimal, persistent: true },
  );

  describeService(redis, 'over @keyv/redis of Keyv 5', (url) => {
    let namespace = '';
    const keyvOn = (to: string) => new Keyv(new KeyvRedis(to), { namespace });
    const wipe = async () => {
      const left = new KeyvBackend(keyvOn(url));
      await left.clear();
      await left.close();
    };
    beforeEach(() => {
      namespace = uniqueName();
    });
    for (const [what, make] of [
      ['a Keyv 6 over @keyv/redis', () => keyvOn(url)],
      ["Keyv 6's bridge over @keyv/redis", () => keyvOn(url).store],
    ] as const) {
      storeContract(
        `KeyvBackend on ${what}`,
        () => ({
          store: new KeyvBackend(make()),
          reopen: () => new KeyvBackend(make()),
          dispose: wipe,
        }),
        { ...minimal, persistent: true },
      );
    }
    failureSpecs(
      'KeyvBackend on a Keyv 6 over @keyv/redis',
      url,
      (proxied) => {
        const store = new KeyvRedis(proxied);
        return {
          keyv: new Keyv(store, { namespace }),
          listeners: () => store.listeners('error').length + store.client.listenerCount('error'),
        };
      },
      { dispose: wipe, recoversFromCut: true },
    );
  });

  describeService(mongodb, 'over @keyv/mongo of Keyv 5', (url) => {
    before(allowRefusedIndices);
    after(refuseIndicesAgain);

    it('keeps namespaces apart, lists and clears one', async () => {
      const db = uniqueName();
      const names = ['cache', 'cache2', 'cache::x'];
      const stores = names.map(
        (namespace) => new KeyvBackend(new Keyv(mongoAdapter(url, db), { namespace })),
      );
      for (const [n, store] of stores.entries()) await store.set(`key ${n}`, value, meta());
      for (const [n, store] of stores.entries()) expect(await allKeys(store)).to.deep.equal([`key ${n}`]);
      await stores[0]?.clear();
      expect(await stores[0]?.get('key 0')).to.equal(undefined);
      expect(text(await stores[1]?.get('key 1'))).to.equal('value');
      for (const store of stores) await store.close();
      await dropDatabase(url, db);
    });
  });

  describe('KeyvBackend on a Keyv 6', () => {
    it('fails when the store rejects, of which a Keyv 6 only emits an error', async () => {
      for (const adapter of [new FakeAdapter6(), new FakeAdapter()]) {
        const store = new KeyvBackend(new Keyv({ store: adapter }));
        adapter.answer = () => Promise.reject(new Error('broken'));
        for (const call of [
          () => store.get('key'),
          () => store.set('key', value, meta()),
          () => store.delete(['key']),
          () => store.clear(),
        ]) {
          const error = await failure(call);
          expect(isCacheError(error) && String(error)).to.match(/^CacheStoreError.*broken/);
        }
      }
    });

    it('fails when the store emits an error and answers as if nothing had happened', async () => {
      const adapter = new FakeAdapter6();
      const store = new KeyvBackend(new Keyv({ store: adapter }));
      adapter.answer = () => adapter.emit('error', new Error('broken'));
      await expectStoreError(() => store.get('key'));
      await expectStoreError(() => store.set('key', value, meta()));
      await expectStoreError(() => store.delete(['key']));
    });

    it('tells of errors between calls, which would end the process otherwise', async () => {
      const adapter = new FakeAdapter6();
      const keyv = new Keyv({ store: adapter });
      const store = new KeyvBackend(keyv);
      const told: string[] = [];
      store.observe((error) => told.push(String(error)));
      adapter.emit('error', new Error('broken'));
      expect(told).to.have.length(1);
      expect(told[0]).to.match(/^CacheStoreError.*broken/);
      expect(keyv.listeners('error').length).to.equal(1);
      await store.close();
      expect(keyv.listeners('error').length).to.equal(0);
    });

    it('fails to write when set() answers false', async () => {
      const adapter = new FakeAdapter6();
      adapter.answer = () => false;
      await expectStoreError(() => new KeyvBackend(new Keyv({ store: adapter })).set('key', value, meta()));
    });

    it('fails for one entry only when what is under its key can not be read', async () => {
      const key = 'a1'.repeat(32);
      for (const foreign of ['no JSON', '{"value":5}']) {
        const adapter = new FakeAdapter6();
        const store = new KeyvBackend(new Keyv({ store: adapter }));
        adapter.kept.set(`axios-stash:${key}`, foreign);
        const error = await failure(() => store.get(key));
        expect(isCacheError(error) && error, foreign).to.include({ code: 'ERR_CACHE_STORE', scope: 'entry' });
      }
    });

    it('has the store drop what expires, an hour after it did, and never what does not', async () => {
      const expiresAt = Date.now() + 10 * hour;
      for (const options of [{}, { ttl: 1 }]) {
        const adapter = new FakeAdapter6();
        const store = new KeyvBackend(new Keyv({ store: adapter, ...options }));
        await store.set('key', value, meta({ expiresAt }));
        await store.set('key', value, meta());
        await store.set('key', value, meta({ expiresAt: 1e300 }));
        const [first, ...others] = adapter.lifetimes;
        expect(Number(first) - expiresAt - hour).to.be.within(0, 5000);
        expect(others).to.deep.equal([undefined, undefined]);
      }
    });

    it('leaves alone other namespaces, and what others keep in its own', async () => {
      for (const shared of [new Map(), new FakeAdapter6()]) {
        const keyv = new Keyv({ store: shared, namespace: 'cache' });
        const store = new KeyvBackend(keyv);
        await keyv.set('theirs', 'value');
        await store.set('key', value, meta());
        expect(await allKeys(store)).to.deep.equal(['key']);
        await store.clear();
        expect(await allKeys(store)).to.deep.equal([]);
        expect(await keyv.get('theirs')).to.equal('value');
      }
      const map = new Map();
      const [a, b] = ['cache', 'cache2'].map(
        (namespace) => new KeyvBackend(new Keyv({ store: map, namespace })),
      );
      await a?.set('key', value, meta());
      await b?.set('key', value, meta());
      await a?.clear();
      expect(text(await b?.get('key'))).to.equal('value');
    });

    it('keeps nothing in clear with a Keyv that encrypts', async () => {
      const flip = (data: unknown) => Buffer.from(String(data)).toString('hex');
      const flipBack = (data: unknown) => Buffer.from(String(data), 'hex').toString();
      const adapter = new FakeAdapter6();
      const keyv = new Keyv({ store: adapter, encryption: { encrypt: flip, decrypt: flipBack } });
      const store = new KeyvBackend(keyv);
      await store.set('key', value, meta());
      expect([...adapter.kept.values()].join()).to.match(/^[0-9a-f]+$/);
      expect(text(await store.get('key'))).to.equal('value');
    });

    it('rejects keys() of a store that can not be iterated, and clears it as a whole', async () => {
      const store = new KeyvBackend(new Keyv({ store: new FakeAdapter() }));
      await store.set('key', value, meta());
      expect(String(await failure(() => allKeys(store)))).to.match(/CacheStoreError.*iterated/);
      await store.clear();
      expect(await store.get('key')).to.equal(undefined);
    });

    it('refuses the GridFS mode of @keyv/mongo', () => {
      const options = { url: 'mongodb://127.0.0.1:1', useGridFS: true };
      const adapter = new KeyvMongo(Object.assign(options, { serverSelectionTimeoutMS: 1 }));
      expect(() => new KeyvBackend(new Keyv(adapter).on('error', () => {}))).to.throw(
        /Option backend: .*useGridFS.*'gridfs'/,
      );
    });

    it('gives hits to a second cache', async () => {
      const map = new Map();
      const cache = await rig({ backend: new Keyv({ store: map }) });
      await cache.http.get('/a');
      await cache.adapter.cache.flush();
      expect((await cache.http.get('/a')).fromCache).to.equal(true);
      const second = cache.another({ backend: new Keyv({ store: map }) });
      expect((await second.http.get('/a')).fromCache).to.equal(true);
      expect(cache.origin.count).to.equal(1);
      await cache.close();
    });
  });
}
