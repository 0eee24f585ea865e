/** Header fields in the order and spelling received; an array for a field that came several times (Set-Cookie). */
export type HeaderList = [name: string, value: string | string[]][];

/** One request header that the response varies on, by digest: the value itself is never stored. */
export type VaryPair = [name: string, digest: string];

/** What is kept of the request, with every secret replaced by `REDACTED`. */
export interface StoredRequest {
  /** Upper case. */
  method: string;
  /** Absolute, without fragment and userinfo, redacted. */
  url: string;
  headers: HeaderList;
  /** The body as text, redacted; absent when there was none, or when it is not text. */
  data?: string;
  /** True when the key hangs on what is not kept here (a binary body, a client certificate): it can't be re-keyed. */
  opaque?: boolean;
}

/** A stored response. All moments are ms since the epoch. */
export interface ResponseRecord {
  kind: 'response';
  /** Under which it is stored; a record met under another key is foreign. */
  key: string;
  request: StoredRequest;
  status: number;
  statusText: string;
  headers: HeaderList;
  /** The final URL, redacted. */
  url: string;
  /** The redacted URLs that answered with a redirect on the way to `url`, in order; empty without redirects. */
  redirects: string[];
  /** First stored. */
  createdAt: number;
  /** When the request left and the response came that stored or last revalidated it (RFC 9111 4.2.3). */
  requestTime: number;
  responseTime: number;
  /** Absent: never expires. */
  expiresAt?: number;
  /** Request headers named by Vary, with the digests of this request's values; empty without Vary. */
  vary: VaryPair[];
  /** Which inner adapter's manners a hit copies where the caller's own adapter does not tell. */
  flavour: 'http' | 'fetch';
  /** `json`: the inner adapter handed over a parsed value (mock adapters do), kept as its JSON text. */
  bodyType: 'bytes' | 'json';
  /** As the inner adapter gave it: content-encoding removed. */
  body: Uint8Array;
}

/** By which a stored response is known to who gets it. */
export type StoredMark = Pick<ResponseRecord, 'key' | 'createdAt' | 'expiresAt'>;

/** Points from a key to the responses that may answer it: the variants of a URL, or where a redirect ended. */
export interface IndexEntry {
  /** Key of a `ResponseRecord`. */
  key: string;
  vary: VaryPair[];
  /** Present when the entry is reached over redirects: the URLs that redirected, in order. */
  redirects?: string[];
  /** With `redirects`: the request that was redirected, by which it can be given another key. */
  request?: StoredRequest;
  /** The variant's ETag, for If-None-Match over all variants (RFC 9111 4.3.1). */
  etag?: string;
  /** When the response came; among several that match, the latest wins (RFC 9111 4.1). */
  storedAt: number;
  expiresAt?: number;
}

export interface IndexRecord {
  kind: 'index';
  key: string;
  /** Redacted, as in the store's meta. */
  url: string;
  createdAt: number;
  entries: IndexEntry[];
}

/** What a key leads to. */
export type StoreRecord = ResponseRecord | IndexRecord;

/** The value of a field by its lower-case name; several are joined as RFC 9110 5.3 says. */
export function headerValue(headers: HeaderList, name: string): string | undefined {
  let found: string | undefined;
  for (const [field, value] of headers) {
    if (field.length !== name.length || field.toLowerCase() !== name) continue;
    const text = typeof value === 'string' ? value : value.join(', ');
    found = found === undefined ? text : `${found}, ${text}`;
  }
  return found;
}
