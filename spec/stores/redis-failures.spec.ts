import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { createClient, createSentinel } from 'redis';
import { CacheStoreError } from '../../lib/errors.js';
import { RedisBackend, type RedisOptions } from '../../lib/stores/redis.js';
import { freePorts } from '../../services/ports.mjs';
import { rig } from '../support/harness.js';
import { startProxy } from '../support/proxy.js';
import { type PrivateServer, startPrivate } from '../support/services.js';
import { allKeys, expectStoreError, failure, meta, text } from './contract.js';
import { clusterClient, namesUnder, openRaw, type Raw, timeOf, until } from './redis-support.js';

const run = promisify(execFile);
const worker = fileURLToPath(new URL('./redis-worker.ts', import.meta.url));

/** For what should be at once, on a busy machine. */
const SOON = 2000;
const PASSWORD = 'p@ss:w/ord';
const namespace = 'spec';
const value = Buffer.from('value');

describe('RedisBackend when the server fails', () => {
  let server: PrivateServer;
  const stores: RedisBackend[] = [];
  const clients: { isOpen: boolean; destroy(): void }[] = [];

  before(async function () {
    const started = await startPrivate('redis');
    if (started === undefined) return this.skip();
    server = started;
  });
  after(() => server?.stop());
  afterEach(async () => {
    server.resume();
    for (const store of stores.splice(0)) await store.close();
    for (const client of clients.splice(0)) if (client.isOpen) client.destroy();
    if (server.pids.length === 0) await server.restart();
    const raw = await openRaw(server.url);
    await raw.flushAll();
    raw.destroy();
  });

  function open(options: RedisOptions = { url: server.url }): { store: RedisBackend; told: string[] } {
    const store = new RedisBackend({ namespace, ...options });
    stores.push(store);
    const told: string[] = [];
    store.observe((error, reason) => told.push(`${reason}: ${error.message}`));
    return { store, told };
  }

  function client(options: Parameters<typeof createClient>[0] = {}) {
    const one = createClient({ url: server.url, ...options });
    clients.push(one);
    return one;
  }

  /** Every operation, each of which should fail. */
  const operations = (store: RedisBackend): (() => Promise<unknown>)[] => [
    () => store.get('a'),
    () => store.set('a', value, meta()),
    () => store.set('a', value, meta({ plain: true })),
    () => store.delete(['a']),
    () => store.clear(),
    () => allKeys(store),
    () => store.count({ now: 1 }),
    () => store.size(),
    () => store.deleteExpired(1),
    () => store.keysByUrl('u'),
  ];

  async function expectFailures(store: RedisBackend): Promise<void> {
    for (const operation of operations(store)) {
      await expectStoreError(operation);
      expect(await timeOf(operation)).to.be.lessThan(SOON);
    }
  }

  const works = (store: RedisBackend) =>
    until('it works', () =>
      store.set('a', value, meta()).then(
        () => true,
        () => false,
      ),
    );

  it('fails soon, and works by itself once the server is there', async () => {
    await server.kill();
    const { store, told } = open();
    await expectFailures(store);
    expect(String(await failure(() => store.get('a')))).to.match(
      /Redis at 127\.0\.0\.1:\d+: can't read: .*ECONNREFUSED/,
    );
    await server.restart();
    await works(store);
    expect(text(await store.get('a'))).to.equal('value');
    expect(told).to.deep.equal([]);
  });

  it('fails soon, and works by itself after the server died and came again', async () => {
    const { store, told } = open();
    await works(store);
    await server.kill();
    await until('the loss is told', () => told.length > 0);
    await expectFailures(store);
    await server.restart();
    await works(store);
    expect(await store.count({ now: 1 })).to.equal(1);
    expect(told.length).to.equal(1);
    expect(told[0]).to.match(/^connection lost: Redis at .*: the connection was lost/);
  });

  it('does the same with a client that was handed in, which keeps as many listeners', async () => {
    for (const wasConnected of [true, false]) {
      const own = client();
      own.on('error', () => {});
      const { store, told } = open({ client: own });
      if (wasConnected) {
        await own.connect();
        await works(store);
        await server.kill();
        await until('the loss is told', () => told.length > 0);
      } else await server.kill();
      const listeners = own.listenerCount('error');
      await expectFailures(store);
      await server.restart();
      await works(store);
      expect(own.listenerCount('error')).to.equal(listeners);
      expect(told.length).to.equal(wasConnected ? 1 : 0);
      await store.close();
      expect(own.listenerCount('error')).to.equal(listeners - 1);
      expect(own.isReady).to.equal(true);
      await server.restart();
    }
  });

  it('waits for a server that is stopped, and goes on when that goes on', async () => {
    const { store } = open();
    await works(store);
    server.pause();
    const waiting = [store.get('a'), store.set('b', value, meta({ plain: true })), store.get('b')];
    server.resume();
    const [a, , b] = await Promise.all(waiting);
    expect([text(a as Buffer), text(b as Buffer)]).to.deep.equal(['value', 'value']);
  });

  it('fails when the server closes the connection, and has another', async () => {
    const { store, told } = open();
    await works(store);
    const raw = await openRaw(server.url);
    await raw.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
    await until('the loss is told', () => told.length > 0);
    await works(store);
    raw.destroy();
  });

  it('fails with the cause when the password is wrong, and does not tell it', async () => {
    const secured = await startPrivate('redis', { password: PASSWORD });
    if (secured === undefined) throw new Error('it could be started before');
    try {
      const { store } = open({ url: secured.url });
      await works(store);
      const wrong = new URL(secured.url);
      wrong.password = 'wr0ng';
      const refused = open({ url: wrong.href });
      const error = await failure(() => refused.store.get('a'));
      expect(error).to.be.instanceOf(CacheStoreError).and.include({ scope: 'store' });
      expect(String(error)).to.include('WRONGPASS').and.not.include('wr0ng');
      await expectFailures(refused.store);
      wrong.password = '';
      const missing = open({ url: wrong.href });
      expect(String(await failure(() => missing.store.get('a')))).to.include('NOAUTH');
      const own = client({ url: secured.url });
      expect(text(await open({ client: own }).store.get('a'))).to.equal('value');
      for (const one of stores.splice(0)) await one.close();
    } finally {
      await secured.stop();
    }
  });

  it('has everything distrusted when the server is emptied', async () => {
    const { store } = open({ url: server.url, clientSideCache: true });
    const told: unknown[] = [];
    store.onChange?.((key) => told.push(key));
    await store.get('a');
    const raw = await openRaw(server.url);
    await raw.flushDb();
    raw.destroy();
    await until('it is told', () => told.length > 0);
    expect(told).to.deep.equal([undefined]);
  });

  it('is closed within a bound, whatever the server does', async () => {
    for (const state of [
      'there',
      'stopped, and not asked yet',
      'stopped',
      'dead',
      'dead from the beginning',
    ]) {
      const { store } = open();
      const settled: string[] = [];
      const ask = () =>
        store.get('a').then(
          () => settled.push('answered'),
          () => settled.push('failed'),
        );
      if (state === 'dead from the beginning') await server.kill();
      else if (state !== 'stopped, and not asked yet') await works(store);
      if (state.startsWith('stopped')) server.pause();
      if (state === 'dead') await server.kill();
      void ask();
      expect(await timeOf(() => store.close()), state).to.be.lessThan(1000 + SOON);
      await until('the operation is settled', () => settled.length === 1);
      await expectStoreError(() => store.get('a'));
      server.resume();
      if (server.pids.length === 0) await server.restart();
    }
  });

  it('lets the process end: without close() while there is no server, else with it', async () => {
    const tsx = ['--import', 'tsx', worker];
    await server.kill();
    const absent = await run(process.execPath, [...tsx, server.url, namespace, 'try', 'a']);
    expect(absent.stdout).to.include('ECONNREFUSED');
    await server.restart();
    const proxy = await startProxy(server.url);
    proxy.mode = 'hang';
    const hanging = await run(process.execPath, [...tsx, proxy.url, namespace, 'leave', 'a']);
    expect(hanging.stdout).to.match(/^closed in \d{1,3} ms/);
    await proxy.close();
  });

  it('costs a request nothing but the store', async () => {
    await server.kill();
    const { store } = open();
    const { http, errors, close } = await rig({ backend: store });
    try {
      const { status, fromCache } = await http.get('/resource');
      expect([status, fromCache]).to.deep.equal([200, false]);
      expect(errors.length).to.be.greaterThan(0);
      await server.restart();
      await works(store);
    } finally {
      await close();
    }
  });

  describe('that does not let it', () => {
    let raw: Raw;
    beforeEach(async () => {
      raw = await openRaw(server.url);
    });
    afterEach(async () => {
      await raw.configSet('maxmemory', '0');
      await raw.sendCommand(['ACL', 'DELUSER', 'limited']);
      raw.destroy();
    });

    async function limited(rights: string[], options: RedisOptions = {}) {
      const user = ['limited', 'reset', 'on', '>limited', `~${namespace}:*`];
      await raw.sendCommand(['ACL', 'SETUSER', ...user, ...rights]);
      const url = new URL(server.url);
      url.username = 'limited';
      url.password = 'limited';
      return open({ url: url.href, ...options });
    }

    it('run scripts, keeps entries all the same, and finds them by URL the slow way', async () => {
      for (const rights of [
        ['+@all', '-eval'],
        ['+get', '+set', '+getrange', '+scan', '+unlink'],
        ['+get', '+set', '+getrange', '+scan', '+unlink', '+eval'],
      ]) {
        const { store, told } = await limited(rights);
        await Promise.all(['a', 'b'].map((key) => store.set(key, value, meta({ url: 'u' }))));
        await store.set('c', value, meta({ url: 'v' }));
        expect(text(await store.get('a'))).to.equal('value');
        expect((await store.keysByUrl('u')).sort()).to.deep.equal(['a', 'b']);
        expect(await store.delete(['a'])).to.equal(1);
        expect(told.length, rights.join(' ')).to.equal(1);
        expect(told[0]).to.include('no index by URL');
        const another = await limited(rights);
        expect(await another.store.keysByUrl('u')).to.deep.equal(['b']);
        await store.clear();
        expect(await namesUnder(raw, '')).to.deep.equal([]);
      }
    });

    it('do more than what the docs say that it needs, and does all it can', async () => {
      const rights = ['+get', '+set', '+getrange', '+unlink', '+scan', '+eval'];
      const inScripts = ['+type', '+pttl', '+pexpire', '+persist', '+append', '+del'];
      const forTracking = ['+client|tracking', '+ping'];
      for (const clientSideCache of [false, true]) {
        const needed = [...rights, ...inScripts, ...(clientSideCache ? forTracking : [])];
        const { store, told } = await limited(needed, { clientSideCache });
        await store.set('a', value, meta({ url: 'u', expiresAt: 1 }));
        await store.set('b', value, meta({ url: 'u' }));
        expect(text(await store.get('a'))).to.equal('value');
        expect((await store.keysByUrl('u')).sort()).to.deep.equal(['a', 'b']);
        expect(await store.deleteExpired(2)).to.equal(1);
        await store.clear();
        expect(told).to.deep.equal([]);
        expect(await namesUnder(raw, '')).to.deep.equal([]);
      }
    });

    it('write, with a failure of the store', async () => {
      const { store } = await limited(['+get', '+getrange', '+scan']);
      const error = await failure(() => store.set('a', value, meta()));
      expect(error).to.be.instanceOf(CacheStoreError).and.include({ scope: 'store' });
      expect(await store.get('a')).to.equal(undefined);
    });

    it('have more memory, reads on, deletes, and takes it for the fault of the entry', async () => {
      const { store } = open();
      await store.set('a', value, meta({ url: 'u' }));
      await store.set('b', value, meta({ url: 'u' }));
      await raw.configSet('maxmemory', '1');
      for (const plain of [true, false]) {
        const error = await failure(() => store.set('c', value, meta({ url: 'u', plain })));
        expect(error).to.be.instanceOf(CacheStoreError).and.include({ scope: 'entry' });
        expect(String(error)).to.include('OOM');
      }
      expect(text(await store.get('a'))).to.equal('value');
      expect((await store.keysByUrl('u')).sort()).to.deep.equal(['a', 'b']);
      expect(await store.delete(['a'])).to.equal(1);
      await raw.configSet('maxmemory', '0');
      expect(await store.keysByUrl('u')).to.deep.equal(['b']);
      await store.delete(['b']);
      expect(await namesUnder(raw, '')).to.deep.equal([]);
    });
  });

  it('follows a sentinel, which stays as it was', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'axios-stash-sentinel-'));
    const [port = 0] = await freePorts(1);
    const file = join(directory, 'sentinel.conf');
    writeFileSync(file, `port ${port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 ${server.port} 1\n`);
    const process = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore', cwd: directory });
    const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port }] });
    sentinel.on('error', () => {});
    try {
      await until('the sentinel answers', () =>
        openRaw(`redis://127.0.0.1:${port}`).then(
          (raw) => {
            raw.destroy();
            return true;
          },
          () => false,
        ),
      );
      const { store } = open({ client: sentinel });
      await store.set('a', Buffer.from([0xff, 0x00]), meta({ url: 'u' }));
      expect(await store.get('a')).to.deep.equal(Buffer.from([0xff, 0x00]));
      expect(await store.keysByUrl('u')).to.deep.equal(['a']);
      expect(await allKeys(store)).to.deep.equal(['a']);
      expect(await store.delete(['a'])).to.equal(1);
      await store.close();
      expect(sentinel.listenerCount('error')).to.equal(1);
      await sentinel.set('mine', 'text');
      expect(await sentinel.get('mine')).to.equal('text');
    } finally {
      if (sentinel.isOpen) await sentinel.close();
      const ended = once(process, 'exit');
      process.kill('SIGKILL');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('fails soon when there is no cluster, and works when there is', async () => {
    const [port = 0] = await freePorts(1);
    const absent = clusterClient(`redis://127.0.0.1:${port}`);
    const { store } = open({ client: absent });
    await expectFailures(store);
    expect(absent.listenerCount('error')).to.equal(2);
    await store.close();
    expect(absent.isOpen).to.equal(false);
  });
});
