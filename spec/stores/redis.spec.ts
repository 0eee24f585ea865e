import { execFile } from 'node:child_process';
import Module from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as keyvRedis from '@keyv/redis';
import * as redisClient from '@redis/client';
import { expect } from 'chai';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import { CacheStoreError, isCacheError } from '../../lib/errors.js';
import { encodeHeader, parseHeader } from '../../lib/stores/entry-format.js';
import { RedisBackend, type RedisClientLike, type RedisOptions } from '../../lib/stores/redis.js';
import type { Store } from '../../lib/stores/store.js';
import { decodeKey, encodeKey } from '../../lib/stores/stored-keys.js';
import { rig } from '../support/harness.js';
import { describeService, findService } from '../support/services.js';
import { allKeys, failure, meta, storeContract, text } from './contract.js';
import {
  clusterClient,
  freshName,
  listIn,
  namesUnder,
  openRaw,
  type Raw,
  until,
  wipe,
} from './redis-support.js';

const run = promisify(execFile);
const worker = fileURLToPath(new URL('./redis-worker.ts', import.meta.url));

const redis = await findService('redis');
const cluster = await findService('redis-cluster');

const OFFERED = ['count', 'size', 'deleteExpired', 'keysByUrl'] as const;
const DIGEST = 'a1'.repeat(32);

