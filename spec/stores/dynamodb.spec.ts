import { hash, randomBytes } from 'node:crypto';
import { DescribeTimeToLiveCommand, DynamoDB, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect } from 'chai';
import fc from 'fast-check';
import { isCacheError } from '../../lib/errors.js';
import { encodeEntry, parseHead, parsePartId, partIds, storedKey } from '../../lib/stores/dynamodb/items.js';
import { DynamoDBBackend, type DynamoDBOptions } from '../../lib/stores/dynamodb.js';
import { encodeTextKey } from '../../lib/stores/text-keys.js';
import { describeService, findService } from '../support/services.js';
import { allKeys, failure, meta, storeContract, text } from './contract.js';
import {
  type Input,
  type Intercept,
  keyOf,
  type RawItem,
  serviceError,
  TestTable,
} from './dynamodb-harness.js';

const service = await findService('dynamodb');
const KB = 1024;
const MB = 1024 * KB;
const hour = 3600;

/** The largest value that is kept in one item, under this key and meta. */
function largestWhole(key: string): number {
  let [fits, tooLarge] = [0, MB];
  while (tooLarge - fits > 1) {
    const size = (fits + tooLarge) >> 1;
    const { parts } = encodeEntry(key, Buffer.alloc(size), meta(), 0);
    if (parts.length === 0) fits = size;
    else tooLarge = size;
  }
  return fits;
}

function scopeOf(error: unknown): string {
  return isCacheError(error) && 'scope' in error ? String(error.scope) : String(error);
}

describe('DynamoDBBackend: its options', () => {
  const client = { send: async () => ({}) };
  const wrong: [what: string, options: object, message: RegExp][] = [
    ['a name of two letters', { cacheName: 'ab' }, /cacheName: got 'ab'; allowed: a table's name, 3 to 255/],
    ['a name of 256', { cacheName: 'a'.repeat(256) }, /cacheName/],
    ['a name with a slash', { cacheName: 'a/bc' }, /cacheName/],
    ['a name that is no text', { cacheName: 5 }, /cacheName: got 5/],
    ['a region that is no text', { region: 5 }, /region: got 5; allowed: the name of a region/],
    ['an empty region', { region: '' }, /region: got ''/],
    [
      'an endpoint that is no URL',
      { endpoint: 'localhost:8000' },
      /endpoint: got 'localhost:8000'; allowed: a URL/,
    ],
    ['an endpoint that is none of HTTP', { endpoint: 'ftp://localhost' }, /endpoint/],
    ['a client that is none', { client: {} }, /client: got {}; allowed: a DynamoDBClient/],
    [
      'a client with a region',
      { client, region: 'eu-central-1' },
      /region: got .*; not together with client/,
    ],
    [
      'a client with an endpoint',
      { client, endpoint: 'http://localhost' },
      /endpoint: got .*; not together with client/,
    ],
    [
      'a client with options',
      { client, clientOptions: {} },
      /clientOptions: got {}; not together with client/,
    ],
    ['createTable that is no boolean', { createTable: 1 }, /createTable: got 1; allowed: true or false/],
    ['consistentRead that is no boolean', { consistentRead: 'yes' }, /consistentRead: got 'yes'/],
    ['client options that are none', { clientOptions: 'x' }, /clientOptions: got 'x'; allowed: an object/],
    ['a list of client options', { clientOptions: [] }, /clientOptions/],
    ['a ttlOffset below 0', { ttlOffset: -1 }, /ttlOffset: got -1/],
    [
      'an option it does not have',
      { url: 'http://localhost' },
      /dynamodb has no such option; it takes cacheName, region/,
    ],
  ];
  for (const [what, options, message] of wrong) {
    it(`refuse ${what} at construction`, async () => {
      const error = await failure(() => new DynamoDBBackend(options as DynamoDBOptions));
      expect(isCacheError(error) && error.code, String(error)).to.equal('ERR_CACHE_OPTION');
      expect(String(error)).to.match(message);
    });
  }

  it('take what the driver has for clients, and names of tables with dots and dashes', async () => {
    for (const client of [new DynamoDBClient({}), new DynamoDB({})]) {
      await new DynamoDBBackend({ client, cacheName: 'my.app-cache_2', consistentRead: true }).close();
    }
  });

  it('may all be undefined', async () => {
    const names = ['cacheName', 'region', 'endpoint', 'client', 'createTable', 'consistentRead', 'ttlOffset'];
    await new DynamoDBBackend(Object.fromEntries(names.map((name) => [name, undefined]))).close();
  });
});

describe('DynamoDBBackend: its items', () => {
  it('have keys that DynamoDB takes, for each key another', () => {
    const keys = fc.string({ unit: 'binary', maxLength: 1500, size: 'max' });
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        const { id, name } = storedKey(a);
        expect(Buffer.byteLength(id)).to.be.within(1, 1980);
        expect(name ?? id).to.equal(encodeTextKey(a));
        expect(storedKey(b).id === id).to.equal(a === b);
      }),
      { numRuns: 50 },
    );
  });

  it('have parts whose keys say what they are of, and are within what DynamoDB takes', () => {
    const value = Buffer.alloc(64 * MB);
    for (const key of ['', 'a1'.repeat(32), 'k'.repeat(742), 'k'.repeat(743), 'k'.repeat(5000), '~#']) {
      const { id, generation, parts, writtenAt } = encodeEntry(key, value, meta(), 0);
      expect(parts.length).to.equal(166);
      const partKeys = parts.map(({ key }) => key?.S ?? '');
      expect(partIds({ id, generation, parts: parts.length })).to.deep.equal(partKeys);
      for (const partKey of partKeys) {
        expect(Buffer.byteLength(partKey)).to.be.lessThan(2049);
        expect(parsePartId(partKey)).to.deep.equal({ id, generation, writtenAt });
      }
      expect(parsePartId(id)).to.equal(undefined);
    }
  });

  it('never make reading throw, whatever is in them', () => {
    const value = fc.record({ S: fc.string(), N: fc.string(), BOOL: fc.boolean() }, { requiredKeys: [] });
    const names = fc.constantFrom('key', 'stash', 'generation', 'size', 'parts', 'ttl', 'value');
    fc.assert(fc.property(fc.dictionary(names, value), (item) => void parseHead(item)));
  });
});

