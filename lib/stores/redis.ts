import { CacheStoreError, messageOf } from '../errors.js';
import { loadDriver } from './driver.js';
import { encodeHeader, type Header, valueStart } from './entry-format.js';
import { lifetimeOf } from './native-expiry.js';
import { Observers } from './observers.js';
import { Operations } from './operations.js';
import { isReply, type RedisArgument } from './redis/client.js';
import type { Connection, ConnectionEvents } from './redis/connection.js';
import { asBuffer, batches, isHeader, RedisEntries, type Seen } from './redis/entries.js';
import { GivenConnection } from './redis/given.js';
import { type RedisOptions, type RedisSettings, redisSettings } from './redis/options.js';
import { OwnConnection } from './redis/own.js';
import { Tracking } from './redis/tracking.js';
import { UrlIndex } from './redis/urls.js';
import type { CountFilter, Store, StoreMeta } from './store.js';
import { encodeKey } from './stored-keys.js';
import { decodeTextKey, encodeTextKey } from './text-keys.js';

export type { RedisClientLike, RedisOptions } from './redis/options.js';
export { REDIS_OPTION_NAMES } from './redis/options.js';

/** What Redis takes for one value, unless it is configured to take less. */
const LARGEST = 512 * 1024 * 1024;

/**
 * Keeps the cache in Redis: one value for each response, under keys that start with the namespace and a colon. Several
 * processes may share it; anything else on the server is left alone. It is connected by the first operation.
 *
 * @example cacheAdapter({ backend: 'redis', namespace: 'my-cache', url: 'redis://cache.example.org:6379' })
 */
export class RedisBackend implements Store {
  /** Before the colon of every key on the server. */
  readonly namespace: string;
  readonly #ttlOffset: number;
  readonly #operations: Operations;
  readonly #observers = new Observers();
  readonly #connection: Connection;
  readonly #entries: RedisEntries;
  readonly #urls: UrlIndex;
  readonly #tracking: Tracking | undefined;
  #closing: Promise<void> | undefined;

  // Only with clientSideCache.
  readonly version?: NonNullable<Store['version']>;
  readonly onChange?: NonNullable<Store['onChange']>;

