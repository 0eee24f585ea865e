import { randomBytes } from 'node:crypto';
import { decodeTextKey } from '../text-keys.js';

/**
 * The `_id` of a file: the key as text, and one revision of it. Revisions of a key sort by age: a moment (ms since the
 * epoch, 12 hex digits), and a random tail for two writers at the same moment. What follows `/` in the alphabet is `0`,
 * and neither is in what comes before: so the revisions of a key, and their chunks, are a range of text.
 */
const FORM = /^([^/]+)\/([0-9a-f]{12})-[0-9a-f]{8}$/;
const LAST_MOMENT = 16 ** 12 - 1;

/** The key, as text, that a file or a chunk belongs to; undefined for an id that is not ours. */
export function textKeyOf(id: unknown): string | undefined {
  const textKey = typeof id === 'string' ? FORM.exec(id)?.[1] : undefined;
  return textKey !== undefined && decodeTextKey(textKey) !== undefined ? textKey : undefined;
}

export function isRevision(id: unknown): id is string {
  return textKeyOf(id) !== undefined;
}

/** A revision that is newer than `present`, whatever the clock of whoever wrote that. */
export function nextRevision(textKey: string, present: string | undefined, now = Date.now()): string {
  const before = present === undefined ? undefined : FORM.exec(present)?.[2];
  const earliest = before === undefined ? 0 : Number.parseInt(before, 16) + 1;
  const moment = Math.min(Math.max(Math.floor(now), earliest), LAST_MOMENT);
  return `${textKey}/${moment.toString(16).padStart(12, '0')}-${randomBytes(4).toString('hex')}`;
}

/** Matches all revisions of a key. */
export function revisionsOf(textKey: string): { $gt: string; $lt: string } {
  return { $gt: `${textKey}/`, $lt: `${textKey}0` };
}

/** Matches the revisions of its key that are older than this one. */
export function olderThan(id: string): { $gt: string; $lt: string } {
  return { $gt: id.slice(0, id.indexOf('/') + 1), $lt: id };
}
