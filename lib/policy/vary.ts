import { type HeaderList, headerValue } from '../record/record.js';

const NONE: string[] = [];
/** No origin needs more. Each costs a digest for each variant on every request, and place in the index. */
const MOST_NAMES = 32;

/**
 * The request headers that select the response (RFC 9110 12.5.5): lower case, unique; `*`: no request is like another, or
 * there are too many names to compare.
 */
export function varyNames(headers: HeaderList): '*' | readonly string[] {
  const value = headerValue(headers, 'vary');
  if (value === undefined) return NONE;
  const names = new Set<string>();
  for (const member of value.split(',')) {
    const name = member.trim().toLowerCase();
    if (name === '*') return '*';
    if (name !== '') names.add(name);
  }
  return names.size > MOST_NAMES ? '*' : [...names];
}
