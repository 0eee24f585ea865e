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

/** Whether `new URL` takes the text. A yes of `canParse` is true, and cheap: on a hit this is asked each time. */
export function isUrl(text: string): boolean {
  return URL.canParse(text) || parseUrl(text) !== undefined;
}
