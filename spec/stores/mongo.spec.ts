import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { type CommandStartedEvent, type Document, MongoClient, ObjectId } from 'mongodb';
import { Background } from '../../lib/stores/mongo/background.js';
import type { Collection } from '../../lib/stores/mongo/driver.js';
import { MongoUpkeep } from '../../lib/stores/mongo/upkeep.js';
import { MongoBackend } from '../../lib/stores/mongo.js';
import { encodeTextKey } from '../../lib/stores/text-keys.js';
import { rig } from '../support/harness.js';
import { Origin } from '../support/origin.js';
import { describeService, findService } from '../support/services.js';
import { allKeys, failure, meta, text } from './contract.js';
import { failureSpecs, optionSpecs } from './mongo-failures.js';
import { contractWithFewerKeys, inProcess, Lab, OFFERED, PATIENCE, scopeOf, until } from './mongo-support.js';

const mongodb = await findService('mongodb');
const hour = 3600_000;
const value = Buffer.from('value');

/** A document of the application, under any id. */
type Theirs = Document & { _id: string | number | ObjectId };

describe('MongoBackend: its options', () => {
  optionSpecs((options) => new MongoBackend(options));

  for (const collection of [5, '', 'a$b', 'a\0b', '.a', 'a.', 'a..b', 'system.users', 'x'.repeat(250)]) {
    it(`refuses the collection ${JSON.stringify(collection).slice(0, 20)}`, async () => {
      const error = await failure(() => Reflect.construct(MongoBackend, [{ collection }]));
      expect(String(error)).to.match(
        /^CacheOptionError: Option collection: .*allowed: the name of a collection/,
      );
    });
  }

  it('refuses a ttlOffset that is no duration', async () => {
    for (const ttlOffset of [-1, '5', Number.NaN]) {
      const error = await failure(() => Reflect.construct(MongoBackend, [{ ttlOffset }]));
      expect(String(error)).to.match(/ttlOffset/);
    }
  });
});

