import { type HeaderList, headerValue } from '../record/record.js';
import { isUnsafe } from './invalidation.js';
import { parseList } from './structured.js';

const NONE: readonly string[] = [];
const memo = new WeakMap<HeaderList, readonly string[]>();

/** The groups that a response belongs to (RFC 9875 2), found once for a header list. */
export function cacheGroups(headers: HeaderList): readonly string[] {
  const known = memo.get(headers);
  if (known !== undefined) return known;
  const groups = strings(headerValue(headers, 'cache-groups'));
  memo.set(headers, groups);
  return groups;
}

/** The groups whose stored responses the answer to an unsafe request made outdated (RFC 9875 3); none after an error. */
export function invalidatedGroups(method: string, status: number, headers: HeaderList): readonly string[] {
  if (!isUnsafe(method) || status < 200 || status > 399) return NONE;
  return strings(headerValue(headers, 'cache-group-invalidation'));
}

/** A list of strings; a field that is anything else says nothing. */
function strings(value: string | undefined): readonly string[] {
  const members = parseList(value);
  if (members === undefined) return NONE;
  const found: string[] = [];
  for (const member of members) {
    if (member.type !== 'string') return NONE;
    found.push(member.value);
  }
  return found;
}
