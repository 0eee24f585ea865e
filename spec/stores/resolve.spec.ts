import KeyvSqlite from '@keyv/sqlite';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import { CacheOptionError } from '../../lib/errors.js';
import { DynamoDBBackend } from '../../lib/stores/dynamodb.js';
import { FileBackend } from '../../lib/stores/file.js';
import { GridFSBackend } from '../../lib/stores/gridfs.js';
import { KeyvBackend } from '../../lib/stores/keyv.js';
import { MemoryBackend } from '../../lib/stores/memory.js';
import { MongoBackend } from '../../lib/stores/mongo.js';
import { RedisBackend } from '../../lib/stores/redis.js';
import { backendOptionNames, resolveBackend } from '../../lib/stores/resolve.js';
import { SQLiteBackend } from '../../lib/stores/sqlite.js';
import { failure } from './contract.js';

class Mine extends MemoryBackend {
  readonly options: unknown;
  constructor(options?: unknown) {
    super();
    this.options = options;
  }
}

const NAMES =
  /allowed: 'sqlite', 'redis', 'mongodb', 'gridfs', 'dynamodb', 'filesystem', 'memory', a backend/;

describe('resolveBackend', () => {
  const memory = new MemoryBackend();
  const rows: [what: string, backend: unknown, Class: new (...args: never[]) => object, owned: boolean][] = [
    ["'sqlite'", 'sqlite', SQLiteBackend, true],
    ["'SQLite'", 'SQLite', SQLiteBackend, true],
    ["'redis'", 'redis', RedisBackend, true],
    ["'Redis'", 'Redis', RedisBackend, true],
    ['RedisBackend', RedisBackend, RedisBackend, true],
    ["'mongodb'", 'mongodb', MongoBackend, true],
    ["'MongoDB'", 'MongoDB', MongoBackend, true],
    ['MongoBackend', MongoBackend, MongoBackend, true],
    ["'gridfs'", 'gridfs', GridFSBackend, true],
    ["'GridFS'", 'GridFS', GridFSBackend, true],
    ['GridFSBackend', GridFSBackend, GridFSBackend, true],
    ["'dynamodb'", 'dynamodb', DynamoDBBackend, true],
    ["'DynamoDB'", 'DynamoDB', DynamoDBBackend, true],
    ['DynamoDBBackend', DynamoDBBackend, DynamoDBBackend, true],
    ["'FileSystem'", 'FileSystem', FileBackend, true],
    ["'MEMORY'", 'MEMORY', MemoryBackend, true],
    ['one of our classes', MemoryBackend, MemoryBackend, true],
    ["a class of the user's", Mine, Mine, true],
    ['an instance', memory, MemoryBackend, false],
    ['a Keyv', new Keyv(), KeyvBackend, false],
    ['a Keyv store adapter', new KeyvSqlite(), KeyvBackend, false],
    ['a Map', new Map(), KeyvBackend, false],
  ];
  for (const [what, backend, Class, owned] of rows) {
    it(`takes ${what}`, () => {
      const resolved = resolveBackend(backend, {});
      expect(resolved.store).to.be.instanceOf(Class);
      expect(resolved.owned).to.equal(owned);
    });
  }

  it('hands an instance back as it is', () => {
    expect(resolveBackend(memory, {}).store).to.equal(memory);
  });

  it('takes any object with the six methods', () => {
    const store = { get() {}, set() {}, delete: () => 0, clear() {}, async *keys() {}, close() {} };
    expect(resolveBackend(store, {})).to.deep.equal({ store, owned: false });
  });

  it('gives a class the options', () => {
    const sqlite = resolveBackend('sqlite', { cacheName: ':memory:' }).store;
    expect(sqlite).to.have.property('path', ':memory:');
    const options = { own: true };
    expect(resolveBackend(Mine, options).store).to.have.property('options', options);
  });

  const wrong: [what: string, backend: unknown, options: object, message: RegExp][] = [
    ['an unknown name', 'sqlight', {}, NAMES],
    ["a name of Object's own", 'constructor', {}, NAMES],
    ['null', null, {}, NAMES],
    ['an empty object', {}, {}, NAMES],
    ['a number', 5, {}, NAMES],
    ['a function that is no class', () => memory, {}, /constructor threw/],
    ['a class whose instances are no stores', Date, {}, /get, set, delete/],
    [
      'an option that the backend does not have',
      'memory',
      { driver: 'keyv' },
      /driver.*memory has no such option/,
    ],
  ];
  for (const [what, backend, options, message] of wrong) {
    it(`refuses ${what}`, async () => {
      const error = await failure(() => resolveBackend(backend, { ...options }));
      expect(error).to.be.instanceOf(CacheOptionError);
      expect(String(error)).to.match(message);
    });
  }
});

describe('backendOptionNames', () => {
  const sqlite = ['driver', 'useTemp', 'useCacheDir', 'busyTimeout'];
  const rows: [what: string, backend: unknown, names: string[] | undefined][] = [
    ["'sqlite'", 'sqlite', sqlite],
    ["'SQLITE'", 'SQLITE', sqlite],
    ['SQLiteBackend', SQLiteBackend, sqlite],
    ["'filesystem'", 'filesystem', ['useTemp', 'useCacheDir']],
    ['FileBackend', FileBackend, ['useTemp', 'useCacheDir']],
    ["'redis'", 'redis', ['namespace', 'url', 'client', 'ttlOffset', 'clientSideCache']],
    ["'mongodb'", 'mongodb', ['url', 'client', 'collection', 'ttlOffset']],
    ["'gridfs'", 'gridfs', ['url', 'client', 'bucketName']],
    [
      'DynamoDBBackend',
      DynamoDBBackend,
      ['region', 'endpoint', 'client', 'createTable', 'consistentRead', 'clientOptions', 'ttlOffset'],
    ],
    ["'memory'", 'memory', []],
    ['an instance', new MemoryBackend(), []],
    ['a Keyv', new Keyv(), []],
    ['a Map', new Map(), []],
    ["a class of the user's", Mine, undefined],
    ['an unknown name', 'sqlight', undefined],
    ['null', null, undefined],
  ];
  for (const [what, backend, names] of rows) {
    it(`of ${what}: ${names === undefined ? 'not known' : names.join(', ') || 'none'}`, () => {
      expect(backendOptionNames(backend)).to.deep.equal(names);
    });
  }
});
