import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { type Collection, MongoClient } from 'mongodb';
import { isCacheError } from '../../lib/errors.js';
import { KeyvBackend } from '../../lib/stores/keyv.js';
import { rig } from '../support/harness.js';
import { startProxy } from '../support/proxy.js';
import { describeService, findService } from '../support/services.js';
import { allKeys, failure, meta, type StoreFixture, storeContract, text } from './contract.js';
import { failureSpecs } from './keyv-failures.js';
import {
  allowRefusedIndices,
  dropDatabase,
  mongoAdapter,
  refuseIndicesAgain,
  uniqueName,
  until,
} from './keyv-support.js';

const mongodb = await findService('mongodb');
const key = 'a1'.repeat(32);
const value = Buffer.from('value');

/** FerretDB waits for the disk with each write: hundreds of keys take long, and are tried with fewer below. */
const SLOW = [
  'lists and deletes 2000 keys',
  'lists each key once while entries come, go and change',
  'clears everything, and goes on',
];

function contractWithoutManyKeys(...parameters: Parameters<typeof storeContract>): void {
  describe('on a slow server', () => storeContract(...parameters)).suites.forEach((suite) => {
    suite.tests = suite.tests.filter(({ title }) => !SLOW.includes(title));
  });
}

describe('KeyvBackend on @keyv/mongo with useGridFS', () => {
  it('is refused, since it loses data, naming the backend that does not', () => {
    const options = { useGridFS: true, serverSelectionTimeoutMS: 1 };
    const adapter = mongoAdapter('mongodb://127.0.0.1:1', 'db', options);
    adapter.on('error', () => {});
    for (const handed of [adapter, new Keyv(adapter)]) {
      expect(() => new KeyvBackend(handed)).to.throw(/Option backend: .*useGridFS.*'gridfs'/);
    }
  });
});

