/** What the specs of GridFSBackend look at and interfere with. */
import type { Document } from 'mongodb';
import { textKeyOf } from '../../lib/stores/gridfs/revisions.js';
import type { MongoClientLike } from '../../lib/stores/mongo/driver.js';
import type { Lab } from './mongo-support.js';

/** All that is in a bucket. */
export async function contents(lab: Lab, database: string, bucket = 'http_cache') {
  return {
    files: await lab.documents(database, `${bucket}.files`),
    chunks: await lab.documents(database, `${bucket}.chunks`),
  };
}

/** What should not be in a bucket when nothing is under way: one line each. */
export async function leftovers(lab: Lab, database: string, bucket = 'http_cache'): Promise<string[]> {
  const { files, chunks } = await contents(lab, database, bucket);
  const said: string[] = [];
  const lengths = new Map<unknown, number>();
  for (const { files_id, data } of chunks) {
    lengths.set(files_id, (lengths.get(files_id) ?? 0) + data.length());
    if (!files.some(({ _id }) => _id === files_id)) said.push(`chunk without a file: ${files_id}`);
  }
  const keys = new Set<unknown>();
  for (const { _id, length, metadata } of files) {
    if ((lengths.get(_id) ?? 0) !== length) said.push(`file without all chunks: ${_id}`);
    if (metadata?.stash !== 1) said.push(`no entry: ${_id}`);
    if (keys.has(textKeyOf(_id))) said.push(`a second revision: ${_id}`);
    keys.add(textKeyOf(_id));
  }
  return said;
}

/** Called before a command is sent, and waited for. */
export type Intercept = (method: string, collection: string, args: readonly unknown[]) => unknown;

/** A client on whose way to the server somebody may do something else first. */
export function intercepted(client: MongoClientLike, intercept: Intercept): MongoClientLike {
  return {
    connect: () => client.connect(),
    close: () => client.close(),
    db: (name) => ({
      collection: (collectionName: string, options: Document) => {
        const database: { collection?: unknown } = client.db(name);
        if (typeof database.collection !== 'function') throw new TypeError('no database');
        return wrapped(database.collection(collectionName, options), collectionName, intercept);
      },
    }),
  };
}

function wrapped(collection: object, name: string, intercept: Intercept): object {
  return new Proxy(collection, {
    get(target, property) {
      const method: unknown = Reflect.get(target, property);
      if (typeof method !== 'function') return method;
      const call = (args: unknown[]): unknown => Reflect.apply(method, target, args);
      const before = (args: unknown[]) => intercept(String(property), name, args);
      if (property === 'find' || property === 'aggregate') {
        return (...args: unknown[]) => ({
          toArray: async () => {
            await before(args);
            return (call(args) as { toArray(): Promise<unknown[]> }).toArray();
          },
        });
      }
      return async (...args: unknown[]) => {
        await before(args);
        return call(args);
      };
    },
  });
}
