import { types } from 'node:util';
import { CacheOptionError } from '../errors.js';
import {
  DO_NOT_CACHE,
  type Duration,
  type ExpireAfter,
  NEVER_EXPIRE,
  type StaleLimit,
  type TemporalDurationLike,
  type TemporalLike,
  type TemporalMomentLike,
} from './types.js';

const EXPIRE_AFTER_ALLOWED =
  'allowed: seconds (a finite number; -1 never, 0 at once), { weeks, days, hours, minutes, seconds, milliseconds }, ' +
  'a valid Date, a Temporal duration or instant, DO_NOT_CACHE, or null/undefined for the next level';
const STALE_LIMIT_ALLOWED =
  'allowed: true, false, seconds (a finite number, 0 or more), or { weeks, days, hours, minutes, seconds, milliseconds }';

/** The last moment that a Date can hold (ECMA-262 21.4.1.1). */
const MAX_MOMENT = 8.64e15;

const UNIT_MS: Readonly<Record<keyof Duration, number>> = {
  weeks: 604_800_000,
  days: 86_400_000,
  hours: 3_600_000,
  minutes: 60_000,
  seconds: 1000,
  milliseconds: 1,
};

/** Throws `CacheOptionError` unless `value` is an expiry; `null` and `undefined` are. */
export function assertExpireAfter(option: string, value: unknown): asserts value is ExpireAfter {
  if (value === undefined || value === null || value === DO_NOT_CACHE) return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (types.isDate(value)) {
    if (!Number.isNaN(value.getTime())) return;
  } else if (isTemporalMoment(value)) {
    if (Number.isFinite(value.epochMilliseconds)) return;
  } else if (isTemporalDuration(value)) {
    return assertTotal(option, value);
  } else if (isDuration(value)) {
    return;
  }
  throw new CacheOptionError(option, value, EXPIRE_AFTER_ALLOWED);
}

/** Throws `CacheOptionError` unless `value` is a boolean or a length of time that is not negative. */
export function assertStaleLimit(option: string, value: unknown): asserts value is StaleLimit {
  if (typeof value === 'boolean') return;
  if (
    typeof value === 'number'
      ? Number.isFinite(value) && value >= 0
      : isDuration(value) && durationMs(value) >= 0
  ) {
    return;
  }
  throw new CacheOptionError(option, value, STALE_LIMIT_ALLOWED);
}

/** Milliseconds; numbers are seconds. */
export function durationMs(value: number | Duration | TemporalDurationLike): number {
  if (typeof value === 'number') return value * 1000;
  if (isTemporalDuration(value)) return value.total('milliseconds');
  let total = 0;
  for (const [unit, amount] of Object.entries(value)) {
    if (isUnit(unit) && typeof amount === 'number') total += amount * UNIT_MS[unit];
  }
  return total;
}

/** The moment from which on the response is expired, ms since the epoch; undefined: never. */
export function expiryMoment(
  expireAfter: Exclude<ExpireAfter, typeof DO_NOT_CACHE | null | undefined>,
  now: number,
): number | undefined {
  if (expireAfter === NEVER_EXPIRE) return undefined;
  const moment = momentOf(expireAfter, now);
  // Beyond what a Date can hold is as good as never; so far in the past is as good as expired.
  if (moment > MAX_MOMENT) return undefined;
  return Math.max(-MAX_MOMENT, Math.round(moment));
}

/** How stale a response may be under a limit: ms; 0 for `false`, Infinity for `true`. */
export function staleLimitMs(limit: StaleLimit): number {
  if (typeof limit === 'boolean') return limit ? Number.POSITIVE_INFINITY : 0;
  return durationMs(limit);
}

function momentOf(expireAfter: number | Duration | Date | TemporalLike, now: number): number {
  if (types.isDate(expireAfter)) return expireAfter.getTime();
  if (isTemporalMoment(expireAfter)) return expireAfter.epochMilliseconds;
  return now + durationMs(expireAfter);
}

function isTemporalDuration(value: unknown): value is TemporalDurationLike {
  return isObject(value) && 'total' in value && typeof value.total === 'function';
}

function isTemporalMoment(value: unknown): value is TemporalMomentLike {
  return isObject(value) && 'epochMilliseconds' in value && typeof value.epochMilliseconds === 'number';
}

export function isDuration(value: unknown): value is Duration {
  if (!isObject(value) || Array.isArray(value)) return false;
  // axios' mergeConfig may leave fields that are undefined behind: as good as absent.
  const given = Object.entries(value).filter(([, amount]) => amount !== undefined);
  return given.length > 0 && given.every(([unit, amount]) => isUnit(unit) && Number.isFinite(amount));
}

function assertTotal(option: string, value: TemporalDurationLike): void {
  let total: unknown;
  try {
    total = value.total('milliseconds');
  } catch (error) {
    throw new CacheOptionError(
      option,
      value,
      'a Temporal duration of years, months or weeks has no fixed length: give days or smaller units',
      error,
    );
  }
  if (!Number.isFinite(total)) throw new CacheOptionError(option, value, EXPIRE_AFTER_ALLOWED);
}

function isUnit(name: string): name is keyof Duration {
  return Object.hasOwn(UNIT_MS, name);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
