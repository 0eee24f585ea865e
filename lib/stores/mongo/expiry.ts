import { lifetimeOf } from '../native-expiry.js';
import type { CountFilter, StoreMeta } from '../store.js';

/** The farthest moment that a Date holds, ms from the epoch either way; BSON's dates hold more. */
const FARTHEST = 8.64e15;

/** A moment as a date, not before it; undefined: it is too far away to ever come. */
export function dateOf(moment: number | undefined): Date | undefined {
  if (moment === undefined || Number.isNaN(moment) || moment > FARTHEST) return undefined;
  return new Date(Math.ceil(Math.max(moment, -FARTHEST)));
}

/** What both backends keep of an entry's meta; `expires` and `index` only where there is something to keep. */
export function keptMeta({ createdAt, expiresAt, url, index }: StoreMeta): Record<string, unknown> {
  const expires = dateOf(expiresAt);
  return {
    url,
    created: dateOf(createdAt) ?? new Date(FARTHEST),
    ...(expires === undefined ? {} : { expires }),
    ...(index === true ? { index: true } : {}),
  };
}

/** When the server may drop an entry; undefined: never. */
export function dropDate(expiresAt: number | undefined, offset: number, now = Date.now()): Date | undefined {
  const lifetime = lifetimeOf(expiresAt, offset, now);
  return lifetime === undefined ? undefined : dateOf(now + lifetime);
}

/** What `expires` of an expired entry matches. */
export function past(now: number): object {
  return { $lte: new Date(Math.min(Math.max(Math.floor(now), -FARTHEST), FARTHEST)) };
}

/** The conditions of `count`; `prefix`: before the names of the fields. */
export function countFilter({ expired, now }: CountFilter, prefix = ''): object {
  const responses = { [`${prefix}index`]: { $ne: true } };
  if (expired === undefined) return responses;
  return { ...responses, [`${prefix}expires`]: expired ? past(now) : { $not: past(now) } };
}
