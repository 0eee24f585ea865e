/** The backends that are reached over a network, as a user names them in options, for specs that go for all of them. */
import { randomBytes } from 'node:crypto';
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { MongoClient } from 'mongodb';
import type { CacheOptions } from '../../lib/index.js';
import { findService, type Service } from '../support/services.js';

export interface RemoteKind {
  name: 'redis' | 'mongodb' | 'gridfs' | 'dynamodb';
  /** As in `error` events. */
  store: string;
  service: Service;
  /** For a server at `url`. */
  options(url: string, cacheName: string): CacheOptions & { backend: string };
  /** Removes all of it that `clear()` leaves. */
  drop(url: string, cacheName: string): Promise<void>;
}

async function dropDatabase(url: string, cacheName: string): Promise<void> {
  const client = await new MongoClient(url).connect();
  await client.db(cacheName).dropDatabase();
  await client.close();
}

async function dropTable(endpoint: string, TableName: string): Promise<void> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  await client.send(new DeleteTableCommand({ TableName })).catch(() => {}); // never made
  client.destroy();
}

const [redis, mongodb, dynamodb] = await Promise.all([
  findService('redis'),
  findService('mongodb'),
  findService('dynamodb'),
]);

export const remoteKinds: readonly RemoteKind[] = [
  {
    name: 'redis',
    store: 'RedisBackend',
    service: redis,
    options: (url, cacheName) => ({ backend: 'redis', url, cacheName }),
    async drop() {}, // clear() leaves nothing
  },
  {
    name: 'mongodb',
    store: 'MongoBackend',
    service: mongodb,
    options: (url, cacheName) => ({ backend: 'mongodb', url, cacheName }),
    drop: dropDatabase,
  },
  {
    name: 'gridfs',
    store: 'GridFSBackend',
    service: mongodb,
    options: (url, cacheName) => ({ backend: 'gridfs', url, cacheName }),
    drop: dropDatabase,
  },
  {
    name: 'dynamodb',
    store: 'DynamoDBBackend',
    service: dynamodb,
    options: (endpoint, cacheName) => ({ backend: 'dynamodb', endpoint, cacheName }),
    drop: dropTable,
  },
];

/** A cache that nobody else has on a shared server. */
export function freshCacheName(): string {
  return `stash-${randomBytes(6).toString('hex')}`;
}
