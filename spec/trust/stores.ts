/**
 * Every store that a promise is shown on: how to open it, and all of what lies in it, byte for byte.
 * Those of a server are among them where it is found (spec/support/services.ts); their own specs say when one is missing.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Keyv from 'keyv';
import {
  DynamoDBBackend,
  FileBackend,
  GridFSBackend,
  KeyvBackend,
  MemoryBackend,
  MongoBackend,
  RedisBackend,
  SQLiteBackend,
  type Store,
  type StoreMeta,
} from '../../lib/index.js';
import { drivers, temporaryDirectory } from '../stores/drivers.js';
import { findService } from '../support/services.js';

export interface OpenStore {
  store: Store;
  /** Whatever of it could be read by somebody who gets hold of it: files, freed pages, values as they came. */
  raw(): Promise<Buffer>;
  /** Closes and removes it. */
  remove(): Promise<void>;
}

export interface TrustStore {
  name: string;
  open(): Promise<OpenStore>;
}

/** Whether a text is in there, as it is or in base64 at whatever place of three bytes it begins. */
export function holds(raw: Buffer, text: string): boolean {
  const bytes = Buffer.from(text);
  return [bytes, ...[0, 1, 2].map((shift) => base64Of(bytes, shift))].some((one) => raw.includes(one));
}

/** What all base64 texts have in common that have these bytes in them, after so many others. */
function base64Of(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  return text.slice(shift === 0 ? 0 : shift + 1, -1);
}

/** All files below a directory. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** In a directory of its own, whose files are all there is of it. */
function onDisk(name: string, make: (path: string) => Store): TrustStore {
  return {
    name,
    open: async () => {
      const directory = temporaryDirectory();
      const store = make(directory.path);
      return {
        store,
        raw: async () =>
          Buffer.concat(filesIn(directory.path).flatMap((file) => [Buffer.from(file), readFileSync(file)])),
        remove: async () => {
          await store.close();
          rmSync(directory.path, { recursive: true, force: true });
        },
      };
    },
  };
}

/** Keeps all that a store is told: nothing else can be read out of it, whatever it does with that. */
function toldTo(store: Store): () => Buffer {
  const told: Uint8Array[] = [];
  const set = store.set.bind(store);
  store.set = (key: string, value: Uint8Array, meta: StoreMeta) => {
    told.push(Buffer.from(JSON.stringify([key, meta])), Buffer.from(value));
    return set(key, value, meta);
  };
  return () => Buffer.concat(told);
}

async function valuesOf(store: Store): Promise<Buffer> {
  const found: Uint8Array[] = [];
  for await (const key of store.keys()) {
    const value = await store.get(key);
    if (value !== undefined) found.push(value);
  }
  return Buffer.concat(found);
}

/** Of which only what it was told can be seen from here. */
function outOfSight(
  name: string,
  make: () => Store,
  drop: (store: Store) => Promise<unknown> | unknown,
): TrustStore {
  return {
    name,
    open: async () => {
      const store = make();
      const told = toldTo(store);
      await store.get('0'.repeat(64)); // connections and tables are made by the first operation
      return {
        store,
        raw: async () => told(),
        remove: async () => {
          await drop(store);
          await store.close();
        },
      };
    },
  };
}

const memory = outOfSight(
  'memory',
  () => new MemoryBackend(),
  () => {},
);

const keyv: TrustStore = {
  name: 'Keyv',
  open: async () => {
    const map = new Map<string, unknown>();
    const store = new KeyvBackend(new Keyv({ store: map }));
    return {
      store,
      raw: async () => Buffer.concat([Buffer.from(JSON.stringify([...map])), await valuesOf(store)]),
      remove: () => store.close(),
    };
  },
};

const sqlite = drivers.map((driver) =>
  onDisk(
    `sqlite (${driver})`,
    (path) => new SQLiteBackend({ cacheName: join(path, 'cache.sqlite'), driver }),
  ),
);

const fresh = () => `stash-trust-${randomBytes(8).toString('hex')}`;
const clear = (store: Store) => store.clear();

const redis = await findService('redis');
const mongodb = await findService('mongodb');
const dynamodb = await findService('dynamodb');

const remote: TrustStore[] = [];
if ('url' in redis) {
  const { url } = redis;
  remote.push(outOfSight('redis', () => new RedisBackend({ url, namespace: fresh() }), clear));
}
if ('url' in mongodb) {
  const { url } = mongodb;
  // One database, a collection each: making databases takes some servers their time.
  const cacheName = fresh().replaceAll('-', '_');
  remote.push(
    outOfSight('mongodb', () => new MongoBackend({ url, cacheName, collection: fresh() }), clear),
    outOfSight('gridfs', () => new GridFSBackend({ url, cacheName, bucketName: fresh() }), clear),
  );
}
if ('url' in dynamodb) {
  const clientOptions = { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const options = { endpoint: dynamodb.url, region: 'us-east-1', clientOptions };
  remote.push(outOfSight('dynamodb', () => new DynamoDBBackend({ ...options, cacheName: fresh() }), clear));
}

export const stores: readonly TrustStore[] = [
  memory,
  ...sqlite,
  onDisk('filesystem', (path) => new FileBackend({ cacheName: join(path, 'cache') })),
  keyv,
  ...remote,
];
