/** What the specs of DynamoDB share: a client of their own, tables of names of their own, and a look at what is in them. */
import { randomUUID } from 'node:crypto';
import {
  type AttributeValue,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteItemCommand,
  DeleteTableCommand,
  DynamoDBClient,
  PutItemCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDBClientLike } from '../../lib/stores/dynamodb/client.js';
import { DynamoDBBackend, type DynamoDBOptions } from '../../lib/stores/dynamodb.js';

export const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
export const region = 'us-east-1';
export type RawItem = Record<string, AttributeValue>;

export function rawClient(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({ endpoint, region, credentials });
}

/** A table of a spec's own, and the stores on it. */
export class TestTable {
  readonly name = `axios-stash-${randomUUID()}`;
  readonly endpoint: string;
  readonly #client: DynamoDBClient;
  readonly #stores: DynamoDBBackend[] = [];

  constructor(endpoint: string) {
    this.endpoint = endpoint;
    this.#client = rawClient(endpoint);
  }

  /** Of the same table; closed by `dispose`. */
  store(options: DynamoDBOptions = {}): DynamoDBBackend {
    const own =
      options.client === undefined
        ? { endpoint: this.endpoint, region, clientOptions: { credentials } }
        : undefined;
    const store = new DynamoDBBackend({ cacheName: this.name, ...own, ...options });
    this.#stores.push(store);
    return store;
  }

  /** A store whose commands go through `intercept`. */
  intercepted(intercept: Intercept, options: DynamoDBOptions = {}): DynamoDBBackend {
    return this.store({ client: intercepting(this.#client, intercept), ...options });
  }

  get client(): DynamoDBClient {
    return this.#client;
  }

  /** Made by somebody else: with `key` as its key, and no index. */
  async make(more: Partial<CreateTableCommandInput> = {}): Promise<void> {
    await this.#client.send(
      new CreateTableCommand({
        TableName: this.name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'key', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'key', KeyType: 'HASH' }],
        ...more,
      }),
    );
  }

  async put(item: RawItem): Promise<void> {
    await this.#client.send(new PutItemCommand({ TableName: this.name, Item: item }));
  }

  async remove(key: string): Promise<void> {
    await this.#client.send(new DeleteItemCommand({ TableName: this.name, Key: { key: { S: key } } }));
  }

  /** Whether or not it is there. */
  async drop(name = this.name): Promise<void> {
    try {
      await this.#client.send(new DeleteTableCommand({ TableName: name }));
    } catch (error) {
      if (!(error instanceof Error && error.name === 'ResourceNotFoundException')) throw error;
    }
  }

  /** All there is, by key. */
  async items(): Promise<RawItem[]> {
    const items: RawItem[] = [];
    const pages = paginateScan({ client: this.#client }, { TableName: this.name, ConsistentRead: true });
    for await (const { Items = [] } of pages) items.push(...Items);
    return items.sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
    await this.drop();
    this.#client.destroy();
  }
}

export function keyOf(item: RawItem): string {
  return item.key?.S ?? '';
}

/** The input of a command, as far as specs look at it. */
export interface Input {
  TableName?: string;
  Item?: RawItem;
  Key?: RawItem;
  ConsistentRead?: boolean;
  RequestItems?: Record<string, unknown>;
}

/** `name`: as in `PutItem`. `send`: to the server; with another input, in its place. */
export type Intercept = (
  name: string,
  input: Input,
  send: (input?: Input) => Promise<unknown>,
) => Promise<unknown>;

/** A client over a real one. */
export function intercepting(client: DynamoDBClientLike, intercept: Intercept): DynamoDBClientLike {
  return {
    send: (command, options) => {
      const { input } = command as { input: Input };
      const name = command.constructor.name.replace(/Command$/, '');
      return intercept(name, input, (other = input) => {
        const Command = command.constructor as new (input: Input) => object;
        return client.send(new Command(other), options);
      });
    },
  };
}

/** As the driver says it. */
export function serviceError(name: string): Error {
  return Object.assign(new Error(`${name}, says the spec`), { name });
}
