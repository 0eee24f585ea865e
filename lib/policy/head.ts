import { type HeaderList, headerValue } from '../record/record.js';

/** What a HEAD says of a stored GET. */
export type HeadEffect = 'updates' | 'outdates' | 'none';

/**
 * What a 200 to HEAD says of the stored response to GET (RFC 9111 4.3.5): where the validators and the length that it
 * brings are those stored, it updates that; where one is another, the stored one is stale. One that brings nothing to
 * compare says nothing: the body may be another one.
 */
export function headEffect(stored: HeaderList, head: HeaderList): HeadEffect {
  let isCompared = false;
  for (const name of ['etag', 'last-modified', 'content-length']) {
    const said = headerValue(head, name);
    if (said === undefined) continue;
    const known = headerValue(stored, name);
    // What is stored may have come in chunks: that it has no length does not make it another.
    if (known === undefined && name === 'content-length') continue;
    if (said !== known) return 'outdates';
    isCompared = true;
  }
  return isCompared ? 'updates' : 'none';
}