  constructor(options: RedisOptions = {}) {
    const settings = redisSettings(options);
    this.namespace = settings.namespace;
    this.#ttlOffset = settings.ttlOffset;
    this.#operations = new Operations(settings.serverName);
    const prefix = `${settings.namespace}:`;
    if (settings.tracking) {
      const tracking = new Tracking(prefix);
      this.#tracking = tracking;
      this.version = () => tracking.version();
      this.onChange = (listener) => tracking.onChange(listener);
    }
    this.#connection = this.#connectionTo(settings);
    this.#tracking?.follow(this.#connection);
    this.#entries = new RedisEntries(prefix, this.#connection);
    this.#urls = new UrlIndex(this.#entries, (error) =>
      this.#tell(
        'no index by URL',
        'it runs no scripts for this user; look-ups by URL go through all keys',
        error,
      ),
    );
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#operations.run('read', async () => {
      const name = this.#entries.prefix + encodeTextKey(key);
      try {
        const value = await this.#connection.send(name, ['GET', name]);
        return value === null ? undefined : this.#valueIn(asBuffer(value), key, name);
      } catch (error) {
        throw this.#ofEntry(name, error);
      }
    });
  }

  set(key: string, value: Uint8Array, meta: StoreMeta): Promise<void> {
    return this.#operations.run('write', async () => {
      const lifetime = lifetimeOf(meta.expiresAt, this.#ttlOffset);
      const text = encodeTextKey(key);
      const args: RedisArgument[] = ['SET', this.#entries.prefix + text, this.#encode(key, value, meta)];
      if (lifetime !== undefined) args.push('PX', String(lifetime));
      try {
        if (meta.plain === true) await this.#write(text, args);
        else await this.#writeListed(text, args, meta.url, lifetime);
      } finally {
        this.#tracking?.changed([key]);
      }
    });
  }

  delete(keys: string[]): Promise<number> {
    return this.#operations.run('delete', async () => {
      try {
        let deleted = 0;
        for (const batch of batches([...new Set(keys)])) {
          deleted += await this.#deleteSeen(await this.#entries.see(batch.map(encodeTextKey)));
        }
        return deleted;
      } finally {
        this.#tracking?.changed(keys);
      }
    });
  }

  async clear(): Promise<void> {
    try {
      // The lists first, so that what is written meanwhile, and stays, stays listed.
      for (const isOurs of [UrlIndex.isName, isKey]) {
        for await (const texts of this.#pages('clear', isOurs)) {
          await this.#operations.run('clear', () => this.#entries.unlink(texts));
        }
      }
    } finally {
      this.#tracking?.changed(undefined);
    }
  }

  async *keys(): AsyncGenerator<string, void, undefined> {
    for await (const texts of this.#pages('list', isKey)) {
      for (const text of texts) {
        const key = decodeTextKey(text);
        if (key !== undefined) yield key;
      }
    }
  }

  /** Leaves open a client that was handed in. */
  close(): Promise<void> {
    this.#operations.close();
    this.#tracking?.stop();
    this.#closing ??= this.#connection.close();
    return this.#closing;
  }

  async count({ expired, now }: CountFilter): Promise<number> {
    let found = 0;
    await this.#visit('count', (_text, header) => {
      if (!header.index && (expired === undefined || isExpired(header, now) === expired)) found++;
    });
    return found;
  }

  async size(): Promise<number> {
    let bytes = 0;
    await this.#visit('count', (_text, { size }) => {
      bytes += size;
    });
    return bytes;
  }

  /** What is damaged goes too: nobody can read it. */
  async deleteExpired(now: number): Promise<number> {
    let deleted = 0;
    for await (const texts of this.#pages('delete', isKey)) {
      deleted += await this.#operations.run('delete', async () => {
        const seen = await this.#entries.see(texts);
        const indices: Seen[] = [];
        const responses: Seen[] = [];
        for (const one of seen) {
          const { header } = one;
          if (isHeader(header) ? !isExpired(header, now) : header !== 'damaged') continue;
          (isHeader(header) && header.index ? indices : responses).push(one);
        }
        await this.#deleteSeen(indices);
        return this.#deleteSeen(responses);
      });
    }
    return deleted;
  }

  async keysByUrl(url: string): Promise<string[]> {
    const listed = await this.#operations.run('look up', () => this.#urls.keysOf(url));
    if (!this.#urls.isRefused) return listed;
    const keys: string[] = [];
    await this.#visit('look up', (text, header) => {
      const key = decodeTextKey(text);
      if (header.url === url && key !== undefined) keys.push(key);
    });
    return keys;
  }

  observe(observer: (error: Error, reason: string) => void): () => void {
    return this.#observers.add(observer);
  }

  #connectionTo({ server, tracking }: RedisSettings): Connection {
    const events: ConnectionEvents = {
      connected: () => this.#tracking?.connected(),
      invalidated: (name) => this.#tracking?.invalidated(name),
      failed: (error) => this.#tell('connection lost', 'the connection was lost', error),
    };
    if ('route' in server) return new GivenConnection(server.route, tracking, events);
    return new OwnConnection(loadDriver('redis', '@keyv/redis'), { url: server.url, tracking }, events);
  }

  #tell(reason: string, what: string, error: Error): void {
    const message = `${this.#operations.name}: ${what}: ${messageOf(error)}`;
    this.#observers.tell(new CacheStoreError(message, error), reason);
  }

  #encode(key: string, value: Uint8Array, meta: StoreMeta): Buffer {
    const header = encodeHeader(encodeKey(key), value.byteLength, meta);
    const bytes = header.byteLength + value.byteLength;
    if (bytes <= LARGEST) return Buffer.concat([header, value], bytes);
    throw new CacheStoreError(
      `${this.#operations.name} takes no value of ${bytes} bytes`,
      undefined,
      'entry',
    );
  }

  #valueIn(bytes: Buffer, key: string, name: string): Uint8Array {
    const start = valueStart(bytes, key);
    if (typeof start === 'number') return compact(bytes.subarray(start));
    const what = start === 'damaged' ? 'a damaged entry' : 'what is not from this cache';
    throw new CacheStoreError(`${this.#operations.name} holds ${what} under ${name}`, undefined, 'entry');
  }

  /** Tells what fails because of this entry from what fails because of the server. */
  #ofEntry(name: string, error: unknown): unknown {
    if (!isReply(error) || !/^(WRONGTYPE|OOM) /.test(error.message)) return error;
    return new CacheStoreError(`${this.#operations.name}: ${name}: ${error.message}`, error, 'entry');
  }

  async #write(text: string, args: RedisArgument[]): Promise<void> {
    const name = this.#entries.prefix + text;
    try {
      await this.#connection.send(name, args);
    } catch (error) {
      throw this.#ofEntry(name, error);
    }
  }

  /** Writes an entry, then lists it under its URL, and no longer under that of the entry before. */
  async #writeListed(
    text: string,
    args: RedisArgument[],
    url: string,
    lifetime: number | undefined,
  ): Promise<void> {
    const [before] = await Promise.all([this.#entries.header(text), this.#write(text, args)]);
    try {
      await this.#urls.add(url, text, lifetime);
    } catch (error) {
      // What is not listed would not be found when its URL changes.
      await this.#entries.unlink([text]).catch(() => 0);
      throw this.#ofEntry(text, error);
    }
    if (isHeader(before) && before.url !== url) this.#urls.lookLater(before.url);
  }

  async #deleteSeen(seen: readonly Seen[]): Promise<number> {
    await this.#urls.forget(seen);
    return this.#entries.unlink(seen.map(({ text }) => text));
  }

  async *#pages(what: string, isOurs: (text: string) => boolean): AsyncGenerator<string[], void, undefined> {
    const pages = this.#entries.pages(isOurs);
    for (;;) {
      const page = await this.#operations.run(what, () => pages.next());
      if (page.done === true) return;
      yield page.value;
    }
  }

  /** Calls `visit` with each entry that is ours and whole. */
  async #visit(what: string, visit: (text: string, header: Header) => void): Promise<void> {
    for await (const texts of this.#pages(what, isKey)) {
      const seen = await this.#operations.run(what, () => this.#entries.see(texts));
      for (const { text, header } of seen) if (isHeader(header)) visit(text, header);
    }
  }
}

function isKey(text: string): boolean {
  return decodeTextKey(text) !== undefined;
}

function isExpired({ expiresAt }: Header, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** A small window onto what came from the socket would keep all of that alive: such a value is copied. */
function compact(value: Buffer): Uint8Array {
  return value.buffer.byteLength > 2 * value.byteLength + 16_384 ? Buffer.from(value) : value;
}
