import { type HeaderList, headerValue } from '../record/record.js';

const NONE: string[] = [];

/** The request headers that select the response (RFC 9110 12.5.5): lower case, unique; `*`: no request is like another. */
export function varyNames(headers: HeaderList): '*' | readonly string[] {
  const value = headerValue(headers, 'vary');
  if (value === undefined) return NONE;
  const names = new Set<string>();
  for (const member of value.split(',')) {
    const name = member.trim().toLowerCase();
    if (name === '*') return '*';
    if (name !== '') names.add(name);
  }
  return [...names];
}
