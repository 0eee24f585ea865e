import { inBatches, untilDone } from './batches.js';
import type { Answers, DynamoDBConnection, WriteRequest } from './client.js';
import { makeTable, URL_INDEX } from './creation.js';
import { isMissingTable, isRefusedCondition, nameOf } from './errors.js';
import { type Item, LAYOUT } from './items.js';

/** How many items DynamoDB deletes, and reads, by one command. */
const MOST_DELETED = 25;
const MOST_READ = 100;
/** How many parts are written or read by one command: 3 MB. */
const PARTS_AT_ONCE = 8;

type OneTable = Exclude<keyof Answers, 'BatchGetItem' | 'BatchWriteItem'>;

/** Whether the condition held; then, if asked for, what was there before. */
export interface Change {
  done: boolean;
  old?: Item | undefined;
}

/** In the expressions attributes are `#name`; `:layout` needs no value. */
interface Expressions {
  values?: Item;
  ConditionExpression?: string;
  FilterExpression?: string;
  KeyConditionExpression?: string;
  ProjectionExpression?: string;
}

export interface ScanRequest {
  filter: string;
  values?: Item;
  /** Absent: items are only counted. */
  attributes?: string;
  consistent?: boolean;
}

export interface Page {
  items: Item[];
  count: number;
}

/** The commands on one table. What fails, rejects as the driver says it. */
export class DynamoDBTable {
  /** For messages. */
  readonly title: string;
  readonly #name: string;
  readonly #connection: DynamoDBConnection;
  readonly #onTtlFailure: (error: unknown) => void;
  #creating: Promise<void> | undefined;

  /** `onTtlFailure`: told when a new table is there, but DynamoDB won't drop its expired items. */
  constructor(name: string, connection: DynamoDBConnection, onTtlFailure: (error: unknown) => void) {
    this.title = `DynamoDB table ${name}`;
    this.#name = name;
    this.#connection = connection;
    this.#onTtlFailure = onTtlFailure;
  }

  async read(id: string, isConsistent: boolean): Promise<Item | undefined> {
    const { Item } = await this.#send('GetItem', { Key: keyOf(id), ConsistentRead: isConsistent });
    return Item;
  }

  put(item: Item, condition: string, wantsOld = false): Promise<Change> {
    return this.#change('PutItem', { Item: item }, { ConditionExpression: condition }, wantsOld);
  }

