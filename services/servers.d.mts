/** `servers.mjs` for TypeScript. */

export type ServerName = 'redis' | 'redis-cluster' | 'mongodb' | 'dynamodb';

export interface StartOptions {
  /** A free one, unless given. For the cluster: that of its first node. */
  port?: number | undefined;
  /** Redis only. */
  password?: string | undefined;
}

export interface Server {
  /** The environment variable that holds its URL. */
  readonly variable: string;
  /** Where it listens where nobody said otherwise; the cluster has no such port. */
  readonly defaultPort: number | undefined;
  install(): Promise<void>;
  /** Why it cannot be started on this machine, if so. */
  missing(environment: NodeJS.ProcessEnv): string | undefined;
  urlOf(ports: readonly number[], options?: StartOptions): string;
  /** Whether what listens on 127.0.0.1 speaks its protocol; rejects when nothing does. */
  answers(port: number): Promise<boolean>;
}

export interface RunningServer {
  readonly name: ServerName;
  /** For the cluster: those of its nodes, comma separated. */
  readonly url: string;
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Of its processes that run. */
  readonly pids: readonly number[];
  /** SIGSTOP: the system still accepts connections, and nothing is answered. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Kills it if it runs, and starts it on the same port. Redis and DynamoDB forget all, MongoDB keeps its data. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export const servers: Readonly<Record<ServerName, Server>>;

export function installAll(names: readonly ServerName[]): Promise<string[]>;

/** Resolves when it answers. It does not outlive this process, and does not keep it alive. */
export function start(name: ServerName, options?: StartOptions): Promise<RunningServer>;
