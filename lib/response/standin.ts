/** `response.request` of a hit: what users read from it, without a request having been made. */
import { ClientRequest, type RequestInfo } from './client-request.js';
import { headerList } from './headers.js';
import type { Flavour } from './types.js';

export type { RequestInfo } from './client-request.js';

/**
 * http: a light object with what people read from a finished ClientRequest. fetch: a real Request; making one takes
 * some microseconds, so `attachRequest` puts it off until it is read. Never throws.
 */
export function requestStandIn(info: RequestInfo, flavour: Flavour): object {
  return flavour === 'http' ? new ClientRequest(info) : fetchRequest(info);
}

/** Sets `response.request` to the stand-in, which for fetch is made when first read. */
export function attachRequest(response: { request?: unknown }, info: RequestInfo, flavour: Flavour): void {
  if (flavour === 'http') {
    response.request = new ClientRequest(info);
    return;
  }
  let made: unknown;
  Object.defineProperty(response, 'request', {
    configurable: true,
    enumerable: true,
    get() {
      made ??= fetchRequest(info);
      return made;
    },
    set(value: unknown) {
      made = value;
    },
  });
}

function fetchRequest(info: RequestInfo): object {
  try {
    const headers: [string, string][] = headerList(info.requestHeaders).map(([name, value]) => [
      name,
      String(value),
    ]);
    return new Request(info.url, { method: info.method, headers });
  } catch {
    return new ClientRequest(info); // userinfo, or a value, that Request does not take
  }
}