  delete(id: string, condition: string, values: Item = {}, wantsOld = false): Promise<Change> {
    return this.#change(
      'DeleteItem',
      { Key: keyOf(id) },
      { ConditionExpression: condition, values },
      wantsOld,
    );
  }

  async *scan({ filter, values = {}, attributes, consistent = false }: ScanRequest): AsyncGenerator<Page> {
    const selection = attributes === undefined ? { Select: 'COUNT' } : {};
    const projection = attributes === undefined ? {} : { ProjectionExpression: attributes };
    const expressions = expressed({ FilterExpression: filter, values, ...projection });
    yield* this.#pages('Scan', { ...expressions, ...selection, ConsistentRead: consistent });
  }

  /** The `key` of each item of a URL; undefined when the table has no index to look it up in. */
  async idsByUrl(hash: string): Promise<string[] | undefined> {
    const ids: string[] = [];
    const expressions = expressed({
      KeyConditionExpression: '#urlHash = :url',
      ProjectionExpression: '#key',
      values: { ':url': { S: hash } },
    });
    try {
      for await (const { items } of this.#pages('Query', { ...expressions, IndexName: URL_INDEX })) {
        for (const { key } of items) if (key?.S !== undefined) ids.push(key.S);
      }
    } catch (error) {
      // An index that is not there, is yet being made, or is on something else. Of a table that is not there too.
      if (nameOf(error) === 'ValidationException' || isMissingTable(error)) return undefined;
      throw error;
    }
    return ids;
  }

  /** When it rejects, nothing is under way any more. */
  putParts(parts: readonly Item[]): Promise<void> {
    return inBatches(parts, PARTS_AT_ONCE, (batch) =>
      this.#writeBatch(batch.map((item) => ({ PutRequest: { Item: item } }))),
    );
  }

  /** Whatever they are. */
  deleteAll(ids: readonly string[]): Promise<void> {
    return inBatches(ids, MOST_DELETED, (batch) =>
      this.#writeBatch(batch.map((id) => ({ DeleteRequest: { Key: keyOf(id) } }))),
    );
  }

  /** Those that are there, in any order. */
  readParts(ids: readonly string[], isConsistent: boolean): Promise<Item[]> {
    return this.#readBatches(ids, PARTS_AT_ONCE, { ConsistentRead: isConsistent });
  }

  /** Some attributes of those that are there, as they are now, in any order. */
  readSome(ids: readonly string[], attributes: string): Promise<Item[]> {
    const projection = expressed({ ProjectionExpression: attributes });
    return this.#readBatches(ids, MOST_READ, { ...projection, ConsistentRead: true });
  }

  /** Makes the table, once however many wait for it. Resolves when it is there, whoever made it. */
  create(): Promise<void> {
    this.#creating ??= makeTable(this.#name, this.#connection, this.#onTtlFailure).finally(() => {
      this.#creating = undefined;
    });
    return this.#creating;
  }

  #send<Name extends OneTable>(name: Name, input: object): Promise<Answers[Name]> {
    return this.#connection.send(name, { TableName: this.#name, ...input });
  }

  async #change(
    name: 'PutItem' | 'DeleteItem',
    input: object,
    condition: Expressions,
    wantsOld: boolean,
  ): Promise<Change> {
    const old = wantsOld ? { ReturnValues: 'ALL_OLD' } : {};
    try {
      const { Attributes } = await this.#send(name, { ...input, ...expressed(condition), ...old });
      return { done: true, old: Attributes };
    } catch (error) {
      if (isRefusedCondition(error)) return { done: false };
      throw error;
    }
  }

  async *#pages(name: 'Scan' | 'Query', input: object): AsyncGenerator<Page> {
    let from: object = {};
    for (;;) {
      const { Items = [], Count = 0, LastEvaluatedKey } = await this.#send(name, { ...input, ...from });
      yield { items: Items, count: Count };
      if (LastEvaluatedKey === undefined) return;
      from = { ExclusiveStartKey: LastEvaluatedKey };
    }
  }

  #writeBatch(requests: WriteRequest[]): Promise<void> {
    return untilDone(requests, this.#pause, async (left) => {
      const { UnprocessedItems } = await this.#connection.send('BatchWriteItem', {
        RequestItems: { [this.#name]: left },
      });
      return UnprocessedItems?.[this.#name] ?? [];
    });
  }

  async #readBatches(ids: readonly string[], atOnce: number, how: object): Promise<Item[]> {
    const items: Item[] = [];
    await inBatches(ids, atOnce, (batch) =>
      untilDone(batch.map(keyOf), this.#pause, async (left) => {
        const { Responses, UnprocessedKeys } = await this.#connection.send('BatchGetItem', {
          RequestItems: { [this.#name]: { ...how, Keys: left } },
        });
        items.push(...(Responses?.[this.#name] ?? []));
        return UnprocessedKeys?.[this.#name]?.Keys ?? [];
      }),
    );
    return items;
  }

  readonly #pause = (ms: number): Promise<void> => this.#connection.pause(ms);
}

function keyOf(id: string): Item {
  return { key: { S: id } };
}

/** The expressions with what `#name` and `:value` stand for in them. DynamoDB refuses what they don't mention. */
function expressed({ values = {}, ...expressions }: Expressions): object {
  const text = Object.values(expressions).join(' ');
  const names = Object.fromEntries(
    [...text.matchAll(/#(\w+)/g)].map(([name, attribute]) => [name, attribute]),
  );
  const all = Object.entries({ ...values, ':layout': { N: String(LAYOUT) } });
  const used = all.filter(([name]) => text.includes(name));
  return {
    ...expressions,
    ExpressionAttributeNames: names,
    ...(used.length > 0 && { ExpressionAttributeValues: Object.fromEntries(used) }),
  };
}
