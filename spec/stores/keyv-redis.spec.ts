import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import KeyvRedis, { createKeyv, createKeyvNonBlocking } from '@keyv/redis';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { createClient } from 'redis';
import { isCacheError } from '../../lib/errors.js';
import { KeyvBackend } from '../../lib/stores/keyv.js';
import { rig } from '../support/harness.js';
import { startProxy } from '../support/proxy.js';
import { describeService, findService } from '../support/services.js';
import { allKeys, failure, meta, type StoreFixture, storeContract, text } from './contract.js';
import { failureSpecs } from './keyv-failures.js';
import { uniqueName } from './keyv-support.js';

const redis = await findService('redis');
const cluster = await findService('redis-cluster');
const contractOptions = { full: false, persistent: true };
const key = 'a1'.repeat(32);
const value = Buffer.from('value');

describeService(cluster, '@keyv/redis on a cluster', (urls) => {
  const rootNodes = urls.split(',').map((url) => ({ url }));
  storeContract(
    'KeyvBackend on a Keyv over @keyv/redis on a cluster',
    () => clearedAfterwards(() => new Keyv(new KeyvRedis({ rootNodes }), { namespace })),
    contractOptions,
  );
});

/** Of the test under way. */
let namespace = '';

function clearedAfterwards(make: () => unknown): StoreFixture {
  namespace = uniqueName();
  const open = () => new KeyvBackend(make());
  return {
    store: open(),
    reopen: open,
    dispose: async () => {
      const left = open();
      await left.clear();
      await left.close();
    },
  };
}