describeService(mongodb, 'MongoBackend', (url) => {
  const lab = new Lab(url);
  beforeEach(function () {
    this.currentTest?.timeout(PATIENCE);
  });
  afterEach(() => lab.clean());
  after(() => lab.client.close());

  contractWithFewerKeys(
    'MongoBackend',
    async () => {
      const cacheName = lab.name();
      const open = () => new MongoBackend({ url, cacheName });
      return { store: open(), reopen: open };
    },
    // The largest that a document holds is tried below.
    { full: OFFERED, persistent: true, largest: 3_000_000, many: 300 },
  );

  failureSpecs(
    url,
    () => lab,
    (options) => new MongoBackend(options),
  );

  let cacheName: string;
  let store: MongoBackend;
  beforeEach(() => {
    cacheName = lab.name();
    store = lab.keep(new MongoBackend({ url, cacheName }));
  });

  /** The commands that go over a client from now on. */
  function watched(): { client: MongoClient; commands: CommandStartedEvent[] } {
    const client = lab.keep(new MongoClient(url, { monitorCommands: true }));
    const commands: CommandStartedEvent[] = [];
    client.on('commandStarted', (event) => commands.push(event));
    return { client, commands };
  }

  describe('the documents', () => {
    const only = async () => {
      const [document, ...others] = await lab.documents(cacheName, 'responses');
      expect(others).to.deep.equal([]);
      return document;
    };

    it('hold what is to be known of an entry, and the value as binary', async () => {
      const expiresAt = Date.now() + hour;
      const url = 'http://example.org/a';
      await store.set('a'.repeat(64), Buffer.from('bytes'), { createdAt: 1500.5, expiresAt, url });
      const { value: bytes, drop, ...rest } = (await only()) ?? {};
      expect(rest).to.deep.equal({
        _id: 'a'.repeat(64),
        stash: 1,
        url,
        created: new Date(1501),
        expires: new Date(expiresAt),
        size: 5,
      });
      expect(bytes.sub_type).to.equal(0);
      expect(Buffer.from(bytes.buffer).toString()).to.equal('bytes');
      expect(drop.getTime() - expiresAt).to.be.within(hour, hour + 50);
    });

    it('have no date of expiry when they never expire, also after they did', async () => {
      await store.set('key', value, meta({ expiresAt: 1 }));
      expect(await only()).to.include.keys('expires', 'drop');
      for (const more of [{}, { expiresAt: Number.POSITIVE_INFINITY }, { expiresAt: 1e300 }]) {
        await store.set('key', value, meta({ ...more, index: true }));
        const document = await only();
        expect(document).not.to.have.any.keys('expires', 'drop');
        expect(document).to.include({ index: true, _id: encodeTextKey('key') });
      }
      await store.set('key', value, meta());
      expect(await only()).not.to.have.any.keys('index');
    });

    it('hold moments that no date does as the nearest, and count by them', async () => {
      await store.set('long ago', value, meta({ createdAt: -1e300, expiresAt: -1e300 }));
      await store.set('last day', value, meta({ createdAt: 1e300, expiresAt: 8.64e15 }));
      expect(await store.count({ expired: true, now: Date.now() })).to.equal(1);
      expect(await store.count({ expired: true, now: 1e300 })).to.equal(2);
      expect(await store.count({ expired: true, now: -1e300 })).to.equal(1);
      expect(text(await store.get('last day'))).to.equal('value');
    });

    it('are dropped ttlOffset after their expiry, or after now when they are expired', async () => {
      const own = lab.keep(new MongoBackend({ url, cacheName, ttlOffset: 10 }));
      const before = Date.now();
      await own.set('key', value, meta({ expiresAt: 5 }));
      const { drop } = (await only()) ?? {};
      expect(drop.getTime() - before).to.be.within(10_000, 20_000);
    });

    it('are in the collection that is named, and the database of the url does not matter', async () => {
      const elsewhere = new URL(url);
      elsewhere.pathname = '/elsewhere';
      const own = lab.keep(new MongoBackend({ url: elsewhere.href, cacheName, collection: 'my.own' }));
      await own.set('key', value, meta());
      expect((await lab.documents(cacheName, 'my.own')).length).to.equal(1);
      expect(await lab.documents(cacheName, 'responses')).to.deep.equal([]);
    });

    it('take one command a hit, one a new entry, and one to replace what was read', async () => {
      const { client, commands } = watched();
      const own = lab.keep(new MongoBackend({ client, cacheName }));
      const sent = async (call: () => unknown) => {
        commands.length = 0;
        await call();
        // Of the upkeep behind it nothing counts here.
        return commands
          .filter(
            ({ command }) =>
              command.createIndexes === undefined && !JSON.stringify(command).includes('"drop"'),
          )
          .map(({ commandName }) => commandName);
      };
      await own.get('key');
      expect(await sent(() => own.set('key', value, meta()))).to.deep.equal(['insert']);
      expect(await sent(() => own.get('key'))).to.deep.equal(['find']);
      const another = lab.keep(new MongoBackend({ client, cacheName }));
      await another.get('key');
      expect((await sent(() => another.set('key', value, meta())))[0]).to.equal('update');
    });
  });

  describe('a value over the limit of a document', () => {
    const limit = 16 * 1024 * 1024;

    it('fails by itself, naming gridfs, is not sent, and takes the older one with it', async () => {
      const { client, commands } = watched();
      const own = lab.keep(new MongoBackend({ client, cacheName }));
      await own.set('key', value, meta());
      await own.set('other', value, meta());
      await until(() => commands.some(({ commandName }) => commandName === 'createIndexes'));
      commands.length = 0;
      for (const size of [limit, 20 * 1024 * 1024]) {
        const error = await failure(() => own.set('key', Buffer.alloc(size), meta()));
        expect(String(error)).to.match(/^CacheStoreError: .*16 MB.*gridfs/);
        expect(scopeOf(error)).to.equal('entry');
      }
      expect(commands.map(({ commandName }) => commandName)).not.to.include.members(['insert', 'update']);
      expect(await allKeys(own)).to.deep.equal(['other']);
    });

    it('is not one just below it', async () => {
      const large = randomBytes(limit - 500);
      await store.set('key', large, meta());
      expect(large.equals((await store.get('key')) ?? value)).to.equal(true);
    });
  });

  describe("somebody else's documents", () => {
    const theirs = (): Theirs[] => [
      { _id: new ObjectId(), url: meta().url, expires: new Date(1), drop: new Date(1), size: 5 },
      { _id: encodeTextKey('theirs'), url: meta().url, drop: new Date(1) },
      { _id: 'a text', stash: 'theirs', drop: new Date(1) },
      { _id: 5, value: 'text' },
    ];

    it('in the collection are not seen, and survive all that is done', async () => {
      const documents = lab.db(cacheName).collection<Theirs>('responses');
      const inserted = theirs();
      await documents.insertMany(inserted);
      await store.set('ours', value, meta({ expiresAt: 5 }));
      expect(await allKeys(store)).to.deep.equal(['ours']);
      expect(await store.count({ now: 9 })).to.equal(1);
      expect(await store.size()).to.equal(5);
      expect(await store.keysByUrl(meta().url)).to.deep.equal(['ours']);
      expect(await store.delete(['theirs', 'a text'])).to.equal(0);
      expect(await store.deleteExpired(Date.now())).to.equal(1);
      await store.clear();
      const left = await documents.find().toArray();
      expect(left.map(({ _id }) => String(_id)).sort()).to.deep.equal(
        inserted.map(({ _id }) => String(_id)).sort(),
      );
    });

    it('under a key of ours are told of, and not overwritten', async () => {
      const documents = lab.db(cacheName).collection<Theirs>('responses');
      await documents.insertMany(theirs());
      for (const call of [() => store.get('theirs'), () => store.set('theirs', value, meta())]) {
        const error = await failure(call);
        expect(String(error)).to.match(/^CacheStoreError: .*not from this cache/);
        expect(scopeOf(error)).to.equal('entry');
      }
      expect(await documents.findOne({ _id: encodeTextKey('theirs') })).not.to.have.any.keys('value');
    });

    it('in sibling databases and collections are not touched, however alike their names', async () => {
      const names = ['', '_two', '-two', '2'].map((suffix) => `${cacheName}${suffix}`);
      const stores = names.map((name) => lab.keep(new MongoBackend({ url, cacheName: name })));
      stores.push(lab.keep(new MongoBackend({ url, cacheName, collection: 'responses.two' })));
      for (const [n, one] of stores.entries()) await one.set(`key ${n}`, value, meta({ expiresAt: 5 }));
      await stores[0]?.clear();
      await stores[0]?.deleteExpired(9);
      expect(await Promise.all(stores.map((one) => allKeys(one)))).to.deep.equal([
        [],
        ['key 1'],
        ['key 2'],
        ['key 3'],
        ['key 4'],
      ]);
      for (const name of names) await lab.db(name).dropDatabase();
    });
  });

  describe('expiry by itself', () => {
    it('asks the server to drop what is ours and past its date, in the background of the first write', async () => {
      const { client, commands } = watched();
      const own = lab.keep(new MongoBackend({ client, cacheName }));
      await own.get('key');
      expect(commands.map(({ commandName }) => commandName)).to.deep.equal(['find']);
      const indices = () =>
        commands
          .filter(({ commandName }) => commandName === 'createIndexes')
          .flatMap(({ command }) => command.indexes);
      await own.set('key', value, meta());
      await own.set('key', value, meta());
      await until(() => indices().length === 3);
      expect(indices()).to.deep.equal([
        { name: 'axios_stash_url', key: new Map([['url', 1]]) },
        {
          name: 'axios_stash_expires',
          key: new Map(Object.entries({ stash: 1, expires: 1, index: 1, size: 1 })),
        },
        {
          name: 'axios_stash_drop',
          key: new Map([['drop', 1]]),
          expireAfterSeconds: 0,
          partialFilterExpression: { stash: 1 },
        },
      ]);
    });

    it('where the server refuses, sweeps away what is past its date, and nothing else', async () => {
      const told: Error[] = [];
      const own = lab.keep(new MongoBackend({ url, cacheName, ttlOffset: 0 }));
      own.observe((error) => told.push(error));
      await store.set('kept for an hour', value, meta({ expiresAt: 5 }));
      await store.set('never', value, meta());
      await own.set('fresh', value, meta({ expiresAt: Date.now() + hour }));
      const documents = lab.db(cacheName).collection<{ _id: string; drop: Date; mine: boolean }>('responses');
      await documents.insertOne({ _id: 'theirs', drop: new Date(1), mine: true });
      await store.close();
      await own.close();
      // Its own document, written before the others' index is refused: the sweep of the next store finds it.
      const past = lab.keep(new MongoBackend({ url, cacheName, ttlOffset: 0 }));
      await past.set('past', value, meta({ expiresAt: 5 }));
      await past.close();
      await until(async () => {
        const last = lab.keep(new MongoBackend({ url, cacheName }));
        last.observe((error) => told.push(error));
        await last.set('last', value, meta());
        await last.close();
        return (await documents.countDocuments({ _id: encodeTextKey('past') })) === 0;
      });
      const left = (await documents.find().toArray()).map(({ _id }) => _id).sort();
      const kept = ['kept for an hour', 'never', 'fresh', 'last'].map(encodeTextKey);
      expect(left).to.deep.equal([...kept, 'theirs'].sort());
      expect(told).to.deep.equal([]);
    });
  });

  it('writes what another has removed or written since it was read', async () => {
    const other = lab.keep(new MongoBackend({ url, cacheName }));
    await store.set('key', value, meta());
    await other.clear();
    await store.set('key', Buffer.from('again'), meta());
    expect(text(await other.get('key'))).to.equal('again');
    await store.delete(['key']);
    await other.set('key', Buffer.from('other'), meta());
    await store.set('key', value, meta());
    expect(text(await other.get('key'))).to.equal('value');
  });

  it('fails no write of several that replace one key at once', async () => {
    const stores = [1, 2, 3].map(() => lab.keep(new MongoBackend({ url, cacheName })));
    await Promise.all(
      stores.map(async (one, n) => {
        for (let round = 0; round < 10; round++) await one.set('key', Buffer.from(`${n}`), meta());
      }),
    );
    expect(['0', '1', '2']).to.include(text(await store.get('key')));
    expect(await store.count({ now: 0 })).to.equal(1);
  });

  it('loses nothing of 4 processes that write 500 entries each', async () => {
    await Promise.all(
      [1, 2, 3, 4].map((n) => inProcess('mongodb', url, cacheName, 'write', `process ${n}`, '500')),
    );
    expect(await store.count({ now: 0 })).to.equal(2000);
    expect(new Set(await allKeys(store)).size).to.equal(2000);
    expect(text(await store.get('process 3 499'))).to.equal('process 3 499');
  });

  describe('through the whole cache', () => {
    it('hits after a miss, in a second adapter and in 5 processes at once', async () => {
      const own = await rig({ backend: store, storeTimeout: 30 });
      const origin = lab.keep(await Origin.start());
      lab.keep(own);
      expect((await own.http.get('/a')).fromCache).to.equal(false);
      await own.adapter.cache.flush();
      expect((await own.http.get('/a')).fromCache).to.equal(true);
      const second = own.another({ backend: lab.keep(new MongoBackend({ url, cacheName })) });
      expect((await second.http.get('/a')).data).to.include({ url: '/a', n: 1 });
      expect(own.errors).to.deep.equal([]);
      expect(await own.adapter.cache.count()).to.equal(1);
      await own.adapter.clear();

      const run = () => inProcess('mongodb', url, cacheName, 'fetch', origin.url, '5');
      const said = await Promise.all([run(), run(), run(), run(), run()]);
      for (const line of said) expect(line).to.match(/^\d+ hits, 0 errors$/);
      expect(await store.count({ now: Date.now() })).to.equal(5);
      const seen = origin.requests.length;
      expect(await run()).to.equal('10 hits, 0 errors');
      expect(origin.requests.length).to.equal(seen);
    });

    it('passes on what is too large for a document, and tells', async () => {
      const own = lab.keep(
        await rig({ backend: store, storeTimeout: 30 }, {}, (_request, res) => {
          res.end(Buffer.alloc(17 * 1024 * 1024));
        }),
      );
      const response = await own.http.get('/large', { responseType: 'arraybuffer' });
      expect(response.data.byteLength).to.equal(17 * 1024 * 1024);
      await own.adapter.cache.flush();
      expect(own.errors.map(({ error }) => String(error))).to.match(/gridfs/);
      expect(own.errors.length).to.equal(1);
    });

    it('lets requests go on when the server is absent', async () => {
      const own = lab.keep(
        await rig({ backend: lab.keep(new MongoBackend({ url: 'mongodb://127.0.0.1:1/', cacheName })) }),
      );
      expect(await own.http.get('/a')).to.include({ status: 200, fromCache: false });
      expect(own.errors.length).to.be.greaterThan(0);
    });
  });
});

