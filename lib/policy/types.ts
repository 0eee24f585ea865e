import type { HeaderList, ResponseRecord } from '../record/record.js';

/**
 * A length of time as an object; the fields add up. At least one of them, all finite numbers.
 *
 * @example { hours: 1, minutes: 30 }
 */
export interface Duration {
  weeks?: number | undefined;
  days?: number | undefined;
  hours?: number | undefined;
  minutes?: number | undefined;
  seconds?: number | undefined;
  milliseconds?: number | undefined;
}

/** A `Temporal.Duration`, by its `total` method. Years, months and weeks need a reference date: not accepted. */
export interface TemporalDurationLike {
  total(unit: 'milliseconds'): number;
}

/** A `Temporal.Instant` or `Temporal.ZonedDateTime`, by its `epochMilliseconds`. */
export interface TemporalMomentLike {
  readonly epochMilliseconds: number;
}

/** What is taken from Temporal without needing it to be there: durations, and moments. */
export type TemporalLike = TemporalDurationLike | TemporalMomentLike;

/** As an expiry: neither read from the cache nor written to it. `Symbol.for`: the same in the ESM and CommonJS builds. */
export const DO_NOT_CACHE: unique symbol = Symbol.for('axios-stash.DO_NOT_CACHE');

/** As an expiry: the response is fresh for ever. */
export const NEVER_EXPIRE = -1;

/** As an expiry: expired at once, so stored only if it can be revalidated. */
export const EXPIRE_IMMEDIATELY = 0;

/**
 * How long a response may be used without asking the origin.
 *
 * - a number: **seconds**, fractions allowed; `-1` (`NEVER_EXPIRE`): for ever; `0` (`EXPIRE_IMMEDIATELY`): expired at
 *   once, stored only if it can be revalidated; any other negative number: already expired
 * - an object of `weeks`, `days`, `hours`, `minutes`, `seconds`, `milliseconds`; or a `Temporal.Duration`
 * - a moment: a `Date`, `Temporal.Instant` or `Temporal.ZonedDateTime`
 * - `DO_NOT_CACHE`: neither read nor written
 * - `undefined` or `null`: the next level (URL pattern, then adapter) decides
 *
 * @example 3600
 * @example { days: 1, hours: 12 }
 * @example new Date('2030-01-01')
 * @example Temporal.Duration.from({ minutes: 5 })
 */
export type ExpireAfter = number | Duration | Date | TemporalLike | typeof DO_NOT_CACHE | null | undefined;

/**
 * How stale an expired response may be when it is served all the same: `true` without bound, `false` not at all, else
 * seconds or a duration object since it expired.
 *
 * @example true
 * @example 300
 * @example { hours: 1 }
 */
export type StaleLimit = boolean | number | Duration;

/**
 * Expiry by URL: globs (or, in the array form, also regular expressions) in the order in which they are tried; the
 * first that matches decides, `null` hands over to the adapter's own `expireAfter`. See `compileUrlPattern` for what a
 * pattern matches.
 *
 * @example { 'api.site.com/users/': 60, '*.site.com': { days: 1 }, '*': DO_NOT_CACHE }
 * @example [[/\/v\d+\/static\//, -1], ['site.com', 300]]
 */
export type UrlPatterns =
  | Readonly<Record<string, ExpireAfter>>
  | readonly (readonly [pattern: string | RegExp, expireAfter: ExpireAfter])[];

/** The adapter's settings that policy reads. */
export interface PolicySettings {
  /** Whether RFC 9111 decides; else the user's expiry alone. */
  readonly cacheControl: boolean;
  /** With `cacheControl`: a shared cache (s-maxage, private, Authorization, CDN-Cache-Control). */
  readonly shared: boolean;
  /** Status codes that may be stored. Undefined: what RFC 9111 lets be stored with `cacheControl`, else 200. */
  readonly allowableCodes: ReadonlySet<number> | undefined;
  readonly staleIfError: StaleLimit;
  readonly staleWhileRevalidate: StaleLimit;
  readonly alwaysRevalidate: boolean;
  readonly onlyIfCached: boolean;
}

/** A request as policy sees it. What is absent or undefined is as in the settings. */
export interface RequestView {
  /** Upper case. */
  readonly method: string;
  /** By lower-case name. `authorization` has to be in it when credentials are sent by other means (`auth`, the URL). */
  readonly headers: Readonly<Record<string, string>>;
  readonly staleIfError?: StaleLimit | undefined;
  readonly staleWhileRevalidate?: StaleLimit | undefined;
  readonly refresh?: boolean | undefined;
  readonly forceRefresh?: boolean | undefined;
  readonly onlyIfCached?: boolean | undefined;
}

/** What policy reads of a stored response. Header lists are never changed in place: what is parsed from them is kept. */
export type StoredView = Pick<
  ResponseRecord,
  'status' | 'headers' | 'createdAt' | 'requestTime' | 'responseTime' | 'expiresAt'
>;

/** A response just received, complete. Moments in ms since the epoch. */
export interface ReceivedView {
  readonly status: number;
  readonly headers: HeaderList;
  /** When the request was sent. */
  readonly requestTime: number;
  /** When the response came. */
  readonly responseTime: number;
}
