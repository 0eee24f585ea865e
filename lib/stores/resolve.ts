import { CacheError, CacheOptionError } from '../errors.js';
import { hasMethods, isObject } from './checks.js';
import { DYNAMODB_OPTION_NAMES, DynamoDBBackend } from './dynamodb.js';
import { FILE_OPTION_NAMES, FileBackend } from './file.js';
import { GRIDFS_OPTION_NAMES, GridFSBackend } from './gridfs.js';
import { isKeyv, isKeyvLike } from './keyv/like.js';
import { KeyvBackend } from './keyv.js';
import { MemoryBackend } from './memory.js';
import { MONGO_OPTION_NAMES, MongoBackend } from './mongo.js';
import { REDIS_OPTION_NAMES, RedisBackend } from './redis.js';
import { SQLITE_OPTION_NAMES, SQLiteBackend } from './sqlite.js';
import type { Store } from './store.js';

interface BackendEntry {
  readonly Backend: abstract new (options?: never) => Store;
  /** What it takes beside `cacheName`, which every backend takes. */
  readonly optionNames: readonly string[];
}

/** The backends that have a name. */
export const BACKENDS: Readonly<Record<string, BackendEntry>> = {
  sqlite: { Backend: SQLiteBackend, optionNames: SQLITE_OPTION_NAMES },
  redis: { Backend: RedisBackend, optionNames: REDIS_OPTION_NAMES },
  mongodb: { Backend: MongoBackend, optionNames: MONGO_OPTION_NAMES },
  gridfs: { Backend: GridFSBackend, optionNames: GRIDFS_OPTION_NAMES },
  dynamodb: { Backend: DynamoDBBackend, optionNames: DYNAMODB_OPTION_NAMES },
  filesystem: { Backend: FileBackend, optionNames: FILE_OPTION_NAMES },
  memory: { Backend: MemoryBackend, optionNames: [] },
};

const STORE_METHODS = ['get', 'set', 'delete', 'clear', 'keys', 'close'];

/**
 * The option names that go with a `backend` beside `cacheName`: none for an instance. Undefined when that is not ours
 * to say: a class of the user's, or something `resolveBackend` will not take.
 */
export function backendOptionNames(backend: unknown): readonly string[] | undefined {
  const entry = entryOf(backend);
  if (entry !== undefined) return entry.optionNames;
  return isInstance(backend) ? [] : undefined;
}

/**
 * The store that a `backend` option means. `owned`: it was made here, and is closed with the cache; what was handed in
 * is closed by whoever made it.
 */
export function resolveBackend(
  backend: unknown,
  options: Readonly<Record<string, unknown>>,
): { store: Store; owned: boolean } {
  const entry = entryOf(backend);
  if (entry !== undefined) return { store: construct(entry.Backend, options), owned: true };
  if (typeof backend === 'function') return { store: construct(backend, options), owned: true };
  // In this order: a Map has the methods of a store save close(), some adapters of Keyv have them all.
  if (backend instanceof Map || isKeyv(backend)) return { store: new KeyvBackend(backend), owned: false };
  if (isStore(backend)) return { store: backend, owned: false };
  if (isKeyvLike(backend)) return { store: new KeyvBackend(backend), owned: false };
  throw new CacheOptionError(
    'backend',
    withoutSecrets(backend),
    `allowed: ${Object.keys(BACKENDS)
      .map((name) => `'${name}'`)
      .join(', ')}, a backend class or instance, a Keyv, a Keyv store adapter, a Map, or a Store`,
  );
}

/** What may be shown of what was meant to be a backend: the URL or the options of a server have passwords in them. */
function withoutSecrets(backend: unknown): unknown {
  if (typeof backend === 'string') return backend.replace(/(?<=:\/\/).*/s, '***').replace(/.*@/s, '***@');
  return isObject(backend) ? `an object with ${Object.keys(backend).join(', ') || 'nothing'}` : backend;
}

/** The table's line for a name, in any case, or for one of our classes. */
function entryOf(backend: unknown): BackendEntry | undefined {
  if (typeof backend === 'string') {
    const name = backend.toLowerCase();
    return Object.hasOwn(BACKENDS, name) ? BACKENDS[name] : undefined;
  }
  return Object.values(BACKENDS).find(({ Backend }) => Backend === backend);
}

// biome-ignore lint/complexity/noBannedTypes: any function: whether it is a class shows when it is constructed
function construct(Backend: Function, options: Readonly<Record<string, unknown>>): Store {
  const allowed = 'allowed: a class whose instances have get, set, delete, clear, keys and close';
  let made: unknown;
  try {
    made = Reflect.construct(Backend, [options]);
  } catch (error) {
    if (error instanceof CacheError) throw error;
    throw new CacheOptionError('backend', Backend, `its constructor threw: ${String(error)}`, error);
  }
  if (!isStore(made)) throw new CacheOptionError('backend', Backend, allowed);
  return made;
}

function isInstance(backend: unknown): boolean {
  return typeof backend === 'object' && (backend instanceof Map || isStore(backend) || isKeyvLike(backend));
}

function isStore(value: unknown): value is Store {
  return hasMethods(value, STORE_METHODS);
}
