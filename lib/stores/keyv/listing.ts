import { canIterate, isKeyv, type Level, levelsOf, takesMoment } from './like.js';
import {
  isMongoStore,
  isRedisStore,
  isSqliteStore,
  type MongoStore,
  type RedisStore,
  type SqliteStore,
} from './stores.js';

/** Does one call to the store. */
type Step = <T>(work: () => T | PromiseLike<T>) => Promise<T>;
/** What is left of the keys after the prefix, by the page. */
export type Pages = AsyncGenerator<string[], void, undefined>;

const PAGE = 1000;

/**
 * The keys in a Map, Keyv or adapter that begin with a prefix; undefined when it can't be iterated. Where the store is
 * known, by what lies below it: iterators read every value, trip over those of others, take a namespace for a pattern,
 * or skip rows when others go meanwhile.
 */
export function pagesOf(top: unknown, prefix: string, step: Step): Pages | undefined {
  const levels = [...levelsOf(top, prefix)];
  for (const level of levels.toReversed()) {
    const pages = pagesOfKnown(level, step);
    if (pages !== undefined) return pages;
  }
  const level = levels.find(({ store }) => !isKeyv(store));
  return level && canIterate(level.store) ? iterated(level, levels, step) : undefined;
}

function pagesOfKnown({ store, prefix }: Level, step: Step): Pages | undefined {
  if (store instanceof Map) return pagesOfMap(store, prefix, step);
  if (isRedisStore(store)) return pagesOfRedis(store, prefix, step);
  if (isMongoStore(store)) return pagesOfMongo(store, prefix, step);
  if (isSqliteStore(store)) return pagesOfSqlite(store, prefix, step);
  return undefined;
}

async function* pagesOfMap(map: Map<unknown, unknown>, prefix: string, step: Step): Pages {
  yield await step(() => cut([...map.keys()], prefix));
}

async function* pagesOfRedis(store: RedisStore, keyPrefix: string, step: Step): Pages {
  const prefix = store.createKeyPrefix(keyPrefix, store.namespace);
  const MATCH = `${prefix.replace(/[*?[\]\\]/g, '\\$&')}*`;
  const seen = new Set<string>(); // SCAN may tell a key twice
  for (const node of await step(() => store.getMasterNodes())) {
    let cursor = '0';
    do {
      const page = await step(() => node.scan(cursor, { MATCH, COUNT: PAGE }));
      cursor = String(page.cursor);
      yield cut(page.keys, prefix).filter((key) => !seen.has(key) && seen.add(key));
    } while (cursor !== '0');
  }
}

async function* pagesOfMongo(store: MongoStore, prefix: string, step: Step): Pages {
  const { store: collection } = await step(() => store.connect);
  const options = { projection: { _id: 0, key: 1 }, sort: { key: 1 }, limit: PAGE };
  yield* pagesInOrder(prefix, (last, end) =>
    step(() => collection.find({ key: { $gt: last, $lt: end } }, options).toArray()),
  );
}

async function* pagesOfSqlite(store: SqliteStore, prefix: string, step: Step): Pages {
  const sql = `SELECT key FROM ${store.opts.table} WHERE key > ? AND key < ? ORDER BY key LIMIT ${PAGE}`;
  yield* pagesInOrder(prefix, (last, end) => step(() => store.query(sql, [last, end])));
}

/** Each page goes on after the last key of the one before: nothing is skipped, whatever comes and goes meanwhile. */
async function* pagesInOrder(
  prefix: string,
  read: (last: string, end: string) => Promise<{ key?: unknown }[]>,
): Pages {
  // Prefixes end with a colon: the first that does not begin with it has a semicolon there.
  const end = `${prefix.slice(0, -1)};`;
  let last = prefix;
  for (;;) {
    const keys = (await read(last, end)).map(({ key }) => String(key));
    const next = keys.at(-1);
    if (next === undefined) return;
    last = next;
    yield cut(keys, prefix);
  }
}

function cut(keys: readonly unknown[], prefix: string): string[] {
  return keys.flatMap((key) =>
    typeof key === 'string' && key.startsWith(prefix) ? [key.slice(prefix.length)] : [],
  );
}

/** The keys of a store that only has Keyv's iterator. */
async function* iterated({ store, prefix }: Level, levels: readonly Level[], step: Step): Pages {
  if (!canIterate(store)) return;
  // Stores of Keyv 6 know their namespace. Those of 5 want to be told that of the Keyv, or what they put before keys.
  const isTold = !takesMoment(store) && (levels[0]?.store !== store || 'createKeyPrefix' in store);
  // As a key was given to the store, or without the namespace.
  const prefixes = [prefix, ...levels.map((level) => level.prefix)];
  const keys = new Set<string>();
  let known: number;
  do {
    // Again until nothing new comes: where it counts rows, it skips some when others go meanwhile.
    known = keys.size;
    const entries = isTold ? store.iterator(store.namespace) : store.iterator();
    const iterator = entries[Symbol.asyncIterator]();
    for (;;) {
      const next = await step(() => iterator.next());
      if (next.done === true) break;
      const key: unknown = Array.isArray(next.value) ? next.value[0] : next.value;
      const before = prefixes.find((start) => typeof key === 'string' && key.startsWith(start));
      if (before !== undefined) keys.add(String(key).slice(before.length));
    }
  } while (keys.size > known);
  // All before the first is handed out: the offsets shift.
  yield [...keys];
}