describeService(redis, '@keyv/redis', (url) => {
  storeContract(
    'KeyvBackend on the store adapter @keyv/redis',
    () => clearedAfterwards(() => new KeyvRedis(url, { namespace })),
    contractOptions,
  );
  storeContract(
    'KeyvBackend on a Keyv over @keyv/redis',
    () => clearedAfterwards(() => new Keyv(new KeyvRedis(url), { namespace })),
    contractOptions,
  );
  storeContract(
    'KeyvBackend on what createKeyv of @keyv/redis makes',
    () => clearedAfterwards(() => createKeyv(url, { namespace })),
    contractOptions,
  );

  const own = createClient({ url });
  const closables: KeyvBackend[] = [];

  before(async () => {
    await own.connect();
  });
  beforeEach(() => {
    namespace = uniqueName();
  });
  afterEach(async () => {
    for (const each of closables.splice(0)) await each.close();
    await wipe();
  });
  after(() => own.close());

  async function wipe(): Promise<void> {
    for await (const keys of own.scanIterator({ MATCH: `${namespace}*` })) {
      if (keys.length > 0) await own.unlink(keys);
    }
  }

  function opened(handed: unknown): KeyvBackend {
    const store = new KeyvBackend(handed);
    closables.push(store);
    return store;
  }
  const keyvOf = (name = namespace, options = {}) =>
    new Keyv(new KeyvRedis(url), { namespace: name, ...options });

  describe('KeyvBackend on @keyv/redis', () => {
    it('keeps an entry under the namespace twice, which Keyv and its adapter each put before the key', async () => {
      await opened(keyvOf()).set(key, value, meta());
      expect(await own.keys(`${namespace}*`)).to.deep.equal([
        `${namespace}::${namespace}:axios-stash:${key}`,
      ]);
      expect(await own.get(`${namespace}::${namespace}:axios-stash:${key}`)).to.equal(
        `{"value":"${value.toString('base64')}"}`,
      );
    });

    it('has Redis drop what expires, an hour after it did, and never what does not', async () => {
      for (const handed of [keyvOf(), keyvOf(namespace, { ttl: 1000 }), new KeyvRedis(url, { namespace })]) {
        const store = opened(handed);
        await store.set(key, value, meta({ expiresAt: Date.now() + 1000.5 }));
        const [name = ''] = await own.keys(`${namespace}*`);
        expect(await own.pTTL(name)).to.be.within(3_590_000, 3_601_001);
        await store.set(key, value, meta());
        expect(await own.pTTL(name)).to.equal(-1);
        await store.set(key, value, meta({ expiresAt: 1e300 }));
        expect(await own.pTTL(name)).to.equal(-1);
        await store.clear();
      }
    });

    it('lists and clears its own namespace only, whatever pattern its name would be', async () => {
      const names = ['', '*', '[a]', 'a', '?', '\\', '::a', ':a'].map((end) => namespace + end);
      for (const make of [keyvOf, (name: string) => new KeyvRedis(url, { namespace: name })]) {
        const stores = names.map((name) => opened(make(name)));
        for (const [n, store] of stores.entries()) await store.set(`${key} ${n}`, value, meta());
        for (const [n, store] of stores.entries()) {
          expect(await allKeys(store), names[n]).to.deep.equal([`${key} ${n}`]);
          await store.clear();
          expect(await allKeys(store), names[n]).to.deep.equal([]);
          const left = stores.slice(n + 1);
          for (const [m, other] of left.entries()) {
            expect(text(await other.get(`${key} ${n + 1 + m}`)), names[n + 1 + m]).to.equal('value');
          }
        }
      }
    });

    it('leaves alone what the application keeps in the same namespace', async () => {
      const keyv = keyvOf();
      const store = opened(keyv);
      await keyv.set('theirs', 'value');
      await own.hSet(`${namespace}::${namespace}:hash`, 'field', 'value');
      await own.set(`${namespace}::${namespace}:text`, 'no JSON');
      await store.set(key, value, meta());
      expect(await allKeys(store)).to.deep.equal([key]);
      await store.clear();
      expect((await own.keys(`${namespace}*`)).length).to.equal(3);
    });

    it('fails for one entry only when what is under its key is not from this cache', async () => {
      const store = opened(keyvOf());
      const name = `${namespace}::${namespace}:axios-stash:${key}`;
      const foreign: [what: string, put: () => unknown][] = [
        ['a hash', () => own.hSet(name, 'field', 'value')],
        ['no JSON', () => own.set(name, 'no JSON')],
        ['no base64', () => own.set(name, '{"value":"what is this?"}')],
        ['a number', () => own.set(name, '{"value":5}')],
      ];
      for (const [what, put] of foreign) {
        await own.unlink(name);
        await put();
        const error = await failure(() => store.get(key));
        expect(isCacheError(error) && error, what).to.include({ code: 'ERR_CACHE_STORE', scope: 'entry' });
        await store.set(key, value, meta());
        expect(text(await store.get(key)), what).to.equal('value');
      }
    });

    it('lists all that stays while others delete', async () => {
      const store = opened(keyvOf());
      const keys = Array.from({ length: 3000 }, (_, n) => `key ${n}`);
      await Promise.all(keys.map((each) => store.set(each, value, meta())));
      const other = opened(keyvOf());
      const seen: string[] = [];
      for await (const each of store.keys()) {
        seen.push(each);
        if (seen.length === 10) await other.delete(keys.filter((_, n) => n % 3 === 0));
      }
      const staying = keys.filter((_, n) => n % 3 !== 0);
      expect(staying.filter((each) => !seen.includes(each))).to.deep.equal([]);
      expect(new Set(seen).size).to.equal(seen.length);
    });

    it('fails at once, and holds on to nothing, while there is no server', async () => {
      const proxy = await startProxy(url);
      proxy.mode = 'refuse';
      const adapter = new KeyvRedis(proxy.url, { namespace });
      const store = new KeyvBackend(adapter);
      expect(String(await failure(() => store.set(key, value, meta())))).to.match(
        /^CacheStoreError.*ECONNREFUSED/,
      );
      await Promise.allSettled(Array.from({ length: 300 }, () => store.set(key, value, meta())));
      expect(String(await failure(() => store.get(key)))).to.match(/^CacheStoreError.*no answer yet/);
      await store.close();
      await proxy.close();
    });

    it('says at once that a set failed that the adapter itself lets pass', async () => {
      const proxy = await startProxy(url);
      proxy.mode = 'refuse';
      const adapter = new KeyvRedis(proxy.url, { throwOnConnectError: false, connectionTimeout: 100 });
      const store = new KeyvBackend(new Keyv(adapter, { namespace }));
      for (let n = 0; n < 20; n++) {
        expect(String(await failure(() => store.set(key, value, meta())))).to.match(/^CacheStoreError/);
      }
      expect(adapter.client.listenerCount('error')).to.equal(1);
      await store.close();
      await proxy.close();
    });

    it('gives hits to a second cache, and to another process', async () => {
      const keyv = keyvOf();
      const first = await rig({ backend: keyv });
      await first.http.get('/a');
      await first.adapter.cache.flush();
      expect((await first.http.get('/a')).fromCache).to.equal(true);
      const second = keyvOf();
      expect((await first.another({ backend: second }).http.get('/a')).fromCache).to.equal(true);
      expect(first.origin.count).to.equal(1);
      await first.close();
      await second.disconnect();

      const store = opened(keyv);
      await store.set(key, value, meta());
      const worker = fileURLToPath(new URL('./keyv-worker.ts', import.meta.url));
      const args = ['--import', 'tsx', worker, url, namespace, key];
      expect((await promisify(execFile)(process.execPath, args)).stdout).to.equal('value');
    });
  });

  const listenersOf = (store: KeyvRedis<unknown>) => () =>
    store.listeners('error').length + store.client.listenerCount('error');
  const makers: [what: string, make: (proxied: string) => Keyv][] = [
    ['a Keyv over @keyv/redis', (proxied) => new Keyv(new KeyvRedis(proxied), { namespace })],
    [
      'a Keyv over @keyv/redis that hides that it can not connect',
      (proxied) => {
        const options = { throwOnConnectError: false, connectionTimeout: 100 };
        return new Keyv(new KeyvRedis(proxied, options), { namespace });
      },
    ],
    ['a Keyv of createKeyvNonBlocking', (proxied) => createKeyvNonBlocking(proxied, { namespace })],
  ];
  for (const [what, make] of makers) {
    failureSpecs(
      `KeyvBackend on ${what}`,
      url,
      (proxied) => {
        const keyv = make(proxied);
        return { keyv, listeners: listenersOf(keyv.store) };
      },
      { dispose: wipe, recoversFromCut: true },
    );
  }
});
