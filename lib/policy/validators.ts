import { type HeaderList, headerValue } from '../record/record.js';

/** What a response can be revalidated with, as received. */
export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

const memo = new WeakMap<HeaderList, Validators>();

/** RFC 9110 5.5: what can be sent back in a request header; Node refuses the rest. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]+$/;

/** ETag and Last-Modified of a header list, found once. */
export function validatorsOf(headers: HeaderList): Validators {
  const known = memo.get(headers);
  if (known !== undefined) return known;
  const validators = { etag: sendable(headers, 'etag'), lastModified: sendable(headers, 'last-modified') };
  memo.set(headers, validators);
  return validators;
}

export function hasValidator(headers: HeaderList): boolean {
  const { etag, lastModified } = validatorsOf(headers);
  return etag !== undefined || lastModified !== undefined;
}

function sendable(headers: HeaderList, name: string): string | undefined {
  const value = headerValue(headers, name)?.trim();
  return value !== undefined && FIELD_VALUE.test(value) ? value : undefined;
}
