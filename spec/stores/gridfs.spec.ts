import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect } from 'chai';
import fc from 'fast-check';
import { type Document, GridFSBucket, ObjectId } from 'mongodb';
import {
  isRevision,
  nextRevision,
  olderThan,
  revisionsOf,
  textKeyOf,
} from '../../lib/stores/gridfs/revisions.js';
import { GridFSBackend } from '../../lib/stores/gridfs.js';
import { encodeTextKey } from '../../lib/stores/text-keys.js';
import { rig } from '../support/harness.js';
import { Origin } from '../support/origin.js';
import { describeService, findService } from '../support/services.js';
import { allKeys, failure, meta, text } from './contract.js';
import { contents, type Intercept, intercepted, leftovers } from './gridfs-support.js';
import { failureSpecs, optionSpecs } from './mongo-failures.js';
import {
  contractWithFewerKeys,
  inProcess,
  Lab,
  OFFERED,
  PATIENCE,
  scopeOf,
  startProcess,
  until,
} from './mongo-support.js';

const mongodb = await findService('mongodb');
const KB = 1024;
const MB = 1024 * KB;
const value = Buffer.from('value');

describe('GridFSBackend: its options', () => {
  optionSpecs((options) => new GridFSBackend(options));

  for (const bucketName of [5, '', 'a$b', '.a', 'a.', 'system.fs', 'x'.repeat(240)]) {
    it(`refuses the bucket ${JSON.stringify(bucketName).slice(0, 20)}`, async () => {
      const error = await failure(() => Reflect.construct(GridFSBackend, [{ bucketName }]));
      expect(String(error)).to.match(/^CacheOptionError: Option bucketName: .*allowed: the name of a bucket/);
    });
  }

  it('has no ttlOffset', async () => {
    const error = await failure(() => Reflect.construct(GridFSBackend, [{ ttlOffset: 5 }]));
    expect(String(error)).to.match(/gridfs has no such option/);
  });
});

describe('revisions', () => {
  const textKeys = fc.string({ unit: 'binary', maxLength: 20 }).map(encodeTextKey);
  const moments = fc.integer({ min: 0, max: 2 ** 47 });

  it('of a key sort by age, and are a range in which no other key has any', () => {
    fc.assert(
      fc.property(textKeys, textKeys, moments, moments, (textKey, other, first, second) => {
        const older = nextRevision(textKey, undefined, first);
        const newer = nextRevision(textKey, older, second);
        expect(newer > older).to.equal(true);
        expect([textKeyOf(older), textKeyOf(newer)]).to.deep.equal([textKey, textKey]);
        const within = (id: string, { $gt, $lt }: { $gt: string; $lt: string }) => id > $gt && id < $lt;
        expect(within(newer, revisionsOf(textKey))).to.equal(true);
        expect(within(older, olderThan(newer))).to.equal(true);
        expect(within(newer, olderThan(newer))).to.equal(false);
        const others = nextRevision(other, undefined, first);
        expect(within(others, revisionsOf(textKey))).to.equal(other === textKey);
      }),
    );
  });

  it('are told from what others use as ids', () => {
    for (const id of [
      new ObjectId(),
      5,
      null,
      'a text',
      'a/b',
      `${'a'.repeat(64)}/1`,
      `x/${'0'.repeat(12)}-12345678`,
    ]) {
      expect(isRevision(id), String(id)).to.equal(false);
    }
  });
});

