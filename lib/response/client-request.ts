/** What users read from the http adapter's `response.request`, of a request that was never made. */
import { STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import { type InspectOptions, inspect } from 'node:util';
import { parseUrl } from '../parse-url.js';
import type { HeaderList } from '../record/record.js';
import { headerList } from './headers.js';

/** What is known of the request that the stored response answered. */
export interface RequestInfo {
  /** Upper case. */
  method: string;
  /** The URL asked for. */
  url: string;
  /** The URL that answered, after redirects. */
  finalUrl: string;
  /** The URLs that redirected, in order. */
  redirects: readonly string[];
  status: number;
  /** @default the status's standard text */
  statusText?: string;
  /** The response's. */
  headers: HeaderList;
  /** The caller's request headers, as in `config.headers`; read only when somebody asks. */
  requestHeaders?: unknown;
}

/** An emitter all of whose events are over. */
class Spent {
  on(): this {
    return this;
  }
  once(): this {
    return this;
  }
  off(): this {
    return this;
  }
  addListener(): this {
    return this;
  }
  removeListener(): this {
    return this;
  }
  removeAllListeners(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  destroy(): this {
    return this;
  }
  emit(): boolean {
    return false;
  }
  listenerCount(): number {
    return 0;
  }
}

/**
 * Named as what it stands for, so that logs and `constructor.name` read as ever. All is on the prototype and computed
 * when asked for: a hit allocates two fields. The names are Node's http.ClientRequest's.
 */
export class ClientRequest extends Spent {
  readonly #info: RequestInfo;
  #parts: Parts | undefined;

  constructor(info: RequestInfo) {
    super();
    this.#info = info;
  }

  get #known(): Parts {
    this.#parts ??= new Parts(this.#info, this);
    return this.#parts;
  }

  get method(): string {
    return this.#info.method;
  }
  get path(): string {
    return this.#known.path;
  }
  get host(): string {
    return this.#known.host;
  }
  get protocol(): string {
    return this.#known.protocol;
  }
  get res(): IncomingMessage {
    return this.#known.res;
  }
  get socket(): Socket {
    return this.#known.socket;
  }
  get connection(): Socket {
    return this.#known.socket;
  }
  get finished(): boolean {
    return true;
  }
  get writableEnded(): boolean {
    return true;
  }
  get writableFinished(): boolean {
    return true;
  }
  get headersSent(): boolean {
    return true;
  }
  get destroyed(): boolean {
    return true;
  }
  get aborted(): boolean {
    return false;
  }
  get reusedSocket(): boolean {
    return false;
  }
  get maxHeadersCount(): null {
    return null;
  }

  /** What follow-redirects leaves on a request; widely read for the final URL. */
  get _redirectable(): {
    _currentUrl: string;
    _redirectCount: number;
    _redirects: unknown[];
    _isRedirect: boolean;
  } {
    const { finalUrl, redirects } = this.#info;
    const _redirectCount = redirects.length;
    return { _currentUrl: finalUrl, _redirectCount, _redirects: [], _isRedirect: _redirectCount > 0 };
  }

  abort(): void {}
  end(): this {
    return this;
  }
  setNoDelay(): void {}
  setSocketKeepAlive(): void {}

  getHeader(name: string): string | string[] | undefined {
    return this.#known.requestHeaders.get(name.toLowerCase())?.[1];
  }
  hasHeader(name: string): boolean {
    return this.#known.requestHeaders.has(name.toLowerCase());
  }
  getHeaderNames(): string[] {
    return [...this.#known.requestHeaders.keys()];
  }
  getRawHeaderNames(): string[] {
    return [...this.#known.requestHeaders.values()].map(([name]) => name);
  }
  getHeaders(): Record<string, string | string[]> {
    const headers: Record<string, string | string[]> = Object.create(null);
    for (const [name, [, value]] of this.#known.requestHeaders) headers[name] = value;
    return headers;
  }

  toJSON(): object {
    const { method, protocol, host, path } = this;
    return { method, protocol, host, path };
  }
  [inspect.custom](depth: number, options: InspectOptions): string {
    return `ClientRequest ${depth < 0 ? '{…}' : inspect({ ...this.toJSON(), res: this.res }, options)}`;
  }
}

/** What a stand-in computes once somebody reads it. */
class Parts {
  path = '/';
  host = '';
  protocol = 'http:';
  /** By lower-case name: spelling and value. */
  readonly requestHeaders = new Map<string, [name: string, value: string | string[]]>();
  readonly res: IncomingMessage;
  #socket: Socket | undefined;

  constructor(info: RequestInfo, request: ClientRequest) {
    this.res = new IncomingMessage(info, request);
    for (const [name, value] of headerList(info.requestHeaders)) {
      this.requestHeaders.set(name.toLowerCase(), [name, value]);
    }
    const url = parseUrl(info.finalUrl);
    if (url === undefined) return;
    this.path = url.pathname + url.search;
    this.host = url.hostname.replace(BRACKETS, '');
    this.protocol = url.protocol;
    if (!this.requestHeaders.has('host')) this.requestHeaders.set('host', ['Host', url.host]);
  }

  /** Connected to nothing: `remoteAddress` and the like are undefined. */
  get socket(): Socket {
    this.#socket ??= new Socket().destroy();
    return this.#socket;
  }
}

/** http.js takes them off an IPv6 host. */
const BRACKETS = /^\[|\]$/g;

/** What users read from `response.request.res`; the names are those of Node's http.IncomingMessage. */
class IncomingMessage extends Spent {
  readonly #info: RequestInfo;
  readonly #request: ClientRequest;
  #headers: Record<string, string | string[]> | undefined;

  constructor(info: RequestInfo, request: ClientRequest) {
    super();
    this.#info = info;
    this.#request = request;
  }

  /** Set by follow-redirects. */
  get responseUrl(): string {
    return this.#info.finalUrl;
  }
  /** follow-redirects fills it only with its `trackRedirects`, which axios does not set. */
  get redirects(): unknown[] {
    return [];
  }
  get statusCode(): number {
    return this.#info.status;
  }
  get statusMessage(): string {
    return this.#info.statusText ?? STATUS_CODES[this.#info.status] ?? '';
  }
  get headers(): Record<string, string | string[]> {
    this.#headers ??= lowerCased(this.#info.headers);
    return this.#headers;
  }
  get rawHeaders(): string[] {
    return this.#info.headers.flatMap(([name, value]) => [value].flat().flatMap((each) => [name, each]));
  }
  get trailers(): Record<string, string> {
    return {};
  }
  get rawTrailers(): string[] {
    return [];
  }
  get req(): ClientRequest {
    return this.#request;
  }
  get socket(): Socket {
    return this.#request.socket;
  }
  get connection(): Socket {
    return this.#request.socket;
  }
  get httpVersion(): string {
    return '1.1';
  }
  get httpVersionMajor(): number {
    return 1;
  }
  get httpVersionMinor(): number {
    return 1;
  }
  get complete(): boolean {
    return true;
  }
  get aborted(): boolean {
    return false;
  }
  get destroyed(): boolean {
    return true;
  }
  get readableEnded(): boolean {
    return true;
  }
  get upgrade(): boolean {
    return false;
  }
  get url(): string {
    return '';
  }
  get method(): null {
    return null;
  }

  toJSON(): object {
    const { statusCode, statusMessage, responseUrl, headers } = this;
    return { statusCode, statusMessage, responseUrl, headers };
  }
  [inspect.custom](depth: number, options: InspectOptions): string {
    return `IncomingMessage ${depth < 0 ? '{…}' : inspect(this.toJSON(), options)}`;
  }
}

function lowerCased(list: HeaderList): Record<string, string | string[]> {
  return Object.fromEntries(
    list.map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? [...value] : value]),
  );
}
