/**
 * The URL, or undefined where there is none to be made of the text.
 *
 * Not `URL.canParse`: on Node 20 and 22, once the calling function is optimised, it says no to every URL with a
 * character between U+0080 and U+00FF. Nor `URL.parse`, which Node 20 has not.
 */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

let lastText: string | undefined;
let lastUrl: URL | undefined;

/**
 * `parseUrl` for reading only: the object is shared. Of a miss several ask for the same URL one after the other: may it
 * have a key, which, and what of it may be stored.
 */
export function sharedUrl(text: string): Readonly<URL> | undefined {
  if (text !== lastText) {
    lastUrl = parseUrl(text);
    lastText = text;
  }
  return lastUrl;
}

/** Whether `new URL` takes the text. */
export function isUrl(text: string): boolean {
  return sharedUrl(text) !== undefined;
}
