import { isUint8Array } from 'node:util/types';
import { CacheOptionError } from '../errors.js';

const ENCRYPTION_KEY_BYTES = 32;

/** One secret or several as a list, the first of which signs; `undefined` where the option is not given. */
export function assertSecretKey(
  option: string,
  value: unknown,
): readonly (string | Uint8Array)[] | undefined {
  const allowed = 'allowed: a non-empty string or Buffer, or an array of them';
  return value === undefined ? undefined : keyList(option, value, allowed, isSecretKey);
}

/** One key or several as a list, the first of which encrypts; `undefined` where the option is not given. */
export function assertEncryptionKey(option: string, value: unknown): readonly Uint8Array[] | undefined {
  const allowed = `allowed: a Buffer of ${ENCRYPTION_KEY_BYTES} bytes, or an array of them`;
  return value === undefined ? undefined : keyList(option, value, allowed, isEncryptionKey);
}

function isSecretKey(value: unknown): value is string | Uint8Array {
  return (typeof value === 'string' || isUint8Array(value)) && value.length > 0;
}

function isEncryptionKey(value: unknown): value is Uint8Array {
  return isUint8Array(value) && value.length === ENCRYPTION_KEY_BYTES;
}

function keyList<K extends string | Uint8Array>(
  option: string,
  value: unknown,
  allowed: string,
  isKey: (item: unknown) => item is K,
): K[] {
  if (!Array.isArray(value)) return [asKey(option, value, allowed, isKey)];
  if (value.length === 0) throw new CacheOptionError(option, value, allowed);
  return Array.from(value, (item: unknown, at) => asKey(`${option}[${at}]`, item, allowed, isKey));
}

function asKey<K>(option: string, value: unknown, allowed: string, isKey: (item: unknown) => item is K): K {
  if (isKey(value)) return value;
  throw new CacheOptionError(option, withoutSecrets(value), allowed);
}

/** What may be shown of a value that was meant to be a key: an error ends up in logs. */
function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  if (isUint8Array(value)) return `a Buffer of ${value.length} bytes`;
  return typeof value === 'object' && value !== null ? 'an object' : value;
}
