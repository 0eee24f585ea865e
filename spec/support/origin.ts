import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an origin saw of one request, as it came over the wire. */
export interface SeenRequest {
  method: string;
  /** Path and query exactly as sent. */
  url: string;
  headers: IncomingMessage['headers'];
  rawHeaders: string[];
  body: Buffer;
}

export type Handler = (req: SeenRequest, res: ServerResponse, raw: IncomingMessage) => void | Promise<void>;

/** A real HTTP server on loopback that records what it is asked. */
export class Origin {
  readonly requests: SeenRequest[] = [];
  #routes = new Map<string, Handler>();
  #fallback: Handler;
  #server: Server;

  private constructor(fallback: Handler) {
    this.#fallback = fallback;
    this.#server = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const seen: SeenRequest = {
          method: req.method ?? '',
          url: req.url ?? '',
          headers: req.headers,
          rawHeaders: req.rawHeaders,
          body: Buffer.concat(chunks),
        };
        this.requests.push(seen);
        const path = seen.url.split('?')[0] ?? '';
        const handler = this.#routes.get(path) ?? this.#fallback;
        Promise.resolve(handler(seen, res, req)).catch((error: unknown) => {
          if (!res.headersSent) res.writeHead(599);
          res.end(String(error));
        });
      });
      req.on('error', () => {});
    });
  }

  /** Starts on a free port. Without a handler each path answers 200 with JSON `{ n, method, url }`, n counting requests. */
  static async start(fallback?: Handler): Promise<Origin> {
    const origin: Origin = new Origin(
      fallback ??
        ((req, res) => {
          res.setHeader('content-type', 'application/json');
          res.end(JSON.stringify({ n: origin.requests.length, method: req.method, url: req.url }));
        }),
    );
    await new Promise<void>((resolve, reject) => {
      origin.#server.once('error', reject);
      origin.#server.listen(0, '127.0.0.1', resolve);
    });
    return origin;
  }

  /** `http://127.0.0.1:PORT`, no trailing slash. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many requests came. */
  get count(): number {
    return this.requests.length;
  }

  get last(): SeenRequest | undefined {
    return this.requests.at(-1);
  }

  /** Answers `path` (exactly, query apart) with `handler`. */
  on(path: string, handler: Handler): this {
    this.#routes.set(path, handler);
    return this;
  }

  /** Stops at once, cutting open connections. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    await closed;
  }
}

/** A clock that only moves when told; start is a fixed, arbitrary moment unless given. */
export class TestClock {
  #now: number;
  constructor(now = Date.UTC(2026, 0, 15, 12)) {
    this.#now = now;
  }
  /** Pass this as the `clock` option. */
  readonly now = (): number => this.#now;
  /** Moves on by seconds. */
  tick(seconds: number): void {
    this.#now += seconds * 1000;
  }
}
