/** What may be kept of a request in clear. */

import { parseUrl } from '../parse-url.js';
import type { HeaderList, StoredRequest } from '../record/record.js';
import { bodyOf } from './body.js';
import { effectiveAuthorization, proxyAuthorization } from './credentials.js';
import { redactBody } from './redact-body.js';
import { redactUrl } from './redact-url.js';
import type { CacheRequest } from './request.js';
import { REDACTED, Secrets } from './secrets.js';

/** Names whose values are never stored in clear, in headers, query and bodies alike; case-insensitive. */
export const DEFAULT_REDACTED: readonly string[] = Object.freeze([
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'x-auth-token',
  'x-api-token',
  'x-access-token',
  'x-csrf-token',
  'x-xsrf-token',
  'access_token',
  'refresh_token',
  'id_token',
  'api_key',
  'apikey',
  'token',
  'client_secret',
  'secret',
  'password',
  'signature',
]);

export interface RedactSettings {
  /** Case-insensitive everywhere. */
  redact: readonly string[];
  /** Redacted too; case-insensitive in headers only. */
  ignoredParameters: readonly string[];
}

export class Redactor {
  readonly #secrets: Secrets;

  constructor(settings: RedactSettings) {
    this.#secrets = new Secrets(settings.redact, settings.ignoredParameters);
  }

  /** Without userinfo and fragment, secret values replaced by `REDACTED`. Never throws, whatever it gets. */
  url(url: string): string {
    return redactUrl(url, this.#secrets);
  }

  /** What of a request may be stored. A body is left out where it can't be told whether it holds a secret. */
  request(request: CacheRequest): StoredRequest {
    const headers = withCredentials(this.headers(Object.entries(request.headers)), request);
    const stored: StoredRequest = { method: request.method, url: this.url(request.url), headers };
    if (request.data === undefined) return stored;
    const body = redactBody(bodyOf(request.data), request.headers['content-type'], this.#secrets);
    if (body === undefined) return stored;
    stored.data = body.text;
    if (body.contentType !== undefined) {
      // The boundary that a form object is written down with; what axios' default said of it was never sent.
      stored.headers = headers.filter(([name]) => name !== 'content-type');
      stored.headers.push(['content-type', body.contentType]);
    }
    return stored;
  }

  headers(headers: HeaderList): HeaderList {
    return headers.map(([name, value]) => {
      const secret = this.#secrets.isHeader(name);
      const redact = (text: string): string => (secret ? REDACTED : this.#headerValue(text));
      return [name, typeof value === 'string' ? redact(value) : value.map(redact)];
    });
  }

  /** Referer and its like carry whole URLs; other values may carry `name=secret`. */
  #headerValue(value: string): string {
    if (WHOLE_URL.test(value)) return this.#urlValue(value);
    return this.#secrets.mayBeIn(value) ? REDACTED : value;
  }

  /** As spelt by the caller unless there is something to hide: `matchHeaders` compares the spelling. */
  #urlValue(value: string): string {
    const redacted = this.url(value);
    return parseUrl(value)?.href === redacted ? value : redacted;
  }
}

/**
 * Credentials that were given beside the headers leave a redacted header: what is stored must not look like a request
 * that had none, or recreateKeys() would make it everybody's.
 */
function withCredentials(headers: HeaderList, request: CacheRequest): HeaderList {
  let shown = headers;
  const show = (field: string): void => {
    shown = [...shown.filter(([name]) => name !== field), [field, REDACTED]];
  };
  if (effectiveAuthorization(request) !== request.headers.authorization) show('authorization');
  if (proxyAuthorization(request.config) !== undefined) show('proxy-authorization');
  return shown;
}

const WHOLE_URL = /^\s*(?:https?:)?\/\/?[^\s]*\s*$/i;