describeService(mongodb, 'GridFSBackend', (url) => {
  const lab = new Lab(url);
  beforeEach(function () {
    this.currentTest?.timeout(PATIENCE);
  });
  afterEach(() => lab.clean());
  after(() => lab.client.close());

  contractWithFewerKeys(
    'GridFSBackend',
    async () => {
      const cacheName = lab.name();
      const open = () => new GridFSBackend({ url, cacheName });
      return { store: open(), reopen: open };
    },
    { full: OFFERED, persistent: true, many: 40 },
  );

  failureSpecs(
    url,
    () => lab,
    (options) => new GridFSBackend(options),
  );

  let cacheName: string;
  let store: GridFSBackend;
  beforeEach(() => {
    cacheName = lab.name();
    store = lab.keep(new GridFSBackend({ url, cacheName }));
  });

  const another = () => lab.keep(new GridFSBackend({ url, cacheName }));
  const interfered = (intercept: Intercept) =>
    lab.keep(new GridFSBackend({ client: intercepted(lab.client, intercept), cacheName }));

  describe('the files', () => {
    it('are laid out as GridFS has them, and any tool reads them', async () => {
      const large = randomBytes(600 * KB);
      const url = 'http://example.org/a';
      await store.set('key', large, { createdAt: 1000, expiresAt: 2000, url, index: true });
      const { files, chunks } = await contents(lab, cacheName);
      const textKey = encodeTextKey('key');
      const [{ _id, uploadDate, ...rest } = {} as Document, ...others] = files;
      expect(others).to.deep.equal([]);
      expect(_id).to.match(new RegExp(`^${textKey}/[0-9a-f]{12}-[0-9a-f]{8}$`));
      expect(uploadDate).to.be.instanceOf(Date);
      expect(rest).to.deep.equal({
        length: 600 * KB,
        chunkSize: 255 * KB,
        filename: textKey,
        metadata: { stash: 1, url, created: new Date(1000), expires: new Date(2000), index: true },
      });
      expect(chunks.map(({ files_id, n, data }) => [files_id, n, data.length()])).to.have.deep.members([
        [_id, 0, 255 * KB],
        [_id, 1, 255 * KB],
        [_id, 2, 90 * KB],
      ]);
      const bucket = new GridFSBucket(lab.db(cacheName), { bucketName: 'http_cache' });
      const read = Buffer.concat(await bucket.openDownloadStreamByName(textKey).toArray());
      expect(read.equals(large)).to.equal(true);
    });

    it('of nothing have no chunks, and what never expires no date', async () => {
      await store.set('key', Buffer.alloc(0), meta());
      const { files, chunks } = await contents(lab, cacheName);
      expect(files[0]?.metadata).not.to.have.any.keys('expires', 'index');
      expect(chunks).to.deep.equal([]);
      expect((await store.get('key'))?.byteLength).to.equal(0);
    });

    it('of sizes round those of chunks and of commands come back exactly', async () => {
      for (const size of [255 * KB - 1, 255 * KB, 255 * KB + 1, 32 * 255 * KB + 1]) {
        const bytes = randomBytes(size);
        await store.set('key', bytes, meta());
        expect(bytes.equals((await store.get('key')) ?? value), String(size)).to.equal(true);
        expect(await store.size()).to.equal(size);
      }
      expect(await leftovers(lab, cacheName)).to.deep.equal([]);
    });

    it('have the indices of GridFS and two of ours', async () => {
      await store.set('key', value, meta());
      const names = async (collection: string) => {
        const indices = await lab.db(cacheName).collection(`http_cache.${collection}`).indexes();
        return indices.map(({ name }) => name);
      };
      await until(async () => (await names('files')).length === 4);
      expect(await names('chunks')).to.have.members(['_id_', 'files_id_1_n_1']);
      expect(await names('files')).to.have.members([
        '_id_',
        'filename_1_uploadDate_1',
        'axios_stash_url',
        'axios_stash_expires',
      ]);
    });

    it('are in the bucket that is named', async () => {
      const own = lab.keep(new GridFSBackend({ url, cacheName, bucketName: 'my.own' }));
      await own.set('key', value, meta());
      expect((await contents(lab, cacheName, 'my.own')).files.length).to.equal(1);
      expect((await contents(lab, cacheName)).files).to.deep.equal([]);
    });
  });

  describe("somebody else's files", () => {
    it('in the bucket are not seen, and survive all that is done', async () => {
      const bucket = new GridFSBucket(lab.db(cacheName), { bucketName: 'http_cache' });
      const upload = async (id: unknown, name: string) => {
        const stream = bucket.openUploadStreamWithId(id as ObjectId, name, {
          metadata: { url: meta().url, expires: new Date(1) },
        });
        stream.end(randomBytes(1000));
        await once(stream, 'finish');
      };
      await upload(new ObjectId(), encodeTextKey('ours'));
      await upload('a text', encodeTextKey('theirs'));
      // Half of an upload of theirs.
      const orphan = { files_id: new ObjectId(), n: 0, data: Buffer.from('x') };
      await lab
        .db(cacheName)
        .collection('http_cache.chunks')
        .insertMany([orphan, { files_id: 'text', n: 0 }]);
      const before = await contents(lab, cacheName);

      await store.set('ours', value, meta({ expiresAt: 5 }));
      await store.set('ours', value, meta({ expiresAt: 5 }));
      expect(await allKeys(store)).to.deep.equal(['ours']);
      expect(await store.count({ now: 9 })).to.equal(1);
      expect(await store.size()).to.equal(5);
      expect(await store.keysByUrl(meta().url)).to.deep.equal(['ours']);
      expect(await store.get('theirs')).to.equal(undefined);
      expect(await store.delete(['theirs'])).to.equal(0);
      expect(await store.deleteExpired(Date.now())).to.equal(1);
      await store.set('ours', value, meta());
      expect(await store.delete(['ours'])).to.equal(1);
      await store.clear();
      expect(await contents(lab, cacheName)).to.deep.equal(before);
    });

    it('in sibling databases and buckets are not touched, however alike their names', async () => {
      const names = ['', '_two', '2'].map((suffix) => `${cacheName}${suffix}`);
      const stores = names.map((name) => lab.keep(new GridFSBackend({ url, cacheName: name })));
      stores.push(lab.keep(new GridFSBackend({ url, cacheName, bucketName: 'http_cache.two' })));
      for (const [n, one] of stores.entries()) await one.set(`key ${n}`, value, meta({ expiresAt: 5 }));
      await stores[0]?.deleteExpired(9);
      await stores[0]?.clear();
      expect(await Promise.all(stores.map((one) => allKeys(one)))).to.deep.equal([
        [],
        ['key 1'],
        ['key 2'],
        ['key 3'],
      ]);
      for (const name of names) await lab.db(name).dropDatabase();
    });
  });

  describe('leaves no orphans', () => {
    it('after 20 replacements, and deletions', async () => {
      for (let n = 0; n < 20; n++) await store.set('key', randomBytes(300 * KB * (n % 3)), meta());
      expect(await leftovers(lab, cacheName)).to.deep.equal([]);
      await store.set('other', randomBytes(300 * KB), meta());
      expect(await store.delete(['key', 'other'])).to.equal(2);
      expect(await contents(lab, cacheName)).to.deep.equal({ files: [], chunks: [] });
    });

    it('after replacements by several stores at once: the last one is whole', async () => {
      const stores = [store, another(), another()];
      await Promise.all(
        stores.map(async (one, at) => {
          for (let n = 0; n < 4; n++) await one.set('key', Buffer.alloc(400 * KB, `${at}${n}`), meta());
        }),
      );
      expect(await leftovers(lab, cacheName)).to.deep.equal([]);
      expect(await allKeys(store)).to.deep.equal(['key']);
      const last = Buffer.from((await store.get('key')) ?? []);
      expect(last.byteLength).to.equal(400 * KB);
      expect(last.equals(Buffer.alloc(400 * KB, last.subarray(0, 2)))).to.equal(true);
    });

    it('after writes, deletions, sweeps and clearing all at once', async () => {
      const stores = [store, another()];
      const keys = ['a', 'b'];
      const jobs = stores.flatMap((one) => [
        ...keys.flatMap((key) => [
          () => one.set(key, randomBytes(300 * KB), meta({ expiresAt: 5 })),
          () => one.set(key, randomBytes(300 * KB), meta()),
          () => one.delete([key]),
        ]),
        () => one.deleteExpired(9),
        () => one.clear(),
      ]);
      await Promise.all([...jobs].sort(() => Math.random() - 0.5).map((job) => job()));
      for (const key of keys) await store.set(key, value, meta());
      await store.deleteExpired(9);
      expect(await leftovers(lab, cacheName)).to.deep.equal([]);
      expect(await allKeys(store)).to.deep.equal(keys);
    });

    const cures: [what: string, cure: () => unknown][] = [
      ['the next write of the key', () => store.set('key', value, meta())],
      ['the removal of expired entries', () => store.deleteExpired(0)],
      ['clear()', () => store.clear()],
    ];
    it(`after a process was killed in the middle of 20 MB, once ${cures[0]?.[0]} or ${cures[1]?.[0]} has come`, async () => {
      for (const [what, cure] of cures.slice(0, 2)) {
        const child = startProcess('gridfs', url, cacheName, 'rewrite', 'key', String(20 * MB));
        const chunks = lab.db(cacheName).collection('http_cache.chunks');
        await until(async () => (await chunks.countDocuments({}, { limit: 1 })) > 0, PATIENCE);
        child.kill('SIGKILL');
        await once(child, 'close');
        // What it had sent is worked off by the server still.
        let before = -1;
        await until(async () => {
          const now = await chunks.countDocuments();
          const isOver = now === before;
          before = now;
          return isOver;
        });
        await cure();
        expect(await leftovers(lab, cacheName), what).to.deep.equal([]);
        await store.clear();
      }
    });

    for (const [what, cure] of cures) {
      it(`of a write that ended half-way, or after its file was visible, once ${what} has come`, async () => {
        await store.set('key', Buffer.alloc(300 * KB), meta());
        const { files, chunks } = await contents(lab, cacheName);
        // As if two others had died: one before its file was there, one before it removed what is older.
        const textKey = encodeTextKey('key');
        const before = nextRevision(textKey, undefined, 1000);
        const older = nextRevision(textKey, undefined, 2000);
        const db = lab.db(cacheName);
        for (const id of [before, older]) {
          const copies = chunks.map(({ _id, ...rest }) => ({ ...rest, files_id: id }));
          await db.collection('http_cache.chunks').insertMany(copies);
        }
        await db
          .collection<Document & { _id: string }>('http_cache.files')
          .insertMany(files.map((file) => ({ ...file, _id: older })));
        expect((await leftovers(lab, cacheName)).length).to.be.greaterThan(2);
        expect(await allKeys(store)).to.deep.equal(['key']);
        expect((await store.get('key'))?.byteLength).to.equal(300 * KB);
        await cure();
        expect(await leftovers(lab, cacheName)).to.deep.equal([]);
      });
    }

    it('when a write fails half-way: what it had written goes behind it', async () => {
      let failing = '';
      const own = interfered((method, _collection, args) => {
        const [first] = Array.isArray(args[0]) ? args[0] : [];
        if (method === failing && (method === 'insertOne' || first?.n > 0))
          throw new Error('connection lost');
      });
      await store.set('key', value, meta());
      for (const [method, size] of [
        ['insertMany', 9 * MB],
        ['insertOne', 300 * KB],
      ] as const) {
        failing = method;
        const error = await failure(() => own.set('key', Buffer.alloc(size), meta()));
        expect(String(error)).to.match(/CacheStoreError.*connection lost/);
        await until(async () => (await leftovers(lab, cacheName)).length === 0);
        expect(text(await store.get('key'))).to.equal('value');
      }
    });

    it('told of when what is older can not be removed: the write went well', async () => {
      const told: string[] = [];
      const own = interfered((method) => {
        if (method === 'deleteMany') throw new Error('not now');
      });
      own.observe((error, reason) => told.push(`${reason}: ${error.message}`));
      await own.set('key', Buffer.from('old'), meta());
      await own.set('key', value, meta());
      expect(told.join()).to.match(/^remove replaced: .*not now$/);
      expect(text(await store.get('key'))).to.equal('value');
      expect(await allKeys(store)).to.deep.equal(['key']);
    });

    it('of a sweep that died: its claims go with a later one', async () => {
      const id = nextRevision(encodeTextKey('key'), undefined);
      const db = lab.db(cacheName);
      const claim = { length: 0, chunkSize: 1, filename: '', metadata: { stash: 'sweep' } };
      await db.collection('http_cache.chunks').insertOne({ files_id: id, n: 0, data: Buffer.from('x') });
      const files = db.collection<Document & { _id: string }>('http_cache.files');
      await files.insertOne({ ...claim, _id: id, uploadDate: new Date() });
      await files.insertOne({ ...claim, _id: `${id}0`, uploadDate: new Date(Date.now() - 3600_000) });
      expect(await allKeys(store)).to.deep.equal([]);
      expect(await store.get('key')).to.equal(undefined);
      await store.deleteExpired(0);
      expect(await contents(lab, cacheName)).to.deep.equal({ files: [], chunks: [] });
    });
  });

  describe('while a key is being replaced', () => {
    it('100 times, a reader finds one of its values each time', async () => {
      const values = [Buffer.alloc(260 * KB, 'a'), value, Buffer.from('another'), Buffer.alloc(1000)];
      await store.set('key', value, meta());
      let isOver = false;
      const reading = (async () => {
        const reader = another();
        let reads = 0;
        for (; !isOver; reads++) {
          const found = await reader.get('key');
          expect(values.some((one) => one.equals(found ?? Buffer.alloc(1)))).to.equal(true);
        }
        return reads;
      })();
      for (let n = 0; n < 100; n++) await store.set('key', values[n % values.length] ?? value, meta());
      isOver = true;
      expect(await reading).to.be.greaterThan(20);
    });

    it('at the very moment when its chunks are asked for, a reader finds the new one, or none if it was deleted', async () => {
      let meanwhile: (() => unknown) | undefined;
      const reader = interfered(async (method, collection) => {
        if (method !== 'find' || !collection.endsWith('chunks')) return;
        const act = meanwhile;
        meanwhile = undefined;
        await act?.();
      });
      await store.set('key', Buffer.from('old'), meta());
      meanwhile = () => store.set('key', value, meta());
      expect(text(await reader.get('key'))).to.equal('value');
      meanwhile = () => store.delete(['key']);
      expect(await reader.get('key')).to.equal(undefined);
    });

    /** Writes `own`, and does something else before it sends a command for the first time. */
    async function writeWith(
      own: Buffer,
      isMoment: (method: string, collection: string) => boolean,
      meanwhile: () => unknown,
    ): Promise<void> {
      let isDone = false;
      const writer = interfered(async (method, collection) => {
        if (isDone || !isMoment(method, collection)) return;
        isDone = true;
        await meanwhile();
      });
      await writer.set('key', own, meta());
      expect(isDone).to.equal(true);
    }

    const moments: [what: string, isMoment: (method: string, collection: string) => boolean][] = [
      [
        'before it sends its chunks',
        (method, collection) => method === 'insertMany' && collection.endsWith('chunks'),
      ],
      ['before it is visible', (method) => method === 'insertOne'],
      ['before it looks round', (method, collection) => method === 'find' && collection.endsWith('chunks')],
      ['before it removes the older one', (method) => method === 'deleteMany'],
    ];
    for (const [what, isMoment] of moments) {
      it(`another writer that is done ${what} wins, and neither leaves anything behind`, async () => {
        await store.set('key', Buffer.from('old'), meta());
        await writeWith(Buffer.alloc(300 * KB), isMoment, async () => {
          // The other one begins later: its revision is the newer.
          await new Promise((resolve) => setTimeout(resolve, 2));
          await store.set('key', value, meta());
        });
        expect(await leftovers(lab, cacheName)).to.deep.equal([]);
        expect(text(await store.get('key'))).to.equal('value');
      });

      it(`a sweep ${what} costs nothing of it`, async () => {
        await store.set('key', Buffer.from('old'), meta());
        await writeWith(Buffer.alloc(300 * KB, 7), isMoment, () => store.deleteExpired(0));
        expect(await leftovers(lab, cacheName)).to.deep.equal([]);
        expect((await store.get('key'))?.byteLength).to.equal(300 * KB);
      });

      it(`clear() or a deletion ${what} leaves it whole or takes it whole`, async () => {
        for (const take of [() => store.clear(), () => store.delete(['key'])]) {
          await store.set('key', Buffer.from('old'), meta());
          await writeWith(Buffer.alloc(300 * KB, 7), isMoment, take);
          expect(await leftovers(lab, cacheName)).to.deep.equal([]);
          const left = await store.get('key');
          expect([undefined, 300 * KB]).to.include(left?.byteLength);
        }
      });
    }

    it('a sweep that has taken its chunks for orphans does not take them when it has become visible since', async () => {
      for (const moment of ['insertOne', 'deleteMany']) {
        let sweeping: (() => Promise<unknown>) | undefined = async () => {};
        const sweeper = interfered(async (method) => {
          if (method === moment) await sweeping?.();
        });
        let isSwept = false;
        // The writer waits before it becomes visible, until the sweep is at its moment; the sweep then waits for it.
        let sweepIsThere = () => {};
        const there = new Promise<void>((resolve) => {
          sweepIsThere = resolve;
        });
        let swept: Promise<unknown> = Promise.resolve();
        const writing = writeWith(
          Buffer.alloc(300 * KB, 7),
          (method) => method === 'insertOne',
          async () => {
            swept = sweeper.deleteExpired(0).then(() => {
              isSwept = true;
            });
            await there;
          },
        );
        sweeping = async () => {
          sweeping = undefined;
          sweepIsThere();
          await writing;
        };
        await writing;
        expect(isSwept).to.equal(false);
        expect((await store.get('key'))?.byteLength).to.equal(300 * KB);
        await swept;
        expect((await store.get('key'))?.byteLength).to.equal(300 * KB);
        await store.deleteExpired(0);
        expect(await leftovers(lab, cacheName)).to.deep.equal([]);
        await store.clear();
      }
    });

    it('a revision from a clock that is ahead is replaced all the same', async () => {
      await store.set('key', Buffer.from('old'), meta());
      const { files, chunks } = await contents(lab, cacheName);
      const ahead = nextRevision(encodeTextKey('key'), undefined, Date.now() + 1e9);
      const db = lab.db(cacheName);
      await db
        .collection('http_cache.chunks')
        .insertMany(chunks.map(({ _id, ...rest }) => ({ ...rest, files_id: ahead })));
      await db
        .collection<Document & { _id: string }>('http_cache.files')
        .insertMany(files.map((file) => ({ ...file, _id: ahead })));
      await store.set('key', value, meta());
      expect(text(await store.get('key'))).to.equal('value');
      expect(await leftovers(lab, cacheName)).to.deep.equal([]);
    });
  });

  it('fails to read what lacks bytes, as an entry that is damaged, and replaces it', async () => {
    const damages: Document[] = [{ n: 1 }, { n: 0 }, {}];
    for (const filter of damages) {
      await store.set('key', randomBytes(600 * KB), meta());
      await lab.db(cacheName).collection('http_cache.chunks').deleteMany(filter);
      const error = await failure(() => store.get('key'));
      expect(String(error)).to.match(/^CacheStoreError: .*damaged/);
      expect(scopeOf(error)).to.equal('entry');
      await store.set('key', value, meta());
      expect(text(await store.get('key'))).to.equal('value');
      expect(await leftovers(lab, cacheName)).to.deep.equal([]);
    }
  });

  it('loses nothing of 4 processes that write 20 entries each', async () => {
    await Promise.all(
      [1, 2, 3, 4].map((n) => inProcess('gridfs', url, cacheName, 'write', `process ${n}`, '20')),
    );
    expect(await store.count({ now: 0 })).to.equal(80);
    expect(new Set(await allKeys(store)).size).to.equal(80);
    expect(await leftovers(lab, cacheName)).to.deep.equal([]);
  });

  it('hits through the whole cache after a miss, in a second adapter and in 5 processes at once', async () => {
    const own = lab.keep(await rig({ backend: store, storeTimeout: 30 }));
    const origin = lab.keep(await Origin.start());
    expect((await own.http.get('/a')).fromCache).to.equal(false);
    await own.adapter.cache.flush();
    expect((await own.http.get('/a')).fromCache).to.equal(true);
    const second = own.another({ backend: another(), storeTimeout: 30 });
    expect((await second.http.get('/a')).data).to.include({ url: '/a', n: 1 });
    expect(own.errors).to.deep.equal([]);
    await own.adapter.clear();

    const run = () => inProcess('gridfs', url, cacheName, 'fetch', origin.url, '5');
    const said = await Promise.all([run(), run(), run(), run(), run()]);
    for (const line of said) expect(line).to.match(/^\d+ hits, 0 errors$/);
    expect(await leftovers(lab, cacheName)).to.deep.equal([]);
    expect(await store.count({ now: Date.now() })).to.equal(5);
    const seen = origin.requests.length;
    expect(await run()).to.equal('10 hits, 0 errors');
    expect(origin.requests.length).to.equal(seen);
  });
});