describe('MongoUpkeep', () => {
  /** A collection that answers `createIndexes` as it is told, and records the deletions. */
  function upkeepWith(answer: (keys: string[]) => unknown) {
    const made: string[][] = [];
    const deletions: object[] = [];
    const told: string[] = [];
    const collection = {
      createIndexes: async (indices: { key: object }[]) => {
        const keys = indices.flatMap(({ key }) => Object.keys(key));
        made.push(keys);
        await answer(keys);
      },
      find: () => ({ toArray: async () => [{ _id: 'a' }] }),
      deleteMany: async (filter: object) => {
        deletions.push(filter);
        return { deletedCount: 1 };
      },
    };
    const background = new Background();
    let now = 0;
    const upkeep = new MongoUpkeep(
      collection as unknown as Collection,
      background,
      (error, reason) => told.push(`${reason}: ${error}`),
      () => now,
    );
    const write = async (at: number) => {
      now = at;
      upkeep.afterWrite();
      await background.settle(1000);
    };
    return { write, made, deletions, told, upkeep };
  }
  const refusal = (code: number) => Object.assign(new Error(`code ${code}`), { code });
  const isExpiry = (keys: string[]) => keys.includes('drop');
  const minute = 60_000;

  it('leaves it to a server that takes the index', async () => {
    const { write, made, deletions, told } = upkeepWith(() => {});
    for (const at of [0, 1, minute, 2 * minute]) await write(at);
    expect(made.length).to.equal(3);
    expect([deletions, told]).to.deep.equal([[], []]);
  });

  it('sweeps where the index is refused: with writes, a minute apart', async () => {
    const { write, made, deletions, told, upkeep } = upkeepWith((keys) => {
      if (isExpiry(keys)) throw refusal(238);
    });
    await write(0);
    await write(minute - 1);
    expect(deletions.length).to.equal(1);
    expect(deletions[0]).to.have.keys('stash', 'drop', '_id');
    await write(minute);
    await write(minute + 1);
    expect(deletions.length).to.equal(2);
    upkeep.close();
    await write(3 * minute);
    expect(deletions.length).to.equal(2);
    expect(made.length).to.equal(3);
    expect(told).to.deep.equal([]);
  });

  it('asks again later when there was no connection, and tells nothing: the write does', async () => {
    let isUp = false;
    const { write, made, deletions, told } = upkeepWith(() => {
      if (!isUp) throw new Error('connection lost');
    });
    await write(0);
    await write(1);
    expect(made.length).to.equal(1);
    isUp = true;
    await write(minute);
    await write(2 * minute);
    expect(made.length).to.equal(4);
    expect([deletions, told]).to.deep.equal([[], []]);
  });

  it('tells once when the user may make no index, and sweeps', async () => {
    const { write, deletions, told } = upkeepWith(() => {
      throw refusal(13);
    });
    for (const at of [0, minute, 2 * minute]) await write(at);
    expect(told).to.deep.equal(['create indices: Error: code 13']);
    expect(deletions.length).to.equal(3);
  });

  it('is content with an index on the same field that is there already', async () => {
    const { write, told } = upkeepWith((keys) => {
      if (!isExpiry(keys)) throw refusal(85);
    });
    await write(0);
    expect(told).to.deep.equal([]);
  });
});