describeService(service, 'DynamoDBBackend', (endpoint) => {
  let table: TestTable;
  let store: DynamoDBBackend;
  beforeEach(() => {
    table = new TestTable(endpoint);
    store = table.store();
  });
  afterEach(() => table.dispose());

  const onlyItem = async (): Promise<RawItem> => {
    const [item = {}, ...others] = await table.items();
    expect(others).to.deep.equal([]);
    return item;
  };

  /** Heads and parts, without what differs from write to write. */
  const layout = async (): Promise<string[]> =>
    (await table.items()).map((item) => {
      const part = parsePartId(keyOf(item));
      return part === undefined ? keyOf(item) : `${part.id} part ${item.part?.N}`;
    });

  describe('in its table', function () {
    this.timeout(120_000);
    storeContract(
      'DynamoDBBackend',
      () => {
        const own = new TestTable(endpoint);
        return { store: own.store(), reopen: () => own.store(), dispose: () => own.dispose() };
      },
      { full: ['count', 'size', 'deleteExpired', 'keysByUrl'], persistent: true, many: 400 },
    );
  });

  describe('the item of an entry', () => {
    const expiresAt = Date.UTC(2100, 0, 1);
    const digest = 'a1'.repeat(32);

    it('has the attributes that are documented, and no others', async () => {
      await store.set(digest, Buffer.from('value'), meta({ expiresAt, index: true }));
      const { generation, ...item } = await onlyItem();
      expect(generation?.S).to.match(/^[0-9a-z]+-[\w-]{12}$/);
      expect(item).to.deep.equal({
        key: { S: digest },
        stash: { N: '1' },
        value: { B: new Uint8Array(Buffer.from('value')) },
        size: { N: '5' },
        created: { N: String(meta().createdAt) },
        expires: { N: String(expiresAt) },
        ttl: { N: String(expiresAt / 1000 + hour) },
        url: { S: 'http://example.org/' },
        urlHash: { S: hash('sha256', 'http://example.org/') },
        index: { BOOL: true },
      });
    });

    it('has a ttl in whole seconds, of at least ttlOffset from now', async () => {
      const now = Date.now();
      await store.set('key', Buffer.from('v'), meta({ expiresAt: 1 }));
      const { ttl } = await onlyItem();
      expect(ttl?.N).to.match(/^\d+$/);
      expect(Number(ttl?.N)).to.be.within(now / 1000 + hour, now / 1000 + hour + 30);
      await table.store({ ttlOffset: 0 }).set('key', Buffer.from('v'), meta({ expiresAt: expiresAt + 1 }));
      expect((await onlyItem()).ttl?.N).to.equal(String(expiresAt / 1000 + 1));
    });

    it('has none when it never expires, whatever it replaces', async () => {
      for (const never of [{}, { expiresAt: Number.POSITIVE_INFINITY }, { expiresAt: 1e300 }]) {
        await store.set('key', Buffer.from('v'), meta({ expiresAt }));
        expect(await onlyItem()).to.have.property('ttl');
        await store.set('key', Buffer.from('v'), meta(never));
        expect(await onlyItem()).not.to.have.any.keys('ttl', 'expires', 'index');
      }
    });

    it('takes any moment for one', async () => {
      for (const odd of [0, -1, 0.5, 1e-7, -1e300, 8.64e15, Date.now() + 0.123]) {
        await store.set('key', Buffer.from('v'), {
          createdAt: odd === -1e300 ? 0 : odd,
          expiresAt: odd,
          url: '',
        });
        expect(text(await store.get('key'))).to.equal('v');
      }
      expect(await store.count({ expired: true, now: 8.64e15 })).to.equal(1);
    });

    it('has a digest for a key that is too long, which is listed and found by its URL all the same', async () => {
      const [long, longer] = ['k'.repeat(743), 'k'.repeat(20_000)];
      for (const key of [long, longer]) await store.set(key, Buffer.from(key), meta());
      for (const item of await table.items()) expect(keyOf(item)).to.match(/^~#[0-9a-f]{64}$/);
      expect((await allKeys(store)).sort()).to.deep.equal([long, longer]);
      expect((await store.keysByUrl(meta().url)).sort()).to.deep.equal([long, longer]);
      expect(text(await store.get(longer))).to.equal(longer);
      expect(await store.delete([long, longer])).to.equal(2);
    });

    for (const [what, url] of [
      ['empty', ''],
      ['of 9000 characters', `http://example.org/?${'q'.repeat(9000)}`],
      ['with half a character', 'http://example.org/\ud800'],
      ['non-Latin', 'http://example.org/ключ-🔑'],
    ] as const) {
      it(`is found by a URL that is ${what}`, async () => {
        await store.set('key', Buffer.from('v'), meta({ url }));
        await store.set('other', Buffer.from('v'), meta({ url: `${url}x` }));
        expect(await store.keysByUrl(url)).to.deep.equal(['key']);
      });
    }

    it('is refused, as a fault of the entry, when key and URL alone are too long', async () => {
      const error = await failure(() =>
        store.set('key', Buffer.from('v'), meta({ url: `http://example.org/${'q'.repeat(400 * KB)}` })),
      );
      expect(scopeOf(error)).to.equal('entry');
      expect(String(error)).to.match(/key and URL are too long/);
    });
  });

  describe('a value too large for an item', () => {
    const large = (size: number) => randomBytes(size);

    for (const key of ['a1'.repeat(32), 'k'.repeat(3000)]) {
      it(`is in parts from the very byte on, and comes back exactly (a key of ${key.length})`, async () => {
        const limit = largestWhole(key);
        expect(limit + encodeTextKey(key).length).to.be.within(400 * KB - 700, 400 * KB);
        const perPart = 396 * KB;
        for (const [size, items] of [
          [limit - 1, 1],
          [limit, 1],
          [limit + 1, 1 + Math.ceil((limit + 1) / perPart)],
          [limit - 1, 1],
          [perPart * 2, 3],
          [perPart * 2 + 1, 4],
        ] as const) {
          const value = large(size);
          await store.set(key, value, meta());
          expect(value.equals((await store.get(key)) ?? randomBytes(1)), String(size)).to.equal(true);
          expect((await table.items()).length, String(size)).to.equal(items);
          expect(await store.size()).to.equal(size);
        }
      });
    }

    it('has parts that expire as their head does', async () => {
      await store.set('key', large(MB), meta({ expiresAt: Date.UTC(2100, 0, 1) }));
      const items = await table.items();
      expect(items.length).to.equal(4);
      expect(new Set(items.map(({ ttl }) => ttl?.N)).size).to.equal(1);
      await store.set('key', large(MB), meta());
      for (const item of await table.items()) expect(item).not.to.have.property('ttl');
    });

    const id = encodeTextKey('key');
    const whole = [id];
    const split = [id, `${id} part 0`, `${id} part 1`, `${id} part 2`];
    const rows: [what: string, first: number, second: number, left: string[]][] = [
      ['large by small', MB, 10, whole],
      ['small by large', 10, MB, split],
      ['large by large', MB, MB + 5, split],
      ['large by larger', 500 * KB, MB, split],
      ['large by less large', 3 * MB, MB, split],
    ];
    for (const [what, first, second, left] of rows) {
      it(`leaves nothing behind when it is replaced, ${what}`, async () => {
        await store.set('key', large(first), meta());
        const value = large(second);
        await store.set('key', value, meta());
        expect(await layout()).to.deep.equal(left);
        expect(value.equals((await store.get('key')) ?? randomBytes(1))).to.equal(true);
      });
    }

    const removals: [what: string, remove: (keys: string[]) => Promise<unknown>, answer: unknown][] = [
      [
        'deleted one by one',
        (keys) => Promise.all(keys.map((key) => store.delete([key]))),
        [1, 1, 1, 1, 1, 1],
      ],
      ['deleted together', (keys) => store.delete([...keys, 'missing']), 6],
      ['deleted as expired', () => store.deleteExpired(5), 6],
      ['cleared', () => store.clear(), undefined],
    ];
    for (const [what, remove, answer] of removals) {
      it(`leaves nothing behind when it is ${what}, among small ones`, async () => {
        const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
        for (const [at, key] of keys.entries()) {
          await store.set(key, large(at % 2 === 0 ? MB : 10), meta({ expiresAt: 1 }));
        }
        expect((await table.items()).length).to.equal(3 * 4 + 3);
        expect((await allKeys(store)).sort()).to.deep.equal(keys);
        expect(await store.count({ now: 5 })).to.equal(6);
        expect(await store.size()).to.equal(3 * MB + 30);
        expect(await remove(keys)).to.deep.equal(answer);
        expect(await layout()).to.deep.equal([]);
      });
    }

    it('is taken for damaged, a fault of the entry, when a part is missing', async () => {
      for (const consistentRead of [false, true]) {
        const reader = table.store({ consistentRead });
        await store.set('key', large(MB), meta());
        const part = (await table.items()).find(({ part }) => part?.N === '1');
        await table.remove(keyOf(part ?? {}));
        const error = await failure(() => reader.get('key'));
        expect(scopeOf(error), String(error)).to.equal('entry');
        expect(String(error)).to.match(/not whole/);
        await store.set('key', large(MB), meta());
        expect((await reader.get('key'))?.byteLength).to.equal(MB);
      }
    });

    it('is missed when DynamoDB has begun to drop it', async () => {
      await store.set('key', large(MB), meta({ expiresAt: 1 }));
      const items = await table.items();
      const past = { N: String(Math.floor(Date.now() / 1000) - 1) };
      for (const item of items) {
        if (item.part?.N === '1') await table.remove(keyOf(item));
        else await table.put({ ...item, ttl: past });
      }
      expect(await store.get('key')).to.equal(undefined);
    });
  });

  describe('parts that a process left behind when it died', () => {
    const ago = (minutes: number) => `${(Date.now() - minutes * 60_000).toString(36)}-${'x'.repeat(12)}`;
    const partOf = (id: string, generation: string, number: number): RawItem => ({
      key: { S: `${id}#${generation}#${number}` },
      stash: { N: '1' },
      part: { N: String(number) },
      value: { B: Buffer.alloc(10) },
    });

    for (const [what, remove] of [
      ['expired entries are deleted', () => store.deleteExpired(0)],
      ['the cache is cleared', () => store.clear()],
    ] as const) {
      it(`go when ${what}, once they are old`, async () => {
        await store.set('key', randomBytes(MB), meta());
        const id = encodeTextKey('key');
        await table.put(partOf(id, ago(31), 0));
        await table.put(partOf(id, ago(31), 1));
        await table.put(partOf(id, ago(29), 7));
        await table.put(partOf(encodeTextKey('gone'), ago(600), 0));
        await table.put(partOf('~odd', 'no generation', 5));
        await remove();
        const left = (await table.items()).filter(({ value }) => value?.B?.byteLength === 10).map(keyOf);
        expect(left.length).to.equal(2);
        expect(left).to.include('~odd#no generation#5');
        expect(left.some((key) => key.endsWith('#7'))).to.equal(true);
        expect(await allKeys(store)).to.deep.equal(what === 'the cache is cleared' ? [] : ['key']);
        expect((await store.get('key'))?.byteLength).to.equal(
          what === 'the cache is cleared' ? undefined : MB,
        );
      });
    }

    it('stay while a head names them, though they are old', async () => {
      const id = encodeTextKey('key');
      const generation = ago(600);
      await table.make();
      await table.put(partOf(id, generation, 0));
      const head = { key: { S: id }, stash: { N: '1' }, generation: { S: generation } };
      await table.put({ ...head, size: { N: '10' }, parts: { N: '1' } });
      expect(await store.deleteExpired(5)).to.equal(0);
      expect((await store.get('key'))?.byteLength).to.equal(10);
      await table.put({ ...head, stash: { N: '2' }, generation: { S: 'not as in ours' } });
      expect(await store.deleteExpired(5)).to.equal(0);
      expect((await table.items()).length).to.equal(2);
    });
  });

  describe('the table', () => {
    it('is not made before something is stored, and until then nothing is found', async () => {
      const asked: string[] = [];
      const reader = table.intercepted((name, _, send) => {
        asked.push(name);
        return send();
      });
      expect(await reader.get('key')).to.equal(undefined);
      expect(await reader.delete(['a'])).to.equal(0);
      expect(await reader.delete(['a', 'b', 'c', 'd', 'e', 'f'])).to.equal(0);
      expect(await allKeys(reader)).to.deep.equal([]);
      expect(await reader.count({ now: 0 })).to.equal(0);
      expect(await reader.size()).to.equal(0);
      expect(await reader.deleteExpired(0)).to.equal(0);
      expect(await reader.keysByUrl('u')).to.deep.equal([]);
      await reader.clear();
      expect(asked).not.to.include('CreateTable');
      await reader.set('key', Buffer.from('v'), meta());
      expect(text(await reader.get('key'))).to.equal('v');
    });

    it('is made once, however many writes wait for it, by one store or several', async () => {
      const asked: string[] = [];
      const open = () =>
        table.intercepted((name, _, send) => {
          asked.push(name);
          return send();
        });
      const [one, two] = [open(), open()];
      const write = (by: DynamoDBBackend, key: string, size: number) =>
        by.set(key, Buffer.alloc(size), meta());
      const keys = Array.from({ length: 20 }, (_, n) => `key ${n}`);
      await Promise.all(keys.map((key) => write(one, key, key.endsWith('7') ? MB : 5)));
      expect(asked.filter((name) => name === 'CreateTable').length).to.equal(1);
      await Promise.all([one, two].flatMap((by, n) => keys.map((key) => write(by, `${n} ${key}`, 5))));
      expect(await store.count({ now: 0 })).to.equal(60);
      expect(await layout()).to.have.length(60 + 2 * 3);
      expect(asked.filter((name) => name === 'UpdateTimeToLive').length).to.equal(1);
    });

    it('is made by two at the same time without harm', async () => {
      const stores = [1, 2, 3, 4].map(() => table.store());
      await Promise.all(stores.map((each, n) => each.set(`key ${n}`, Buffer.from('v'), meta())));
      expect((await allKeys(store)).length).to.equal(4);
    });

    it('has TTL turned on, on the attribute ttl', async () => {
      await store.set('key', Buffer.from('v'), meta());
      const { TimeToLiveDescription } = await table.client.send(
        new DescribeTimeToLiveCommand({ TableName: table.name }),
      );
      expect(TimeToLiveDescription?.AttributeName).to.equal('ttl');
      expect(TimeToLiveDescription?.TimeToLiveStatus).to.match(/^ENABL/);
    });

    it('is used without TTL where that is refused; observers are told', async () => {
      const writer = table.intercepted((name, _, send) => {
        if (name === 'UpdateTimeToLive') throw serviceError('AccessDeniedException');
        return send();
      });
      const told: string[] = [];
      writer.observe((error) => told.push(String(error)));
      await writer.set('key', Buffer.from('v'), meta());
      expect(text(await writer.get('key'))).to.equal('v');
      expect(told.length).to.equal(1);
      expect(told[0]).to.match(/^CacheStoreError: DynamoDB table .*: can't turn on TTL: AccessDenied/);
    });

    it('is made anew when it was removed', async () => {
      await store.set('key', Buffer.from('v'), meta());
      await table.drop();
      expect(await store.get('key')).to.equal(undefined);
      await store.set('key', Buffer.from('again'), meta());
      expect(text(await store.get('key'))).to.equal('again');
    });

    it('that may not be made fails each write, and is asked for again by the next', async () => {
      let isAllowed = false;
      const writer = table.intercepted((name, _, send) => {
        if (name === 'CreateTable' && !isAllowed) throw serviceError('AccessDeniedException');
        return send();
      });
      const error = await failure(() => writer.set('key', Buffer.from('v'), meta()));
      expect(String(error)).to.match(/CacheStoreError: .*can't write: AccessDenied/);
      isAllowed = true;
      await writer.set('key', Buffer.from('v'), meta());
    });

    it('that is missing fails every operation with createTable: false', async () => {
      const strict = table.store({ createTable: false });
      const calls: (() => unknown)[] = [
        () => strict.get('key'),
        () => strict.set('key', Buffer.from('v'), meta()),
        () => strict.delete(['key']),
        () => strict.delete(['a', 'b', 'c', 'd', 'e']),
        () => strict.clear(),
        () => allKeys(strict),
        () => strict.count({ now: 0 }),
        () => strict.size(),
        () => strict.deleteExpired(0),
        () => strict.keysByUrl('u'),
      ];
      for (const call of calls) {
        const error = await failure(call);
        expect(isCacheError(error) && error.code, String(error)).to.equal('ERR_CACHE_STORE');
        expect(scopeOf(error)).to.equal('store');
      }
      await store.set('key', Buffer.from('v'), meta());
      expect(text(await strict.get('key'))).to.equal('v');
      await strict.set('large', randomBytes(MB), meta());
      expect(await strict.count({ now: 0 })).to.equal(2);
    });

    it('is taken as it is when it is there: each operation is the one command that it takes', async () => {
      await store.set('key', Buffer.from('v'), meta());
      const asked: string[] = [];
      const other = table.intercepted((name, _, send) => {
        asked.push(name);
        return send();
      });
      await other.get('key');
      await other.set('key', Buffer.from('w'), meta());
      await other.set('new', Buffer.from('w'), meta());
      await other.keysByUrl(meta().url);
      await other.delete(['key']);
      await other.delete(['new', '1', '2', '3', '4']);
      expect(asked.join(' ')).to.equal(
        'GetItem PutItem PutItem Query DeleteItem BatchGetItem BatchWriteItem',
      );
    });

    it('may lack the index: then a URL is looked for in all items', async () => {
      await table.make();
      await store.set('key', Buffer.from('v'), meta());
      await store.set('k'.repeat(3000), randomBytes(MB), meta());
      await store.set('other', Buffer.from('v'), meta({ url: 'http://example.org/other' }));
      expect((await store.keysByUrl(meta().url)).sort()).to.deep.equal(['key', 'k'.repeat(3000)].sort());
    });

    it('with another key is refused, with what it should be', async () => {
      await table.make({
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      });
      for (const call of [() => store.get('key'), () => store.set('key', Buffer.from('v'), meta())]) {
        const error = await failure(call);
        expect(scopeOf(error)).to.equal('store');
        expect(String(error)).to.match(/the table's key must be the attribute key, a string, alone/);
      }
    });
  });

  it('never sees what is in tables whose names are alike', async () => {
    const names = ['', '_two', '.two', '-two', '2'].map((suffix) => table.name + suffix);
    const stores = names.map((cacheName) => table.store({ cacheName }));
    try {
      await Promise.all(stores.map((each, n) => each.set('key', Buffer.from(`of ${n}`), meta())));
      await stores[0]?.clear();
      for (const [n, each] of stores.entries()) {
        expect(text(await each.get('key'))).to.equal(n === 0 ? undefined : `of ${n}`);
        expect(await each.count({ now: 0 })).to.equal(n === 0 ? 0 : 1);
      }
    } finally {
      for (const name of names.slice(1)) await table.drop(name);
    }
  });

  describe('what is not of the cache, in the same table,', () => {
    const taken = encodeTextKey('taken');
    const foreign: RawItem[] = [
      { key: { S: 'application' }, url: { S: meta().url }, value: { S: 'theirs' } },
      {
        key: { S: 'a1'.repeat(32) },
        value: { B: Buffer.from('theirs') },
        expires: { N: '1' },
        size: { N: '7' },
      },
      { key: { S: taken }, value: { B: Buffer.from('theirs') }, part: { N: '0' } },
      { key: { S: 'marked otherwise' }, stash: { S: '1' }, size: { N: '7' }, expires: { N: '1' } },
    ];
    const newer = (key: string): RawItem => ({
      key: { S: encodeTextKey(key) },
      stash: { N: '2' },
      generation: { S: 'theirs' },
      value: { B: Buffer.from('newer') },
      expires: { N: '1' },
      size: { N: '7' },
    });

    beforeEach(async () => {
      await store.set('ours', Buffer.from('value'), meta({ expiresAt: 1 }));
      await store.set('large', randomBytes(MB), meta({ expiresAt: 1 }));
      for (const item of [...foreign, newer('newer')]) await table.put(item);
    });

    it('is not listed, counted or found', async () => {
      expect((await allKeys(store)).sort()).to.deep.equal(['large', 'ours']);
      expect(await store.count({ now: 5 })).to.equal(2);
      expect(await store.count({ expired: true, now: 5 })).to.equal(2);
      expect(await store.size()).to.equal(5 + MB);
      expect((await store.keysByUrl(meta().url)).sort()).to.deep.equal(['large', 'ours']);
    });

    it('survives clear(), the removal of expired entries, and deletion by its key', async () => {
      const theirs = ['application', 'taken', 'a1'.repeat(32), 'newer', 'marked otherwise'];
      for (const key of theirs) expect(await store.delete([key]), key).to.equal(0);
      expect(await store.delete([...theirs, 'ours'])).to.equal(1);
      expect(await store.deleteExpired(5)).to.equal(1);
      await store.clear();
      const left = [...foreign, newer('newer')].sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
      expect((await table.items()).map(({ key }) => key)).to.deep.equal(left.map(({ key }) => key));
    });

    it('under a key of ours is neither read nor overwritten: a fault of the entry', async () => {
      for (const size of [5, MB]) {
        for (const [key, call] of [
          ['taken', () => store.set('taken', randomBytes(size), meta())],
          ['taken', () => store.get('taken')],
          ['newer', () => store.set('newer', randomBytes(size), meta())],
        ] as const) {
          const error = await failure(call);
          expect(scopeOf(error), String(error)).to.equal('entry');
          expect(String(error)).to.include(
            `under the key ${encodeTextKey(key)} is an item that is not from this cache`,
          );
        }
      }
      const items = await table.items();
      expect(items.find((item) => keyOf(item) === taken)).to.have.nested.property('part.N', '0');
      expect(items.length).to.equal(5 + 1 + 4);
    });

    it('but of a newer version is missed', async () => {
      expect(await store.get('newer')).to.equal(undefined);
    });
  });

  it('reads consistently when asked to, and otherwise when a first read has found parts missing', async () => {
    await store.set('key', randomBytes(MB), meta());
    const reads: string[] = [];
    const intercept: Intercept = async (name, input, send) => {
      reads.push(`${name} ${isConsistent(input)}`);
      // As of a replica that has not got the parts yet.
      return name === 'BatchGetItem' && !isConsistent(input) ? { Responses: {} } : send();
    };
    expect((await table.intercepted(intercept).get('key'))?.byteLength).to.equal(MB);
    const eventual = ['GetItem false', 'BatchGetItem false'];
    const consistent = ['GetItem true', 'BatchGetItem true'];
    expect(reads.splice(0)).to.deep.equal([...eventual, ...consistent]);
    expect((await table.intercepted(intercept, { consistentRead: true }).get('key'))?.byteLength).to.equal(
      MB,
    );
    expect(reads).to.deep.equal(consistent);
  });
});

function isConsistent({ ConsistentRead, RequestItems }: Input): boolean {
  const [batch] = Object.values(RequestItems ?? {}) as { ConsistentRead?: boolean }[];
  return (ConsistentRead ?? batch?.ConsistentRead) === true;
}
