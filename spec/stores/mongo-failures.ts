/** What MongoBackend and GridFSBackend do when their server is absent, dies or hangs, and of the client they are handed. */
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import type { MongoConnectionOptions } from '../../lib/stores/mongo/connection.js';
import type { Store } from '../../lib/stores/store.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { expectStoreError, failure, meta, text } from './contract.js';
import { duration, type Lab, until } from './mongo-support.js';

export type MakeStore = (options: MongoConnectionOptions & { cacheName: string }) => Store;

/** In place of the store's own limits, so that the specs need not wait for those. */
const QUICK = 'serverSelectionTimeoutMS=300&connectTimeoutMS=300';
/** For anything that must not hang; generous, since the machine may be busy. */
const BOUND = 6000;
const value = Buffer.from('value');

export function failureSpecs(url: string, labOf: () => Lab, make: MakeStore): void {
  let lab: Lab;
  let proxy: TcpProxy;
  let cacheName: string;
  let store: Store;
  beforeEach(async () => {
    lab = labOf();
    cacheName = lab.name();
    proxy = await startProxy(url);
    lab.keep({ close: () => proxy.close() });
    store = lab.keep(make({ url: withOptions(proxy.url, QUICK), cacheName }));
  });

  const operations: [what: string, call: () => unknown][] = [
    ['get', () => store.get('key')],
    ['set', () => store.set('key', value, meta())],
    ['delete', () => store.delete(['key'])],
    ['clear', () => store.clear()],
    ['keys', () => store.keys()[Symbol.asyncIterator]().next()],
    ['count', () => store.count?.({ now: 0 })],
    ['size', () => store.size?.()],
    ['deleteExpired', () => store.deleteExpired?.(0)],
    ['keysByUrl', () => store.keysByUrl?.('u')],
  ];

  /** The store works again by itself. */
  async function expectRecovery(): Promise<void> {
    await until(async () => {
      try {
        await store.set('key', value, meta());
        return text(await store.get('key')) === 'value';
      } catch {
        return false;
      }
    }, 15_000);
  }

  describe('when the server', () => {
    it('is absent at first: each operation fails soon, and works when it is there', async () => {
      proxy.mode = 'refuse';
      const took = await duration(() => Promise.all(operations.map(([, call]) => expectStoreError(call))));
      expect(took).to.be.lessThan(BOUND);
      expect(String(await failure(() => store.get('key')))).to.match(/can't read: .*ECONNREFUSED/);
      proxy.mode = 'pass';
      await proxy.listening();
      await store.set('key', value, meta());
      expect(text(await store.get('key'))).to.equal('value');
    });

    it('is absent: an operation fails within the time that requests give it, and says why', async () => {
      proxy.mode = 'refuse';
      const own = lab.keep(make({ url: proxy.url, cacheName }));
      const took = await duration(async () =>
        expect(String(await failure(() => own.get('key')))).to.match(/ECONNREFUSED/),
      );
      expect(took).to.be.lessThan(2000);
    });

    it('goes away: operations fail, and work when it is back', async () => {
      await store.set('key', value, meta());
      proxy.mode = 'refuse';
      await expectStoreError(() => store.get('key'));
      await expectStoreError(() => store.set('key', value, meta()));
      proxy.mode = 'pass';
      await proxy.listening();
      await expectRecovery();
    });

    it('loses its connections: an operation may fail, the next ones work', async () => {
      await store.set('key', value, meta());
      proxy.cut();
      await Promise.resolve(store.get('key')).catch(() => {});
      await expectRecovery();
    });

    it('accepts and says nothing: operations fail soon, and work when it answers', async () => {
      proxy.mode = 'hang';
      const took = await duration(() => Promise.all(operations.map(([, call]) => expectStoreError(call))));
      expect(took).to.be.lessThan(BOUND);
      proxy.mode = 'pass';
      await expectRecovery();
    });

    it('stops answering for a while: what waits is answered when it goes on', async () => {
      await store.set('key', value, meta());
      proxy.mode = 'hang';
      const reading = store.get('key');
      const writing = store.set('other', value, meta());
      await new Promise((resolve) => setImmediate(resolve));
      proxy.mode = 'pass';
      expect(text(await reading)).to.equal('value');
      await writing;
    });

    it('stops answering: close() ends what waits', async () => {
      await store.set('key', value, meta());
      proxy.mode = 'hang';
      const reading = failure(() => store.get('key'));
      const writing = failure(() => store.set('key', value, meta()));
      expect(await duration(() => store.close())).to.be.lessThan(BOUND);
      expect(String(await reading)).to.match(/CacheStoreError/);
      expect(String(await writing)).to.match(/CacheStoreError/);
    });

    const states: [what: string, bring: () => unknown][] = [
      ['was never asked', () => {}],
      ['is in use', () => store.set('key', value, meta())],
      [
        'is absent',
        () => {
          proxy.mode = 'refuse';
          return failure(() => store.get('key'));
        },
      ],
      [
        'is being connected to',
        () => {
          proxy.mode = 'hang';
          void failure(() => store.get('key'));
        },
      ],
      [
        'went away',
        async () => {
          await store.set('key', value, meta());
          proxy.mode = 'refuse';
        },
      ],
    ];
    for (const [what, bring] of states) {
      it(`${what}: close() is soon over and leaves no connection`, async () => {
        await bring();
        expect(await duration(() => store.close())).to.be.lessThan(BOUND);
        await store.close();
        await expectStoreError(() => store.get('key'));
        proxy.mode = 'pass';
        await until(() => proxy.connections === 0);
      });
    }
  });

  describe('of a client that is handed in', () => {
    for (const isConnected of [true, false]) {
      it(`${isConnected ? 'connected' : 'not connected yet'}: it is used, and not closed`, async () => {
        const client: MongoClient = lab.keep(new MongoClient(url));
        if (isConnected) await client.connect();
        const listeners = client.eventNames().length;
        const own = make({ client, cacheName });
        await own.set('key', value, meta());
        expect(text(await own.get('key'))).to.equal('value');
        await own.close();
        await own.close();
        await expectStoreError(() => own.get('key'));
        expect(client.eventNames().length).to.equal(listeners);
        const { databases } = await client.db().admin().listDatabases({ nameOnly: true });
        expect(databases.map(({ name }) => name)).to.include(cacheName);
      });
    }

    it('which is set to hand out values as BSON has them, makes no difference', async () => {
      const client = lab.keep(
        new MongoClient(url, { promoteBuffers: false, promoteValues: false, ignoreUndefined: true }),
      );
      const own = lab.keep(make({ client, cacheName }));
      await own.set('key', Buffer.alloc(300_000, 7), meta({ expiresAt: 5 }));
      expect(Buffer.from((await own.get('key')) ?? []).equals(Buffer.alloc(300_000, 7))).to.equal(true);
      expect(await own.size?.()).to.equal(300_000);
      expect(await own.count?.({ now: 5, expired: true })).to.equal(1);
    });

    it('which its owner has closed: operations fail, and work when it is connected again', async () => {
      const client = new MongoClient(url);
      const own = lab.keep(make({ client, cacheName }));
      await own.set('key', value, meta());
      await client.close();
      await expectStoreError(() => own.get('key'));
      await lab.keep(client).connect();
      expect(text(await own.get('key'))).to.equal('value');
    });

    it('which acknowledges no writes: writing fails, and says why', async () => {
      const client = lab.keep(new MongoClient(url, { writeConcern: { w: 0 } }));
      const own = lab.keep(make({ client, cacheName }));
      const error = await failure(() => own.set('key', value, meta()));
      expect(String(error)).to.match(/CacheStoreError.*write concern/);
    });
  });
}

export function withOptions(url: string, options: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${options}`;
}

/** Options that both refuse: without a server. */
export function optionSpecs(make: (options: object) => Store): void {
  const client = { connect: async () => {}, db: () => ({}), close: async () => {} };
  const wrong: [what: string, options: object, message: RegExp][] = [
    ['no object', [], /allowed: an object of options/],
    [
      'an option it does not have',
      { namespace: 'x' },
      /namespace: got 'x'; \w+ has no such option; it takes cacheName, url, client/,
    ],
    ['a url that is no text', { url: 5 }, /url: got 5; allowed: a MongoDB connection string/],
    ['an empty url', { url: '' }, /url: got ''/],
    [
      'a url of another kind',
      { url: 'http://localhost' },
      /url: got 'http:\/\/localhost'; not a MongoDB connection string: .*scheme/,
    ],
    ['a url without a host', { url: 'mongodb://' }, /url: got 'mongodb:\/\/'; not a MongoDB/],
    ['a url with an unknown option', { url: 'mongodb://localhost/?nonsense=1' }, /url: .*nonsense/],
    ['a client that is none', { client: { db: () => ({}) } }, /client: got .*; allowed: a MongoClient/],
    ['a client without collections', { client }, /client: got .*; allowed: a MongoClient/],
    [
      'both',
      { client, url: 'mongodb://u:secret@localhost' },
      /url: got 'mongodb:\/\/\*\*\*@localhost'; not together with client/,
    ],
    ['a database that is no text', { cacheName: 5 }, /cacheName: got 5; allowed: the name of a database/],
    ...['', 'a/b', 'a\\b', 'a.b', 'a b', 'a"b', 'a$b', 'a\0b', 'ü'.repeat(32), '\ud800'].map(
      (name): [string, object, RegExp] => [
        `a database ${JSON.stringify(name)}`,
        { cacheName: name },
        /cacheName: got/,
      ],
    ),
  ];
  for (const [what, options, message] of wrong) {
    it(`refuses ${what} at construction`, async () => {
      const error = await failure(() => make(options));
      expect(error).to.include({ name: 'CacheOptionError', code: 'ERR_CACHE_OPTION' });
      expect(String(error)).to.match(message);
    });
  }

  it('tells no password when it refuses a url', async () => {
    for (const url of [
      'mongodb://user:hunter2@',
      'mongo://user:hunter2@localhost',
      'user:hunter2@localhost',
      'mongodb://user:hunter2@local host:port',
    ]) {
      const error = await failure(() => make({ url }));
      expect(`${error} ${JSON.stringify(error)} ${error instanceof Error && error.cause}`).not.to.include(
        'hunter2',
      );
    }
  });

  it('takes names that are allowed, a url with options and a client, without connecting', async () => {
    for (const cacheName of ['app', 'app_two', 'a%b', 'a*', 'app:two', 'http-cache', 'ü', 'x'.repeat(63)]) {
      await make({ cacheName }).close();
    }
    for (const url of [
      'mongodb://a,b:1/path?replicaSet=x',
      'mongodb://localhost/?MAXPOOLSIZE=3',
      'mongodb+srv://nowhere.example.org',
    ]) {
      await make({ url }).close();
    }
    await make({}).close();
  });
}
