import { expect } from 'chai';
import { createClient } from 'redis';
import type { Connection } from '../../lib/stores/redis/connection.js';
import { Tracking } from '../../lib/stores/redis/tracking.js';
import { RedisBackend, type RedisOptions } from '../../lib/stores/redis.js';
import { rig } from '../support/harness.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { describeService, findService } from '../support/services.js';
import { meta, text } from './contract.js';
import { freshName, openRaw, type Raw, until, wipe } from './redis-support.js';

const redis = await findService('redis');
const value = Buffer.from('value');

describe('trust in what the server tells of changes', () => {
  /** A connection that answers when it is told to. */
  function fake() {
    const asked: (() => void)[] = [];
    const connection = {
      isCluster: false,
      isReady: true as boolean,
      send: () => new Promise<void>((resolve) => asked.push(resolve)),
      masters: async () => [],
      close: async () => {},
    } satisfies Connection;
    return { connection, asked };
  }

  it('ends with the connection, and is another with the next', () => {
    const { connection } = fake();
    const tracking = new Tracking('ns:');
    expect(tracking.version()).to.deep.equal(Number.NaN);
    tracking.follow(connection);
    const before = tracking.version();
    expect(before).not.to.deep.equal(Number.NaN);
    connection.isReady = false;
    expect(tracking.version()).to.deep.equal(Number.NaN);
    connection.isReady = true;
    tracking.connected();
    expect(tracking.version()).not.to.equal(before);
    tracking.stop();
    expect(tracking.version()).to.deep.equal(Number.NaN);
  });

  it('ends when the server does not answer any more, until it does', async () => {
    const { connection, asked } = fake();
    const tracking = new Tracking('ns:');
    tracking.follow(connection, 10);
    await until('it is asked', () => asked.length === 1);
    expect(tracking.version()).to.equal(0);
    await until('it is distrusted', () => Number.isNaN(tracking.version()));
    asked[0]?.();
    await until('it is trusted', () => tracking.version() === 0);
    tracking.stop();
  });

  it('is told by whoever listens, for keys of ours only', () => {
    const tracking = new Tracking('ns:');
    const told: unknown[] = [];
    const off = tracking.onChange((key) => told.push(key));
    const digest = 'a1'.repeat(32);
    for (const name of [
      `ns:${digest}`,
      `ns:two:${digest}`,
      'ns:',
      `other:${digest}`,
      `ns:url.${'a'.repeat(32)}`,
    ]) {
      tracking.invalidated(Buffer.from(name));
    }
    tracking.invalidated(null);
    expect(told).to.deep.equal([digest, undefined]);
    off();
    tracking.invalidated(null);
    expect(told.length).to.equal(2);
  });
});

