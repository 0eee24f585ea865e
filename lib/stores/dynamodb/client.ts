import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CacheDriverMissingError } from '../../errors.js';
import { parseUrl } from '../../parse-url.js';
import { isObject } from '../checks.js';
import { loadDriver } from '../driver.js';
import { explained, isAnswer } from './errors.js';
import type { Item } from './items.js';

/** What is used of a `DynamoDBClient` (or `DynamoDB`) of `@aws-sdk/client-dynamodb`. */
export interface DynamoDBClientLike {
  send(command: object, options?: { abortSignal?: AbortSignal }): Promise<unknown>;
}

interface OwnClient extends DynamoDBClientLike {
  readonly config: { region(): Promise<string> };
  destroy(): void;
}

export interface WriteRequest {
  PutRequest?: { Item: Item };
  DeleteRequest?: { Key: Item };
}

interface Found {
  Items?: Item[];
  Count?: number;
  LastEvaluatedKey?: Item;
}

/** What the commands answer, as far as it is used. */
export interface Answers {
  GetItem: { Item?: Item };
  PutItem: { Attributes?: Item };
  DeleteItem: { Attributes?: Item };
  BatchGetItem: { Responses?: Record<string, Item[]>; UnprocessedKeys?: Record<string, { Keys: Item[] }> };
  BatchWriteItem: { UnprocessedItems?: Record<string, WriteRequest[]> };
  Query: Found;
  Scan: Found;
  CreateTable: unknown;
  DescribeTable: { Table?: { TableStatus?: string } };
  UpdateTimeToLive: unknown;
}

export interface ConnectionOptions {
  client?: DynamoDBClientLike | undefined;
  region?: string | undefined;
  endpoint?: string | undefined;
  clientOptions?: object | undefined;
}

const DRIVER = '@aws-sdk/client-dynamodb';
/** Milliseconds after which a command is given up that was sent, whatever the client does. */
const LIMIT = 30_000;
/** Commands under way at once; fewer than the 50 sockets of a client, since what waits for one there may time out. */
const AT_ONCE = 40;
/** Of those with megabytes in them. */
const LARGE_AT_ONCE = 6;
const LARGE: ReadonlySet<string> = new Set<keyof Answers>(['BatchGetItem', 'BatchWriteItem']);
/** Where DynamoDB Local and the like are asked for; they take any. */
const ANY_REGION = 'us-east-1';
const ANY_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
/** Well under those of the SDK, which would hang for minutes. Milliseconds; the second is of silence on the socket. */
const TIMEOUTS = { connectionTimeout: 1000, socketTimeout: 5000 };

