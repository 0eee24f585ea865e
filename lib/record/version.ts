import { CacheRecordError } from '../errors.js';

/** Of everything a record's bytes are made of: envelope, binary fields, JSON members. */
export const FORMAT_VERSION = 1;

/** A record of another version is missed, not guessed at. */
export function checkVersion(version: number): void {
  if (version === FORMAT_VERSION) return;
  if (version < FORMAT_VERSION) throw new CacheRecordError(`The record has the unknown format ${version}`);
  const message = `The record has format ${version}, newer than this version of axios-stash knows (${FORMAT_VERSION})`;
  throw new CacheRecordError(message, undefined, true);
}
