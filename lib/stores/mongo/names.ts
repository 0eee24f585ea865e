import { CacheOptionError } from '../../errors.js';

/** What MongoDB takes on every system; on Windows it refuses more. */
const MOST_DATABASE_BYTES = 63;
const MOST_NAMESPACE_BYTES = 255;

/** The database that `cacheName` means, checked. */
export function databaseName(cacheName: unknown): string {
  if (cacheName === undefined) return 'http_cache';
  if (
    !isName(cacheName) ||
    /[/\\. "$]/.test(cacheName) ||
    Buffer.byteLength(cacheName) > MOST_DATABASE_BYTES
  ) {
    const allowed = `the name of a database, 1 to ${MOST_DATABASE_BYTES} bytes without any of / \\ . " $ and spaces`;
    throw new CacheOptionError('cacheName', cacheName, `allowed: ${allowed}`);
  }
  return cacheName;
}

/** The collection, or the bucket whose collections have these `suffixes`, that an option names, checked. */
export function collectionName(
  option: string,
  given: unknown,
  { fallback, database, suffixes = [''] }: { fallback: string; database: string; suffixes?: string[] },
): string {
  if (given === undefined) return fallback;
  const allowed = `allowed: the name of a ${option === 'collection' ? 'collection' : 'bucket'}`;
  if (!isName(given) || /\$|^system\.|^\.|\.\.|\.$/.test(given)) {
    throw new CacheOptionError(
      option,
      given,
      `${allowed}, without $, and no dot at its ends or beside another`,
    );
  }
  const longest = Math.max(...suffixes.map((suffix) => Buffer.byteLength(`${database}.${given}${suffix}`)));
  if (longest > MOST_NAMESPACE_BYTES) {
    throw new CacheOptionError(
      option,
      given,
      `${allowed} that has, with its database, ${MOST_NAMESPACE_BYTES} bytes`,
    );
  }
  return given;
}

function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    !value.includes('\0') &&
    Buffer.from(value).toString() === value
  );
}
