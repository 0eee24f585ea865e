import { CacheOptionError, CacheStoreError } from '../../errors.js';
import { loadDriver } from '../driver.js';
import { within } from './background.js';
import {
  CLIENT_ALLOWED,
  type Collection,
  collectionOf,
  isClient,
  type MongoClientLike,
  makeClient,
  withoutPassword,
} from './driver.js';

export interface MongoConnectionOptions {
  /**
   * Where the server is, as a MongoDB connection string. A database in its path does not matter.
   * @default 'mongodb://localhost:27017'
   */
  url?: string | undefined;
  /** A `MongoClient` of yours, connected or not, instead of `url`. It is never closed here. */
  client?: MongoClientLike | undefined;
}

/** How long the driver may take to close; ms. */
const CLOSE_LIMIT = 2000;

/** A client, of our own or handed in, that is connected by the first operation. */
export class MongoConnection {
  readonly #client: MongoClientLike;
  readonly #isOwn: boolean;
  #connecting: Promise<unknown> | undefined;
  #isConnected = false;
  #isClosed = false;

  /** `driver`: the arguments of `loadDriver`; without I/O. */
  constructor({ url, client }: MongoConnectionOptions, driver: Parameters<typeof loadDriver>) {
    if (client !== undefined) {
      if (url !== undefined) throw withBoth(url);
      if (!isClient(client)) {
        throw new CacheOptionError('client', client, CLIENT_ALLOWED);
      }
    }
    if (url !== undefined && (typeof url !== 'string' || url === '')) {
      throw new CacheOptionError('url', url, "allowed: a MongoDB connection string, 'mongodb://HOST:PORT'");
    }
    this.#isOwn = client === undefined;
    this.#client = client ?? makeClient(loadDriver(...driver), url ?? 'mongodb://localhost:27017');
  }

  collection(database: string, name: string, options: object = {}): Collection {
    return collectionOf(this.#client, database, name, options);
  }

  /** Resolves when there has been a connection: from then on the driver keeps it, and makes it anew. */
  ready(): Promise<unknown> | undefined {
    if (this.#isConnected) return undefined;
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  /** Bounded: a server that does not answer is not waited for. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#isOwn) await within(CLOSE_LIMIT, this.#client.close(true));
  }

  async #connect(): Promise<void> {
    try {
      // Each time, since after a first attempt that failed the driver makes no other by itself.
      await this.#client.connect();
      this.#isConnected = true;
    } finally {
      this.#connecting = undefined;
    }
    if (!this.#isClosed) return;
    // It got through after all.
    await this.close();
    throw new CacheStoreError('it was closed meanwhile');
  }
}

function withBoth(url: unknown): CacheOptionError {
  const shown = typeof url === 'string' ? withoutPassword(url) : url;
  return new CacheOptionError('url', shown, 'not together with client, which knows where its server is');
}