describe('RedisBackend: its options', () => {
  const refused: [what: string, options: unknown, option: string, says: RegExp][] = [
    ['an unknown one', { colour: 'red' }, 'colour', /it takes cacheName, namespace, url, client, ttlOffset/],
    ['no options object', 'redis://localhost', 'redis', /an object of options/],
    ['an empty namespace', { namespace: '' }, 'namespace', /non-empty string/],
    ['a namespace that is no string', { namespace: 5 }, 'namespace', /non-empty string/],
    ['half a character in a namespace', { cacheName: 'a\ud800' }, 'cacheName', /whole characters/],
    [
      'two names',
      { cacheName: 'a', namespace: 'b' },
      'namespace',
      /another name for cacheName, which is 'a'/,
    ],
    ['a url of something else', { url: 'http://localhost' }, 'url', /allowed: redis\[s\]:\/\//],
    ['a url that is none', { url: 'localhost:6379' }, 'url', /allowed: redis\[s\]:\/\//],
    ['a database that is no number', { url: 'redis://localhost/mine' }, 'url', /allowed/],
    ['a password that can not be read', { url: 'redis://:%E0%A4%A@localhost' }, 'url', /allowed/],
    ['a url that is no string', { url: 6379 }, 'url', /allowed/],
    ['url and client', { url: 'redis://localhost', client: createClient() }, 'url', /not beside client/],
    [
      'a client that is none',
      { client: 'redis' },
      'client',
      /createClient\(\), createCluster\(\) or createSentinel\(\)/,
    ],
    ['a client without withTypeMapping', { client: likeClient() }, 'client', /of node-redis 5/],
    ['a pool', { client: createClientPool() }, 'client', /of node-redis 5/],
    ['a negative ttlOffset', { ttlOffset: -1 }, 'ttlOffset', /0 or more/],
    ['a ttlOffset that is no number', { ttlOffset: '3600' }, 'ttlOffset', /number of seconds/],
    ['clientSideCache as text', { clientSideCache: 'yes' }, 'clientSideCache', /true or false/],
    [
      'clientSideCache with a plain client',
      { clientSideCache: true, client: createClient() },
      'clientSideCache',
      /RESP: 3 and emitInvalidate: true/,
    ],
    [
      'clientSideCache with a cluster',
      { clientSideCache: true, client: clusterClient('redis://localhost') },
      'clientSideCache',
      /not with a cluster/,
    ],
    [
      'clientSideCache with a sentinel',
      { clientSideCache: true, client: sentinelClient() },
      'clientSideCache',
      /not with a sentinel/,
    ],
  ];
  for (const [what, options, option, says] of refused) {
    it(`refuses ${what}`, async () => {
      const error = await failure(() => new RedisBackend(options as RedisOptions));
      expect(error).to.include({ code: 'ERR_CACHE_OPTION', option });
      expect(String(error)).to.match(says);
    });
  }

  it('tells no password in what it refuses', async () => {
    const urls = ['http://user:secret@host', 'redis://user:secret@host/x', 'redis:user:secret@host'];
    const clients = [{ options: { password: 'secret' } }];
    const options = [...urls.map((url) => ({ url })), { url: 'redis://:secret@h', client: createClient() }];
    for (const each of [...options, ...clients.map((client) => ({ client }))]) {
      const error = await failure(() => new RedisBackend(each as RedisOptions));
      expect(isCacheError(error), String(error)).to.equal(true);
      expect(JSON.stringify(error) + String(error)).not.to.include('secret');
    }
  });

  it('takes the clients of every package, as their types are', async () => {
    const clients: RedisClientLike[] = [
      createClient(),
      createClient({ RESP: 3, emitInvalidate: true }),
      createClient().withTypeMapping({ 36: Buffer }),
      createCluster({ rootNodes: [] }),
      createCluster({ rootNodes: [], RESP: 3 }),
      sentinelClient(),
      redisClient.createClient(),
      redisClient.createCluster({ rootNodes: [] }),
      redisClient.createSentinel({ name: 'm', sentinelRootNodes: [{ host: 'localhost', port: 1 }] }),
      keyvRedis.createClient({ url: 'redis://localhost' }),
      keyvRedis.createCluster({ rootNodes: [] }),
      keyvRedis.createSentinel({ name: 'm', sentinelRootNodes: [{ host: 'localhost', port: 1 }] }),
    ];
    for (const client of clients) await new RedisBackend({ client }).close();
  });

  it('takes cacheName for the namespace', async () => {
    for (const [options, namespace] of [
      [{}, 'http_cache'],
      [{ cacheName: 'app' }, 'app'],
      [{ namespace: 'app' }, 'app'],
      [{ cacheName: 'app', namespace: 'app' }, 'app'],
    ] as const) {
      const store = new RedisBackend(options);
      expect(store.namespace).to.equal(namespace);
      await store.close();
    }
  });

  it('needs @keyv/redis for a connection of its own, and not for a client', async () => {
    const loader = Module as unknown as { _load: (request: string, ...more: unknown[]) => unknown };
    const load = loader._load;
    loader._load = (request, ...more) => {
      if (request === '@keyv/redis') throw new Error('Cannot find module');
      return load(request, ...more);
    };
    try {
      const error = await failure(() => new RedisBackend());
      expect(error).to.include({ code: 'ERR_CACHE_DRIVER', driver: '@keyv/redis' });
      await new RedisBackend({ client: createClient() }).close();
    } finally {
      loader._load = load;
    }
  });

  it('has a version and tells of changes only with clientSideCache', async () => {
    const without: Store = new RedisBackend();
    expect([without.version, without.onChange]).to.deep.equal([undefined, undefined]);
    const withIt: Store = new RedisBackend({ clientSideCache: true });
    expect(withIt.version?.()).to.deep.equal(Number.NaN);
    await Promise.all([without.close(), withIt.close()]);
  });
});

/** Like ioredis, or node-redis 4. */
function likeClient(): object {
  return { isOpen: true, isReady: true, connect() {}, on() {}, off() {}, sendCommand() {} };
}

function sentinelClient() {
  return createSentinel({ name: 'main', sentinelRootNodes: [{ host: 'localhost', port: 1 }] });
}

describeService(redis, 'RedisBackend on a server', (url) => {
  let raw: Raw;
  before(async () => {
    raw = await openRaw(url);
  });
  after(() => raw.destroy());

  for (const [title, options, full] of [
    ['RedisBackend', {}, OFFERED],
    ['RedisBackend with clientSideCache', { clientSideCache: true }, [...OFFERED, 'version' as const]],
  ] as const) {
    storeContract(
      title,
      () => {
        const namespace = freshName();
        const open = () => new RedisBackend({ namespace, url, ...options });
        return { store: open(), reopen: open, dispose: () => wipe(raw, `${namespace}:`) };
      },
      { full, persistent: true },
    );
  }

  storeContract(
    'RedisBackend with a client',
    () => {
      const namespace = freshName();
      const client = createClient({ url, RESP: 3 }).on('error', () => {});
      const open = () => new RedisBackend({ namespace, client });
      const dispose = async () => {
        if (client.isOpen) client.destroy();
        await wipe(raw, `${namespace}:`);
      };
      return { store: open(), reopen: open, dispose };
    },
    { full: OFFERED, persistent: true },
  );

  describe('in use', () => {
    let namespace: string;
    let store: RedisBackend;
    let stores: RedisBackend[];
    const open = (options: RedisOptions = { url }) => {
      const one = new RedisBackend({ namespace, ...options });
      stores.push(one);
      return one;
    };
    const names = () => namesUnder(raw, namespace);

    beforeEach(() => {
      namespace = freshName();
      stores = [];
      store = open();
    });
    afterEach(async () => {
      await Promise.all(stores.map((one) => one.close()));
      await wipe(raw, namespace);
    });

    describe('the layout', () => {
      it('is one string value for each entry: a header, then the value', async () => {
        await store.set(DIGEST, Buffer.from('value'), meta({ plain: true, url: 'http://example.org/ü' }));
        expect(await names()).to.deep.equal([`${namespace}:${DIGEST}`]);
        const value = await raw.withTypeMapping({ 36: Buffer }).get(`${namespace}:${DIGEST}`);
        if (value === null) throw new Error('it is not there');
        const header = parseHeader(value, value.length);
        if (typeof header === 'string') throw new Error(header);
        expect(header).to.include({ url: 'http://example.org/ü', size: 5, index: false });
        expect(decodeKey(header.key)).to.equal(DIGEST);
        expect(value.subarray(header.start).toString()).to.equal('value');
      });

      it('lets the server drop an entry an hour after its expiry, or what ttlOffset says', async () => {
        const soon = { expiresAt: Date.now() + 60_000 };
        await store.set('soon', Buffer.from('1'), meta(soon));
        await open({ url, ttlOffset: 0 }).set('at once', Buffer.from('1'), meta(soon));
        await open({ url, ttlOffset: 1.5 }).set('long ago', Buffer.from('1'), meta({ expiresAt: 1 }));
        expect(await lifetime('soon')).to.be.within(3_650_000, 3_660_000);
        expect(await lifetime('at once')).to.be.within(50_000, 60_000);
        expect(await lifetime('long ago')).to.be.within(1, 1500);
      });

      it('keeps for ever what never expires, what expired before it too', async () => {
        await store.set('key', Buffer.from('1'), meta({ expiresAt: Date.now() + 1000 }));
        await store.set('key', Buffer.from('2'), meta());
        expect(await lifetime('key')).to.equal(-1);
        await store.set('key', Buffer.from('3'), meta({ expiresAt: Date.now() + 1000 }));
        expect(await lifetime('key')).to.be.greaterThan(0);
      });

      const lifetime = (key: string) => raw.pTTL(nameOf(key));
    });

    const nameOf = (key: string) => `${namespace}:~${Buffer.from(key, 'utf16le').toString('base64url')}`;
    const address = 'http://example.org/listed';
    const lists = async () => (await names()).filter((name) => name.startsWith(`${namespace}:url.`));

    describe('the list of a URL', () => {
      it('is not kept for keys that can be told from the URL', async () => {
        await store.set('key', Buffer.from('1'), meta({ url: address, plain: true }));
        expect(await names()).to.deep.equal([nameOf('key')]);
      });

      it('is a string value, and names the keys', async () => {
        await store.set(DIGEST, Buffer.from('1'), meta({ url: address }));
        await store.set('b', Buffer.from('1'), meta({ url: address }));
        const [list = ''] = await lists();
        expect(list).to.match(/:url\.[0-9a-f]{32}$/);
        expect(await raw.type(list)).to.equal('string');
        expect(await listIn(raw, list)).to.deep.equal([DIGEST, nameOf('b').slice(namespace.length + 1)]);
      });

      it('lives as long as the longest of its entries', async () => {
        const now = Date.now();
        const add = (key: string, expiresAt?: number) =>
          store.set(
            key,
            Buffer.from('1'),
            meta({ url: address, ...(expiresAt === undefined ? {} : { expiresAt }) }),
          );
        await add('a', now + 1000);
        const [list = ''] = await lists();
        expect(await raw.pTTL(list)).to.be.within(3_590_000, 3_601_000);
        await add('b', now + 3_600_000);
        await add('c', now + 1000);
        expect(await raw.pTTL(list)).to.be.within(7_190_000, 7_200_000);
        await store.delete(['c']);
        expect(await raw.pTTL(list)).to.be.within(7_190_000, 7_200_000);
        await add('d');
        expect(await raw.pTTL(list)).to.equal(-1);
        await add('e', now + 1000);
        expect(await raw.pTTL(list)).to.equal(-1);
      });

      it('goes with its last entry', async () => {
        const keys = Array.from({ length: 30 }, (_, n) => `key ${n}`);
        for (const key of keys) await store.set(key, Buffer.from('1'), meta({ url: address }));
        await store.delete(['key 7']);
        await store.delete(keys.slice(10));
        expect((await store.keysByUrl(address)).sort()).to.deep.equal(
          keys.slice(0, 10).filter((key) => key !== 'key 7'),
        );
        await store.delete(keys);
        expect(await names()).to.deep.equal([]);
        await store.set('key', Buffer.from('1'), meta({ url: address, expiresAt: 1 }));
        await store.deleteExpired(2);
        expect(await names()).to.deep.equal([]);
        await store.set('key', Buffer.from('1'), meta({ url: address }));
        await store.clear();
        expect(await names()).to.deep.equal([]);
      });

      it('forgets a key that is now of another URL', async () => {
        await store.set('key', Buffer.from('1'), meta({ url: address }));
        await store.set('key', Buffer.from('2'), meta({ url: `${address}/new` }));
        await until('the list of the former URL goes', async () => (await lists()).length === 1);
        expect(await store.keysByUrl(address)).to.deep.equal([]);
        expect(await store.keysByUrl(`${address}/new`)).to.deep.equal(['key']);
        await store.delete(['key']);
        expect(await names()).to.deep.equal([]);
      });

      it('forgets what the server dropped', async () => {
        await store.set('gone', Buffer.from('1'), meta({ url: address }));
        await store.set('there', Buffer.from('1'), meta({ url: address }));
        await raw.unlink(nameOf('gone'));
        expect(await store.keysByUrl(address)).to.deep.equal(['there']);
        const [list = ''] = await lists();
        expect(await listIn(raw, list)).to.have.length(1);
        await raw.unlink(nameOf('there'));
        expect(await store.keysByUrl(address)).to.deep.equal([]);
        expect(await names()).to.deep.equal([]);
      });

      it('takes the place of garbage, and of something of another type', async () => {
        await store.set('a', Buffer.from('1'), meta({ url: address }));
        const [list = ''] = await lists();
        for (const spoil of [
          () => raw.set(list, 'garbage'),
          () => raw.set(list, ''),
          () => raw.multi().unlink(list).sAdd(list, 'member').exec(),
        ]) {
          await spoil();
          expect(await store.keysByUrl(address)).to.deep.equal([]);
          await store.set('a', Buffer.from('1'), meta({ url: address }));
          expect(await store.keysByUrl(address)).to.deep.equal(['a']);
          await spoil();
          expect(await store.delete(['a'])).to.equal(1);
        }
      });

      it('does not grow with what is written again and again, nor costs more', async () => {
        const client = createClient({ url });
        let sent = 0;
        const send = client.sendCommand.bind(client);
        client.sendCommand = ((...args: Parameters<typeof send>) => {
          sent++;
          return send(...args);
        }) as typeof client.sendCommand;
        const counted = open({ client });
        for (let n = 0; n < 1000; n++) {
          await counted.set(`key ${n % 3}`, Buffer.from('1'), meta({ url: address }));
        }
        const [list = ''] = await lists();
        await until('the list is short', async () => (await raw.strLen(list)) < 10_000);
        expect((await counted.keysByUrl(address)).sort()).to.deep.equal(['key 0', 'key 1', 'key 2']);
        expect(sent).to.be.lessThan(4000);
        await counted.close();
        client.destroy();
      });

      it('is looked through ever more seldom as it grows, and has all keys', async () => {
        const keys = Array.from({ length: 1500 }, (_, n) => `key ${n}`);
        for (let at = 0; at < keys.length; at += 100) {
          await Promise.all(
            keys.slice(at, at + 100).map((key) => store.set(key, Buffer.from('1'), meta({ url: address }))),
          );
        }
        expect((await store.keysByUrl(address)).sort()).to.deep.equal([...keys].sort());
        expect(await store.delete(keys)).to.equal(1500);
        expect(await names()).to.deep.equal([]);
      });

      it('has all that is there, however many write, delete and look at the same time', async () => {
        const keys = ['a', 'b', 'c', 'd'];
        const work = async (one: RedisBackend, seed: number) => {
          for (let n = 0; n < 150; n++) {
            const key = keys[(n * seed) % 4] ?? 'a';
            const what = (n + seed) % 5;
            if (what === 0) await one.delete([key]);
            else if (what === 1) await one.keysByUrl(address);
            else await one.set(key, Buffer.from(`${n}`), meta({ url: address }));
          }
        };
        const others = [store, open(), open(), open()];
        await Promise.all(others.map((one, at) => work(one, 2 * at + 1)));
        const there = (await allKeys(store)).sort();
        expect((await store.keysByUrl(address)).sort()).to.deep.equal(there);
        await store.delete(there);
        expect(await store.keysByUrl(address)).to.deep.equal([]);
        expect(await names()).to.deep.equal([]);
      });
    });

    describe('names', () => {
      it('keeps to itself beside caches with similar names and the data of others', async () => {
        const similar = ['', ':two', '_two', '%b', '*', '?', '[ab]', '\\', '^', '-ü', '{tag}'].map(
          (end) => namespace + end,
        );
        const caches = similar.map((name) => open({ url, namespace: name }));
        const foreign = [
          namespace,
          `${namespace}:`,
          `${namespace}:data`,
          `${namespace}:two:data`,
          `${namespace}:~not base64url`,
          `${namespace}:${DIGEST.toUpperCase()}`,
          `${namespace}:${DIGEST}0`,
          `${namespace}:url.short`,
        ];
        for (const name of foreign) await raw.set(name, 'theirs');
        await raw.sAdd(`${namespace}:set`, 'theirs');
        for (const [at, cache] of caches.entries()) {
          for (let n = 0; n <= at; n++) await cache.set(`key ${n}`, Buffer.alloc(10), meta({ expiresAt: 1 }));
        }
        for (const [at, cache] of caches.entries()) {
          const what = similar[at];
          expect((await allKeys(cache)).length, what).to.equal(at + 1);
          expect(await cache.count({ now: 2 }), what).to.equal(at + 1);
          expect(await cache.size(), what).to.equal(10 * (at + 1));
        }
        for (const [at, cache] of caches.entries()) {
          if (at % 2 === 0) await cache.clear();
          else expect(await cache.deleteExpired(2)).to.equal(at + 1);
          for (const [other, left] of caches.entries()) {
            expect(await left.count({ now: 2 })).to.equal(other > at ? other + 1 : 0);
          }
        }
        expect(await names()).to.deep.equal([...foreign, `${namespace}:set`].sort());
      });

      it('hands out what is not an entry of the key as a failure of that entry alone', async () => {
        const name = nameOf('key');
        const other = Buffer.concat([encodeHeader(encodeKey('other'), 1, meta()), Buffer.from('1')]);
        const damaged = Buffer.concat([encodeHeader(encodeKey('key'), 2, meta()), Buffer.from('1')]);
        for (const [what, put] of [
          ['not from this cache', () => raw.set(name, 'foreign')],
          ['not from this cache', () => raw.set(name, '')],
          ['not from this cache', () => raw.set(name, other)],
          ['damaged', () => raw.set(name, damaged)],
          ['WRONGTYPE', () => raw.multi().unlink(name).hSet(name, 'field', '1').exec()],
        ] as const) {
          await put();
          const error = await failure(() => store.get('key'));
          expect(error).to.be.instanceOf(CacheStoreError).and.include({ scope: 'entry' });
          expect(String(error)).to.include(what);
          expect(await store.count({ now: 1 }), what).to.equal(what === 'damaged' ? 1 : 0);
        }
        await store.set('key', Buffer.from('new'), meta({ url: address }));
        expect(text(await store.get('key'))).to.equal('new');
        await raw.unlink(name);
        await raw.sAdd(name, 'member');
        expect(await store.delete(['key'])).to.equal(1);
      });

      it('reads the headers of entries with long URLs and keys', async () => {
        const long = `http://example.org/${'x'.repeat(5000)}`;
        await store.set('k'.repeat(3000), Buffer.alloc(7), meta({ url: long, expiresAt: 1 }));
        expect(await store.size()).to.equal(7);
        expect(await store.keysByUrl(long)).to.deep.equal(['k'.repeat(3000)]);
        expect(await store.deleteExpired(2)).to.equal(1);
        expect(await names()).to.deep.equal([]);
      });
    });

    describe('a client that was handed in', () => {
      const made: ReturnType<typeof createClient>[] = [];
      const client = (options: object = {}) => {
        const one = createClient({ url, ...options });
        made.push(one);
        return one;
      };
      afterEach(() => {
        for (const one of made.splice(0)) if (one.isOpen) one.destroy();
      });

      it('is left open and as it was, when it was connected', async () => {
        const own = client();
        await own.connect();
        const before = own.eventNames().map((name) => [name, own.listenerCount(name)]);
        const one = open({ client: own });
        await one.set('key', Buffer.from([0xff, 0xfe]), meta());
        expect(await one.get('key')).to.deep.equal(Buffer.from([0xff, 0xfe]));
        expect(own.listenerCount('error')).to.equal(1);
        await one.close();
        expect(own.eventNames().map((name) => [name, own.listenerCount(name)])).to.deep.equal(before);
        expect(own.isReady).to.equal(true);
        await own.set(`${namespace}.app`, 'text');
        expect(await own.get(`${namespace}.app`)).to.equal('text');
      });

      it('is connected by the first operation, once, and stays open', async () => {
        const own = client();
        const one = open({ client: own });
        expect(own.isOpen).to.equal(false);
        const values = await Promise.all([one.get('a'), one.get('b'), one.count({ now: 1 })]);
        expect(values).to.deep.equal([undefined, undefined, 0]);
        await one.close();
        expect(own.isReady).to.equal(true);
      });

      it('may be on its way to be connected by the application', async () => {
        const own = client();
        const one = open({ client: own });
        const connecting = own.connect();
        expect(await one.get('a')).to.equal(undefined);
        await connecting;
      });

      it('is not opened again after the application closed it', async () => {
        const own = client();
        const one = open({ client: own });
        await one.get('a');
        await own.close();
        const error = await failure(() => one.get('a'));
        expect(String(error)).to.include('the client was closed');
        expect(own.isOpen).to.equal(false);
      });

      it('may map types itself, and be shared', async () => {
        const own = client({ commandOptions: { typeMapping: { 58: String } }, RESP: 3 });
        const one = open({ client: own });
        const two = open({ client: own, namespace: `${namespace}-2` });
        await one.set('key', Buffer.from('1'), meta({ url: address }));
        await two.set('key', Buffer.from('2'), meta({ url: address }));
        expect(text(await one.get('key'))).to.equal('1');
        expect(await one.delete(['key', 'other'])).to.equal(1);
        expect(await one.count({ now: 1 })).to.equal(0);
        await one.close();
        expect(text(await two.get('key'))).to.equal('2');
      });
    });

    describe('with several processes', function () {
      this.timeout(60_000); // each of them takes its time to start
      const inProcess = (...args: string[]) =>
        run(process.execPath, ['--import', 'tsx', worker, url, namespace, ...args]);

      it('reads what another process wrote', async () => {
        await inProcess('write', 'key', '1');
        expect(text(await store.get('key 0'))).to.equal('key 0');
        await store.set('other', Buffer.from('ours'), meta());
        expect((await inProcess('read', 'other')).stdout).to.equal('ours');
      });

      it('loses none of 2000 entries that 4 processes write', async () => {
        await Promise.all(['a', 'b', 'c', 'd'].map((prefix) => inProcess('write', prefix, '500')));
        expect((await allKeys(store)).length).to.equal(2000);
        expect(await store.count({ now: 1 })).to.equal(2000);
        const listed = await Promise.all(
          Array.from({ length: 100 }, (_, n) => store.keysByUrl(`http://example.org/${n}`)),
        );
        expect(new Set(listed.flat()).size).to.equal(2000);
        for (const prefix of ['a', 'd']) {
          for (const n of [0, 250, 499])
            expect(text(await store.get(`${prefix} ${n}`))).to.equal(`${prefix} ${n}`);
        }
      });

      it('takes no harm from 5 processes that write the same entries', async () => {
        await Promise.all(['a', 'b', 'c', 'd', 'e'].map((prefix) => inProcess('rewrite', prefix, '200')));
        const there = (await allKeys(store)).sort();
        expect((await store.keysByUrl('http://example.org/shared')).sort()).to.deep.equal(there);
        for (const key of there) expect(text(await store.get(key))).to.match(/^[a-e] \d+$/);
        await store.delete(there);
        expect(await store.keysByUrl('http://example.org/shared')).to.deep.equal([]);
        expect(await names()).to.deep.equal([]);
      });
    });

    describe('under a cache', function () {
      this.timeout(60_000);
      it('hits after a miss, from a second adapter and another process too', async () => {
        const { http, origin, errors, another, adapter, close } = await rig({ backend: store });
        try {
          const first = await http.get('/resource');
          expect(first.fromCache).to.equal(false);
          await adapter.cache.flush();
          const hit = await http.get('/resource');
          expect([hit.fromCache, hit.data]).to.deep.equal([true, first.data]);
          const second = await another({ backend: open() }).http.get('/resource');
          expect([second.fromCache, second.data]).to.deep.equal([true, first.data]);
          const { stdout } = await run(process.execPath, [
            ...['--import', 'tsx', worker, url, namespace, 'request', `${origin.url}/resource`],
          ]);
          expect(stdout).to.match(/^true /);
          expect(errors).to.deep.equal([]);
        } finally {
          await close();
        }
      });
    });
  });
});

describeService(cluster, 'RedisBackend on a cluster', (urls) => {
  const made: ReturnType<typeof clusterClient>[] = [];
  const open = (namespace = freshName()) => {
    const client = clusterClient(urls);
    made.push(client);
    return { client, store: new RedisBackend({ namespace, client }), namespace };
  };
  afterEach(() => {
    for (const client of made.splice(0)) if (client.isOpen) client.destroy();
  });

  storeContract(
    'RedisBackend with a cluster',
    () => {
      const { store, client, namespace } = open();
      const reopen = () => new RedisBackend({ namespace, client });
      const dispose = async () => {
        const last = reopen();
        await last.clear();
        await last.close();
      };
      return { store, reopen, dispose };
    },
    { full: OFFERED, persistent: true },
  );

  it('finds and deletes what is on every node, and leaves nothing', async () => {
    const { store, client, namespace } = open();
    const keys = Array.from({ length: 600 }, (_, n) => `key ${n}`);
    const url = 'http://example.org/cluster';
    await Promise.all(keys.map((key) => store.set(key, Buffer.from('1'), meta({ url, expiresAt: 1 }))));
    expect((await allKeys(store)).sort()).to.deep.equal([...keys].sort());
    expect(await store.count({ expired: true, now: 2 })).to.equal(600);
    expect((await store.keysByUrl(url)).length).to.equal(600);
    expect(await store.delete(keys.slice(0, 300))).to.equal(300);
    expect(await store.deleteExpired(2)).to.equal(300);
    const left: string[] = [];
    for (const master of client.masters) {
      const node = await client.nodeClient(master);
      for await (const page of node.scanIterator()) left.push(...page);
    }
    expect(left.filter((name) => name.startsWith(namespace))).to.deep.equal([]);
    await store.close();
    expect(client.isOpen).to.equal(true);
  });

  it('waits for a cluster that the application connects', async () => {
    const { store, client } = open();
    const connecting = client.connect();
    expect(await store.get('a')).to.equal(undefined);
    await connecting;
    await store.close();
    expect(client.listenerCount('error')).to.equal(1);
  });
});
