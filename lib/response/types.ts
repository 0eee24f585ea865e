/** What the files of this room have in common. */
import type { HeaderMemo } from './headers.js';

/** Whose manners: those of axios' adapters/http.js or of adapters/fetch.js. */
export type Flavour = 'http' | 'fetch';

/** A body that any number of callers may be given copies of, with what was made of it and of its headers. */
export interface BodySource extends HeaderMemo {
  body: Uint8Array;
  /** `json`: `body` is the JSON text of a value that the inner adapter handed over parsed. */
  bodyType: 'bytes' | 'json';
  /** Memo of the body decoded as UTF-8; shared by the hits on a hot record. */
  text?: string;
  /** True when nobody else holds the bytes: they are handed over as they are. @default false */
  owned?: boolean;
}
