/** The suite speaks fetch: the little of it that it uses, over any HTTP client. */

/** One request of an HTTP client with a cache, redirects followed or not, every status an answer. */
export type Client = (request: ClientRequest) => Promise<ClientResponse>;

export interface ClientRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
  followsRedirects: boolean;
}

export interface ClientResponse {
  status: number;
  statusText: string;
  headers: Record<string, unknown>;
  body: string;
}

/** What the suite gives to fetch. */
interface Init {
  method?: string;
  headers?: [string, string][];
  body?: string;
  redirect?: string;
  cache?: string;
}

export type SuiteFetch = (url: string, init?: Init) => Promise<Response>;

/** What the suite takes of a response; not the class, which refuses what the suite sends: status 999, a body with 304. */
type Response = Pick<globalThis.Response, 'status' | 'statusText' | 'headers' | 'text'>;

export function fetchOver(client: Client): SuiteFetch {
  return async (url, init = {}) => {
    const answer = client({
      method: init.method ?? 'GET',
      url,
      headers: requestHeaders(init),
      body: init.body,
      followsRedirects: init.redirect !== 'manual',
    });
    const { status, statusText, headers, body } = await within(PATIENCE, answer);
    return { status, statusText, headers: responseHeaders(headers), text: async () => body };
  };
}

/** A cache that never answers fails the one test, and does not hold up the others. */
const PATIENCE = 15_000;

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Repeated ones joined, as fetch does; `cache: 'no-cache'` says to a cache on the way what a browser's own is told. */
function requestHeaders({ headers, cache }: Init): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of headers ?? [])
    joined[name] = name in joined ? `${joined[name]}, ${value}` : value;
  // Fetch, HTTP-network-or-cache fetch, step 8.17. (`no-store`, the suite's default, is meant for the browser alone.)
  if (cache === 'no-cache') joined['Cache-Control'] ??= 'max-age=0';
  return joined;
}

function responseHeaders(headers: Record<string, unknown>): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) all.append(name, String(one));
  }
  return all;
}