describeService(mongodb, '@keyv/mongo', (url) => {
  let db = '';
  const closables: KeyvBackend[] = [];

  before(allowRefusedIndices);
  after(refuseIndicesAgain);
  beforeEach(() => {
    db = uniqueName();
  });
  afterEach(async () => {
    for (const each of closables.splice(0)) await each.close();
    await dropDatabase(url, db);
  });

  function fixture(make: () => unknown): StoreFixture {
    const open = () => new KeyvBackend(make());
    return { store: open(), reopen: open };
  }
  const contractOptions = { full: false, persistent: true, largest: 3_000_000 };
  contractWithoutManyKeys(
    'KeyvBackend on the store adapter @keyv/mongo',
    () => fixture(() => mongoAdapter(url, db)),
    contractOptions,
  );
  contractWithoutManyKeys(
    'KeyvBackend on a Keyv over @keyv/mongo',
    () => fixture(() => new Keyv(mongoAdapter(url, db), { namespace: 'cache' })),
    contractOptions,
  );

  function opened(handed: unknown): KeyvBackend {
    const store = new KeyvBackend(handed);
    closables.push(store);
    return store;
  }
  const keyvOf = (namespace = 'cache', options = {}) =>
    new Keyv(mongoAdapter(url, db), { namespace, ...options });

  /** What is in the collection. */
  async function inCollection<T>(work: (collection: Collection) => Promise<T>): Promise<T> {
    const client = new MongoClient(url);
    try {
      return await work(client.db(db).collection('keyv'));
    } finally {
      await client.close();
    }
  }

  describe('KeyvBackend on @keyv/mongo', () => {
    it('keeps an entry in a document, which MongoDB may drop an hour after it expired, and never if it does not', async () => {
      for (const options of [{}, { ttl: 1000 }]) {
        const store = opened(keyvOf('cache', options));
        const expiresAt = Date.now() + 1000.5;
        const kept = () =>
          inCollection((collection) => collection.findOne({ key: `cache:axios-stash:${key}` }));
        await store.set(key, value, meta({ expiresAt }));
        expect(Number((await kept())?.expiresAt) - expiresAt - 3600_000).to.be.within(-1, 5000);
        for (const never of [{}, { expiresAt: 1e300 }, { expiresAt: 8.64e15 }]) {
          await store.set(key, value, meta(never));
          expect((await kept())?.expiresAt).to.equal(null);
        }
        expect((await kept())?.value).to.equal(`{"value":"${value.toString('base64')}"}`);
      }
    });

    it('lists and clears its own namespace only, whatever pattern its name would be', async () => {
      const names = ['cache', 'cache2', 'ca.he', '.*', 'cache:x', '(', ''];
      const stores = names.map((name) => opened(keyvOf(name)));
      for (const [n, store] of stores.entries()) await store.set(`${key} ${n}`, value, meta());
      for (const [n, store] of stores.entries()) {
        expect(await allKeys(store), names[n]).to.deep.equal([`${key} ${n}`]);
        await store.clear();
        expect(await allKeys(store), names[n]).to.deep.equal([]);
        for (const [m, other] of stores.entries()) {
          if (m > n) expect(text(await other.get(`${key} ${m}`)), names[m]).to.equal('value');
        }
      }
    });

    it('leaves alone what the application keeps in the same namespace', async () => {
      const keyv = keyvOf();
      const store = opened(keyv);
      await keyv.set('theirs', 'value');
      await store.set(key, value, meta());
      await inCollection((collection) => collection.insertOne({ key: 'cache:text', value: 'no JSON' }));
      expect(await allKeys(store)).to.deep.equal([key]);
      await store.clear();
      expect(await allKeys(store)).to.deep.equal([]);
      expect(await inCollection((collection) => collection.countDocuments())).to.equal(2);
    });

    it('fails for one entry only when what is under its key is not from this cache', async () => {
      const store = opened(keyvOf());
      for (const foreign of ['no JSON', '{"value":"what is this?"}', { value: 5 }]) {
        await store.set(key, value, meta());
        await inCollection((collection) => collection.updateMany({}, { $set: { value: foreign } }));
        const error = await failure(() => store.get(key));
        expect(isCacheError(error) && error).to.include({ code: 'ERR_CACHE_STORE', scope: 'entry' });
      }
    });

    it('takes what a document can hold, and fails for one entry only when it is more', async function () {
      this.timeout(60_000);
      const store = opened(keyvOf());
      const large = Buffer.alloc(12_570_000, 'x');
      await store.set(key, large, meta());
      expect(large.equals((await store.get(key)) ?? value)).to.equal(true);
      const error = await failure(() => store.set(key, Buffer.alloc(12_600_000), meta()));
      expect(isCacheError(error) && error).to.include({ code: 'ERR_CACHE_STORE', scope: 'entry' });
      expect(String(error)).to.match(/12600000 bytes/);
    });

    it('lists, clears and deletes some hundred keys, also while others delete', async function () {
      this.timeout(60_000);
      const store = opened(keyvOf());
      const keys = Array.from({ length: 200 }, (_, n) => `key ${n}`);
      await Promise.all(keys.map((each) => store.set(each, value, meta())));
      const seen: string[] = [];
      for await (const each of store.keys()) {
        seen.push(each);
        if (seen.length === 10) await opened(keyvOf()).delete(keys.slice(0, 100));
      }
      expect(keys.slice(100).filter((each) => !seen.includes(each))).to.deep.equal([]);
      expect(new Set(seen).size).to.equal(seen.length);
      expect(await store.delete(keys.slice(50, 150))).to.equal(50);
      await store.clear();
      expect(await allKeys(store)).to.deep.equal([]);
    });

    it('gives hits to a second cache', async () => {
      const [first, second] = [keyvOf(), keyvOf()];
      const cache = await rig({ backend: first });
      await cache.http.get('/a');
      await cache.adapter.cache.flush();
      expect((await cache.http.get('/a')).fromCache).to.equal(true);
      expect((await cache.another({ backend: second }).http.get('/a')).fromCache).to.equal(true);
      expect(cache.origin.count).to.equal(1);
      await cache.close();
      await first.disconnect();
      await second.disconnect();
    });

    it('fails every call at once after the adapter could not connect, which it does not try again', async () => {
      const proxy = await startProxy(url);
      proxy.mode = 'refuse';
      const keyv = new Keyv(mongoAdapter(proxy.url, db, { serverSelectionTimeoutMS: 300 }));
      const store = new KeyvBackend(keyv);
      const told: string[] = [];
      store.observe((error) => told.push(String(error)));
      // Those that came before, too.
      expect(String(await failure(() => store.get(key)))).to.match(/^CacheStoreError.*ECONNREFUSED/);
      proxy.mode = 'pass';
      for (let n = 0; n < 300; n++) {
        expect(String(await failure(() => store.set(key, value, meta())))).to.match(
          /^CacheStoreError.*could not connect, and does not try again.*ECONNREFUSED/,
        );
      }
      await store.close();
      await proxy.close();
    });

    it('tells of a connection that failed while no call was under way', async () => {
      const keyv = new Keyv(mongoAdapter('mongodb://127.0.0.1:1', db, { serverSelectionTimeoutMS: 1 }));
      const store = new KeyvBackend(keyv);
      const told: string[] = [];
      store.observe((error) => told.push(String(error)));
      await until(() => told.length > 0);
      expect(told[0]).to.match(/^CacheStoreError.*KeyvMongo/);
      await store.close();
    });

    it('does not end the process when it is closed before the connection failed', async () => {
      // The adapter alone, without a Keyv that swallows its errors.
      const adapter = mongoAdapter('mongodb://127.0.0.1:1', db, { serverSelectionTimeoutMS: 6000 });
      const store = new KeyvBackend(adapter);
      expect(String(await failure(() => store.close()))).to.match(/^CacheStoreError.*no answer within 4 s/);
      expect(adapter.listenerCount('error')).to.equal(1);
    });
  });

  failureSpecs(
    'KeyvBackend on a Keyv over @keyv/mongo',
    url,
    (proxied) => {
      const store = mongoAdapter(proxied, db);
      return { keyv: new Keyv(store), listeners: () => store.listenerCount('error') };
    },
    // mongodb 7 waits for ever for a server that it polls (FerretDB) when the connection it polls it by is cut with others.
    { dispose: async () => {}, recoversFromCut: false },
  );
});

describeService(mongodb, '@keyv/mongo on a server that refuses a TTL index', (url) => {
  it('fails every call at once, saying so', async function () {
    // In a process of its own: the adapter leaves a connection open that nobody can close.
    const program = fileURLToPath(new URL('./keyv-mongo-refused.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      program,
      url,
      uniqueName(),
    ]);
    if (stdout === 'connected') return this.skip();
    expect(stdout).to.match(/^CacheStoreError: .*can't read: .*expireAfterSeconds/);
  });
});
