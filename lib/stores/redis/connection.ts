import type { RedisArgument, Send } from './client.js';

/** How the store reaches its server or servers. Nothing happens before the first command. */
export interface Connection {
  readonly isCluster: boolean;
  /** Whether commands go to the server at once. */
  readonly isReady: boolean;
  /** To the server that has `key`. Fails at once while there is no connection, save that the first one is waited for. */
  send(key: string, args: RedisArgument[]): Promise<unknown>;
  /** To each server that has keys. */
  masters(): Promise<Send[]>;
  /** Ends what is on its way, in bounded time. */
  close(): Promise<void>;
}

/** What a connection tells of itself. */
export interface ConnectionEvents {
  /** There is a connection, and it is another than before. */
  connected(): void;
  /** It failed, and no command was on its way that could tell. */
  failed(error: Error): void;
  /** Somebody changed a key that was read here; null: any of them. With tracking only. */
  invalidated(key: unknown): void;
}

/** Milliseconds. */
export interface ConnectionLimits {
  /** To connect, log in and be ready. */
  readonly connect: number;
  /** For the answer to a command; long enough for 64 MB over a slow line. */
  readonly answer: number;
  /** For what is on its way when it is closed. */
  readonly close: number;
}

export const LIMITS: ConnectionLimits = { connect: 5000, answer: 15_000, close: 1000 };

/** The error with a message in any case: that of a refused `localhost` (two addresses, so two errors) has none. */
export function toldError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (error.message !== '') return error;
  const code = 'code' in error ? String(error.code) : error.name;
  const inner = error instanceof AggregateError ? toldError(error.errors[0]).message : undefined;
  return new Error(inner ?? code, { cause: error });
}