describeService(redis, 'RedisBackend with clientSideCache', (url) => {
  let raw: Raw;
  let namespace: string;
  let proxy: TcpProxy;
  const stores: RedisBackend[] = [];
  const clients: ReturnType<typeof createClient>[] = [];

  before(async () => {
    raw = await openRaw(url);
  });
  after(() => raw.destroy());
  beforeEach(async () => {
    namespace = freshName();
    proxy = await startProxy(url);
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const client of clients.splice(0)) if (client.isOpen) client.destroy();
    await proxy.close();
    await wipe(raw, namespace);
  });

  function open(options: RedisOptions = { url }): { store: RedisBackend; told: (string | undefined)[] } {
    const store = new RedisBackend({ namespace, ...options });
    stores.push(store);
    const told: (string | undefined)[] = [];
    store.onChange?.((key) => told.push(key));
    return { store, told };
  }

  const tracked = (options: RedisOptions = { url }) => open({ clientSideCache: true, ...options });

  function client(options: Parameters<typeof createClient>[0] = {}) {
    const one = createClient({ url, RESP: 3, emitInvalidate: true, ...options });
    clients.push(one);
    return one;
  }

  /** Whether what is told now is `keys`, and nothing else: the server tells in order, before it answers this. */
  async function expectTold(one: ReturnType<typeof open>, keys: (string | undefined)[]): Promise<void> {
    await one.store.get('last');
    expect(one.told).to.deep.equal(keys);
    one.told.length = 0;
  }

  it('tells of keys that were read here when another store changes them', async () => {
    const one = tracked();
    const { store: other } = open();
    for (const key of ['a', 'b', 'c', 'never read']) await other.set(key, value, meta());
    for (const key of ['a', 'b', 'c', 'missing']) await one.store.get(key);
    const version = one.store.version?.();
    await other.set('a', value, meta());
    await expectTold(one, ['a']);
    await other.set('a', value, meta());
    await expectTold(one, []); // told once for a read
    await one.store.get('a');
    await other.delete(['b']);
    await other.set('missing', value, meta());
    await other.set('never read', value, meta());
    await expectTold(one, ['b', 'missing']);
    await other.clear();
    await one.store.get('last');
    expect(one.told.sort()).to.deep.equal(['a', 'c']);
    expect(one.store.version?.()).to.equal(version);
    expect(version).not.to.deep.equal(Number.NaN);
  });

  it('does not tell of its own changes', async () => {
    const one = tracked();
    const version = await one.store.get('a').then(() => one.store.version?.());
    await one.store.set('a', value, meta());
    await one.store.get('a');
    await one.store.set('a', value, meta({ plain: true }));
    await one.store.get('a');
    await one.store.delete(['a']);
    await one.store.get('a');
    await one.store.clear();
    await expectTold(one, []);
    expect(one.store.version?.()).to.equal(version);
  });

  it('tells of them all the same when it is shared, since the others did not make them', async () => {
    const one = tracked();
    const others: (string | undefined)[] = [];
    const off = one.store.onChange?.((key) => others.push(key));
    await one.store.set('a', value, meta());
    await one.store.delete(['a', 'b']);
    await one.store.clear();
    expect(others).to.deep.equal(['a', 'a', 'b', undefined]);
    off?.();
    await one.store.set('a', value, meta());
    expect(others.length).to.equal(4);
  });

  it('tells of what the server drops', async () => {
    const one = tracked({ url, ttlOffset: 0.05 });
    await one.store.set('a', value, meta({ expiresAt: 1 }));
    await one.store.get('a');
    await until('it is dropped', async () => {
      await raw.exists(`${namespace}:~YQA`);
      return one.told.length > 0;
    });
    expect(one.told).to.deep.equal(['a']);
  });

  it('has no version while there is no connection, and another afterwards', async () => {
    const one = tracked({ url: proxy.url });
    expect(one.store.version?.()).to.deep.equal(Number.NaN);
    await one.store.get('a');
    const first = one.store.version?.();
    expect(first).to.be.a('number').and.not.deep.equal(Number.NaN);
    proxy.mode = 'refuse';
    await until('the loss is noticed', () => Number.isNaN(one.store.version?.()));
    proxy.mode = 'pass';
    await until('it is connected', () => !Number.isNaN(one.store.version?.()));
    expect(one.store.version?.()).not.to.equal(first);
    await one.store.get('a');
    await open().store.set('a', value, meta());
    await expectTold(one, ['a']);
  });

  it('works with a client of the application that is told, and leaves it as it was', async () => {
    const own = client();
    own.on('error', () => {});
    const one = tracked({ client: own });
    await one.store.get('a');
    const version = one.store.version?.();
    expect(version).not.to.deep.equal(Number.NaN);
    await open().store.set('a', value, meta());
    await expectTold(one, ['a']);
    expect(one.store.version?.()).to.equal(version);
    const id = await own.clientId();
    await raw.sendCommand(['CLIENT', 'KILL', 'ID', String(id)]);
    await until('it is connected again', async () => {
      const now = one.store.version?.();
      return !Number.isNaN(now) && now !== version;
    });
    await one.store.close();
    expect(['error', 'ready', 'invalidate'].map((name) => own.listenerCount(name))).to.deep.equal([1, 0, 0]);
  });

  it('serves hits from memory, until another process changes them', async () => {
    const own = client();
    let reads = 0;
    const send = own.sendCommand.bind(own);
    own.sendCommand = ((...args: Parameters<typeof send>) => {
      if (args[0][0] === 'GET') reads++;
      return send(...args);
    }) as typeof own.sendCommand;
    for (const options of [{ client: own }, { url }]) {
      const { store } = tracked(options);
      let body = 'old';
      const { http, adapter, errors, another, close } = await rig(
        { backend: store },
        {},
        (_request, response) => {
          response.end(body);
        },
      );
      try {
        await http.get('/resource');
        await adapter.cache.flush();
        await http.get('/resource');
        reads = 0;
        for (let n = 0; n < 20; n++) {
          const hit = await http.get('/resource');
          expect([hit.fromCache, hit.data]).to.deep.equal([true, 'old']);
        }
        expect(reads).to.equal(0);
        body = 'new';
        const other = another({ backend: open().store });
        await other.http.get('/resource', { forceRefresh: true });
        await other.adapter.cache.flush();
        await until('the change is seen', async () => (await http.get('/resource')).data === 'new');
        const hit = await http.get('/resource');
        expect([hit.fromCache, hit.data]).to.deep.equal([true, 'new']);
        expect(errors).to.deep.equal([]);
      } finally {
        await close();
      }
    }
  });

  it('hands out what another wrote, at once, to whoever reads after being told', async () => {
    const one = tracked();
    const { store: other } = open();
    for (let n = 0; n < 50; n++) {
      await one.store.get('a');
      await other.set('a', Buffer.from(`${n}`), meta());
      expect(text(await one.store.get('a'))).to.equal(`${n}`);
      expect(one.told).to.deep.equal(Array.from({ length: n + 1 }, () => 'a'));
    }
  });
});
