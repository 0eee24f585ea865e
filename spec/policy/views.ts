import type { PolicySettings, ReceivedView, RequestView, StoredView } from '../../lib/policy/types.js';
import type { HeaderList } from '../../lib/record/record.js';

/** A whole second, so that Date has no remainder: Thu, 01 Jan 2026 00:00:00 GMT. */
export const T0 = 1_767_225_600_000;
export const SECOND = 1000;

export function at(seconds: number): number {
  return T0 + seconds * SECOND;
}

/** The HTTP-date `seconds` after T0. */
export function httpDate(seconds: number): string {
  return new Date(at(seconds)).toUTCString();
}

export function fields(headers: Record<string, string | string[]>): HeaderList {
  return Object.entries(headers);
}

const PLAIN: PolicySettings = {
  cacheControl: false,
  shared: false,
  allowableCodes: undefined,
  staleIfError: false,
  staleWhileRevalidate: false,
  alwaysRevalidate: false,
  onlyIfCached: false,
};

export function plain(changes: Partial<PolicySettings> = {}): PolicySettings {
  return { ...PLAIN, ...changes };
}

export function rfc(changes: Partial<PolicySettings> = {}): PolicySettings {
  return { ...PLAIN, cacheControl: true, ...changes };
}

export function request(changes: Partial<RequestView> = {}): RequestView {
  return { method: 'GET', headers: {}, ...changes };
}

export function asking(cacheControl: string, changes: Partial<RequestView> = {}): RequestView {
  return request({ ...changes, headers: { 'cache-control': cacheControl } });
}

export function received(headers: Record<string, string | string[]> = {}, status = 200): ReceivedView {
  return { status, headers: fields(headers), requestTime: T0, responseTime: T0 };
}

/** Stored at T0; `expiresIn` seconds later expired, undefined: never. */
export function stored(
  expiresIn: number | undefined,
  headers: Record<string, string | string[]> = {},
): StoredView {
  const view = { status: 200, headers: fields(headers), createdAt: T0, requestTime: T0, responseTime: T0 };
  return expiresIn === undefined ? view : { ...view, expiresAt: at(expiresIn) };
}
