const DIGEST = /^[0-9a-f]{64}$/;
/** Before what is no digest; it is in no digest, and needs no escape in Redis, MongoDB or DynamoDB. */
const MARK = '~';

/**
 * A key as stores keep it that have text for keys: a digest, which is what keys are, as it is; any other string in
 * base64url of its UTF-16 after a mark, so that it comes back exactly (NUL, lone surrogates) and means nothing to the
 * store (no colon, glob or path character).
 */
export function encodeTextKey(key: string): string {
  return key.length === 64 && DIGEST.test(key)
    ? key
    : MARK + Buffer.from(key, 'utf16le').toString('base64url');
}

/** The key; undefined for text that `encodeTextKey` never makes, that is somebody else's. */
export function decodeTextKey(text: string): string | undefined {
  if (DIGEST.test(text)) return text;
  if (!text.startsWith(MARK)) return undefined;
  const key = Buffer.from(text.slice(MARK.length), 'base64url').toString('utf16le');
  return encodeTextKey(key) === text ? key : undefined;
}
