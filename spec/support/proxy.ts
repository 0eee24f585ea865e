/** A TCP proxy in front of a server: what goes wrong between the two, on demand. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts } from '../../services/ports.mjs';

/**
 * - `pass`: nothing is wrong.
 * - `refuse`: connections are destroyed, and new ones refused.
 * - `hang`: connections are accepted and nothing gets through, neither way; what is held does when that ends.
 * - `delay`: each chunk gets through that many milliseconds after it came.
 */
export type ProxyMode = 'pass' | 'refuse' | 'hang' | { delay: number };

/**
 * In front of a URL, or of a port of 127.0.0.1; passes at first. Not for Redis clusters: their nodes tell clients their
 * own addresses.
 */
export async function startProxy(target: string | number): Promise<TcpProxy> {
  const [port = 0] = await freePorts(1);
  const proxy = new TcpProxy(target, port);
  await proxy.listening();
  return proxy;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'redis:': 6379, 'mongodb:': 27017, 'http:': 80 };

export class TcpProxy {
  readonly port: number;
  /** The target's, with our address; `tcp://127.0.0.1:PORT` if the target is a port. */
  readonly url: string;
  #target: { host: string; port: number };
  #mode: ProxyMode = 'pass';
  #server: Server | undefined;
  #connections = new Set<Connection>();

  constructor(target: string | number, port: number) {
    const url = new URL(typeof target === 'number' ? `tcp://127.0.0.1:${target}` : target);
    this.#target = { host: url.hostname, port: Number(url.port) || (DEFAULT_PORTS[url.protocol] ?? 0) };
    url.hostname = '127.0.0.1';
    url.port = `${port}`;
    this.url = url.href;
    this.port = port;
    this.#listen();
  }

  get mode(): ProxyMode {
    return this.#mode;
  }

  /** Holds at once for all connections, those that are open too. */
  set mode(mode: ProxyMode) {
    this.#mode = mode;
    if (mode === 'refuse') {
      this.#unlisten();
      this.cut();
    } else {
      this.#listen();
      for (const connection of this.#connections) connection.flush();
    }
  }

  /** Live connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Resolves when it accepts connections: one tick after it was told to. */
  async listening(): Promise<void> {
    if (this.#server !== undefined && !this.#server.listening) await once(this.#server, 'listening');
  }

  /** Destroys live connections; new ones are accepted as before. */
  cut(): void {
    for (const connection of this.#connections) connection.destroy();
    this.#connections.clear();
  }

  async close(): Promise<void> {
    const server = this.#server;
    const closed = server?.listening ? once(server, 'close') : undefined;
    this.mode = 'refuse';
    await closed;
  }

  #listen(): void {
    // A new one each time: the old one may still be waiting for its connections to end.
    this.#server ??= createServer({ allowHalfOpen: true }, (client) => this.#accept(client)).listen(
      this.port,
      '127.0.0.1',
    );
  }

  #unlisten(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  #accept(client: Socket): void {
    const server = connect({ ...this.#target, allowHalfOpen: true });
    const connection = new Connection(client, server, () => this.#delay());
    this.#connections.add(connection);
    connection.closed.then(() => this.#connections.delete(connection));
  }

  #delay(): number {
    if (typeof this.#mode === 'object') return this.#mode.delay;
    return this.#mode === 'hang' ? Number.POSITIVE_INFINITY : 0;
  }
}

class Connection {
  readonly closed: Promise<unknown>;
  #sockets: readonly Socket[];
  #lanes: readonly Lane[];

  constructor(client: Socket, server: Socket, delay: () => number) {
    this.#sockets = [client, server];
    for (const socket of this.#sockets) socket.setNoDelay().on('error', () => {}); // `close` tells the other side
    this.#lanes = [new Lane(client, server, delay), new Lane(server, client, delay)];
    this.closed = Promise.all(this.#sockets.map((socket) => once(socket, 'close')));
  }

  flush(): void {
    for (const lane of this.#lanes) lane.flush();
  }

  destroy(): void {
    for (const lane of this.#lanes) lane.clear();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** One direction of a connection: what came from one side, in order, until its time to get to the other has come. */
class Lane {
  #held: { at: number; deliver: () => void }[] = [];
  #delay: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, delay: () => number) {
    this.#delay = delay;
    from.on('data', (chunk) => this.#hold(() => void to.write(chunk)));
    from.on('end', () => this.#hold(() => void to.end()));
    from.on('close', (hadError) => hadError && this.#hold(() => void to.destroy()));
  }

  flush(): void {
    clearTimeout(this.#timer);
    const delay = this.#delay();
    for (let next = this.#held[0]; next !== undefined; next = this.#held[0]) {
      const wait = next.at + delay - performance.now();
      if (wait > 0) {
        if (Number.isFinite(wait)) this.#timer = setTimeout(() => this.flush(), wait).unref();
        return;
      }
      this.#held.shift();
      next.deliver();
    }
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#held = [];
  }

  #hold(deliver: () => void): void {
    this.#held.push({ at: performance.now(), deliver });
    this.flush();
  }
}