/** Sends commands, through a client that was handed in or one of its own. */
export class DynamoDBConnection {
  readonly #driver: Record<string, unknown>;
  readonly #given: DynamoDBClientLike | undefined;
  readonly #options: ConnectionOptions;
  #own: OwnClient | undefined;
  readonly #running = new Set<AbortController>();
  readonly #gate = new Gate(AT_ONCE);
  readonly #largeGate = new Gate(LARGE_AT_ONCE);
  /** When there was an answer last. */
  #answered = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#driver = loadDriver('dynamodb', DRIVER);
    this.#options = options;
    this.#given = options.client;
  }

  async send<Name extends keyof Answers>(name: Name, input: object): Promise<Answers[Name]> {
    const command = this.#make(`${name}Command`, input);
    const gate = LARGE.has(name) ? this.#largeGate : this.#gate;
    if (!gate.tryEnter()) {
      // However long the others take, as long as there are answers.
      await this.#bounded(
        (signal) => gate.enter(signal),
        () => this.#answered,
      );
    }
    try {
      const answer = await this.#bounded((signal) =>
        orAborted(signal, this.#client().send(command, { abortSignal: signal })),
      );
      this.#answered = performance.now();
      // The driver's word for it: its types say so.
      return answer as Answers[Name];
    } catch (error) {
      if (isAnswer(error)) this.#answered = performance.now();
      throw explained(error);
    } finally {
      gate.leave();
    }
  }

  /** Rejects when it is closed meanwhile. */
  pause(ms: number): Promise<void> {
    return this.#bounded((signal) => orAborted(signal, delay(ms, undefined, { signal })));
  }

  /** Gives up what is under way. */
  close(): void {
    this.#closed = true;
    for (const running of this.#running) running.abort(new Error('the store was closed'));
    this.#own?.destroy();
  }

  /** For `LIMIT` from now, or from `since` if that is later by then. */
  async #bounded<T>(work: (signal: AbortSignal) => Promise<T>, since: () => number = () => 0): Promise<T> {
    if (this.#closed) throw new Error('the store was closed');
    const controller = new AbortController();
    const giveUp = (): void => {
      const left = since() + LIMIT - performance.now();
      if (left > 0) timer = setTimeout(giveUp, left).unref();
      else controller.abort(new Error(`no answer within ${LIMIT / 1000} s`));
    };
    let timer = setTimeout(giveUp, LIMIT).unref();
    this.#running.add(controller);
    try {
      return await work(controller.signal);
    } finally {
      clearTimeout(timer);
      this.#running.delete(controller);
    }
  }

  #client(): DynamoDBClientLike {
    if (this.#given !== undefined) return this.#given;
    this.#own ??= this.#makeClient(this.#clientOptions());
    return this.#own;
  }

  #makeClient(options: object): OwnClient {
    const client = this.#make('DynamoDBClient', options);
    // The driver's word for it, as above.
    return client as OwnClient;
  }

  #make(name: string, input: object): object {
    const made = this.#driver[name];
    if (!isConstructor(made)) throw new CacheDriverMissingError('dynamodb', DRIVER);
    return new made(input);
  }

  #clientOptions(): object {
    const { region, endpoint, clientOptions = {} } = this.#options;
    const given: Record<string, unknown> = { ...clientOptions };
    if (region !== undefined) given.region = region;
    if (endpoint !== undefined) given.endpoint = endpoint;
    given.maxAttempts ??= 3;
    given.requestHandler = withTimeouts(given.requestHandler);
    if (given.endpoint === undefined) return given;
    given.region ??= this.#findRegion({ ...given });
    if (isLoopback(given.endpoint) && !areCredentialsInSight()) given.credentials ??= ANY_CREDENTIALS;
    return given;
  }

  /** What the SDK finds in the environment and its files; an endpoint of one's own needs none, but the SDK does. */
  #findRegion(options: object): () => Promise<string> {
    let found: Promise<string> | undefined;
    const find = async (): Promise<string> => {
      const probe = this.#makeClient(options);
      try {
        return await probe.config.region();
      } catch {
        return ANY_REGION;
      } finally {
        probe.destroy();
      }
    };
    return () => {
      found ??= find();
      return found;
    };
  }
}

/** Lets a number in at once; the others wait for their turn. */
class Gate {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(places: number) {
    this.#free = places;
  }

  tryEnter(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  async enter(signal: AbortSignal): Promise<void> {
    let turn = () => {};
    try {
      await orAborted(
        signal,
        new Promise<void>((resolve) => {
          turn = resolve;
          this.#waiting.add(turn);
        }),
      );
    } catch (error) {
      // Its turn may have come all the same, just before.
      if (!this.#waiting.delete(turn)) this.leave();
      throw error;
    }
  }

  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

/** What the work comes to, or the reason of an abort as soon as there is one: the SDK heeds a signal only at times. */
function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

/** Those of the user over ours; a handler of the user's own stays as it is. */
function withTimeouts(requestHandler: unknown): unknown {
  if (requestHandler === undefined) return TIMEOUTS;
  if (!isObject(requestHandler) || typeof requestHandler.handle === 'function') return requestHandler;
  return { ...TIMEOUTS, ...requestHandler };
}

/** Of a URL as text; an endpoint in another form is of somebody who knows what to do. */
function isLoopback(endpoint: unknown): boolean {
  const host = typeof endpoint === 'string' ? (parseUrl(endpoint)?.hostname ?? '') : '';
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(host);
}

/**
 * Whether the SDK has where to look for credentials. Where it has not, it would ask the metadata service of EC2, which
 * takes seconds to fail anywhere else.
 */
function areCredentialsInSight({ env } = process): boolean {
  const variables = [
    'AWS_ACCESS_KEY_ID',
    'AWS_PROFILE',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
    'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  ];
  const directory = join(homedir(), '.aws');
  const files = [
    env.AWS_SHARED_CREDENTIALS_FILE ?? join(directory, 'credentials'),
    env.AWS_CONFIG_FILE ?? join(directory, 'config'),
  ];
  return variables.some((name) => env[name]) || files.some((file) => existsSync(file));
}

function isConstructor(value: unknown): value is new (input: object) => object {
  return typeof value === 'function';
}
