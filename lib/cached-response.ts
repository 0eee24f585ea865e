import { inspect } from 'node:util';
import type { AxiosHeaders } from 'axios';
import type { HeaderList, ResponseRecord } from './record/record.js';
import { buildHeaders } from './response/build.js';

/** What is kept of the request, redacted. */
export interface CachedRequest {
  method: string;
  url: string;
  headers: Record<string, string | string[]>;
  data?: string;
}

/** A stored response, to look at. Changing it changes nothing that is stored. */
export class CachedResponse {
  readonly key: string;
  readonly request: CachedRequest;
  readonly status: number;
  readonly statusText: string;
  /** An AxiosHeaders: `headers.get('content-type')`, or by lower-case name as a property. */
  readonly headers: InstanceType<typeof AxiosHeaders>;
  /** The final URL, after redirects. */
  readonly url: string;
  /** The URLs that redirected on the way, in order. */
  readonly redirects: string[];
  readonly createdAt: Date;
  /** Undefined: never. */
  readonly expires: Date | undefined;
  /** Bytes of the body. */
  readonly size: number;
  readonly #body: Uint8Array;
  readonly #clock: () => number;

  constructor(record: ResponseRecord, clock: () => number) {
    this.key = record.key;
    const { method, url, headers, data } = record.request;
    this.request = { method, url, headers: toObject(headers), ...(data === undefined ? {} : { data }) };
    this.status = record.status;
    this.statusText = record.statusText;
    this.headers = buildHeaders(record.headers);
    this.url = record.url;
    this.redirects = [...record.redirects];
    this.createdAt = new Date(record.createdAt);
    this.expires = record.expiresAt === undefined ? undefined : new Date(record.expiresAt);
    this.size = record.body.byteLength;
    this.#body = record.body;
    this.#clock = clock;
  }

  get isExpired(): boolean {
    return this.expires !== undefined && this.expires.getTime() <= this.#clock();
  }

  /** Seconds until it expires, negative once it has; undefined: never. */
  get expiresIn(): number | undefined {
    return this.expires && (this.expires.getTime() - this.#clock()) / 1000;
  }

  /** The body, content-encoding removed; a copy. */
  get data(): Buffer {
    return Buffer.from(this.#body);
  }

  /** The body as UTF-8, byte order mark removed. */
  text(): string {
    const { buffer, byteOffset, byteLength } = this.#body;
    const text = Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }

  /** The body parsed as JSON. Throws `SyntaxError` when it is none. */
  json(): unknown {
    return JSON.parse(this.text());
  }

  toString(): string {
    const until =
      this.expires === undefined
        ? 'never expires'
        : `${this.isExpired ? 'expired' : 'expires'} ${this.expires.toISOString()}`;
    return `<CachedResponse [${this.status}]: ${this.request.method} ${this.request.url}, ${this.size} bytes, created ${this.createdAt.toISOString()}, ${until}>`;
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** What `filter({ invalid: true })` yields for a record that can't be read. */
export interface InvalidEntry {
  key: string;
  invalid: true;
  error: Error;
}

function toObject(headers: HeaderList): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of headers) object[name] = Array.isArray(value) ? [...value] : value;
  return object;
}
