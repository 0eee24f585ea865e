import type { Answers, DynamoDBConnection } from './client.js';
import { isMissingTable, nameOf } from './errors.js';

/** The name of the index on `urlHash`. */
export const URL_INDEX = 'url';
/** How long a new table may take; ms. On AWS it takes some ten seconds. */
const LIMIT = 120_000;
/** Between looking whether it is there; ms. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1000;

/**
 * Resolves when the table is there, whoever made it. `onTtlFailure`: told when it is, but DynamoDB won't drop expired
 * items.
 */
export async function makeTable(
  name: string,
  connection: DynamoDBConnection,
  onTtlFailure: (error: unknown) => void,
): Promise<void> {
  const start = performance.now();
  for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 1.5)) {
    const status = await statusOf(name, connection);
    if (status === 'ACTIVE') break;
    if (performance.now() - start > LIMIT) throw new Error(`the table is still ${status ?? 'missing'}`);
    // Asked for again if it was just being deleted.
    if (status === undefined) await askForTable(name, connection);
    await connection.pause(pause);
  }
  // By all who waited for the table: whoever made it may be gone.
  await askForTtl(name, connection, onTtlFailure);
}

/** Undefined: there is no such table. */
async function statusOf(name: string, connection: DynamoDBConnection): Promise<string | undefined> {
  try {
    const { Table }: Answers['DescribeTable'] = await connection.send('DescribeTable', { TableName: name });
    return Table?.TableStatus;
  } catch (error) {
    if (isMissingTable(error)) return undefined;
    throw error;
  }
}

async function askForTable(name: string, connection: DynamoDBConnection): Promise<void> {
  const text = (attribute: string) => ({ AttributeName: attribute, AttributeType: 'S' });
  const hashKey = (attribute: string) => [{ AttributeName: attribute, KeyType: 'HASH' }];
  const index = {
    IndexName: URL_INDEX,
    KeySchema: hashKey('urlHash'),
    Projection: { ProjectionType: 'KEYS_ONLY' },
  };
  try {
    await connection.send('CreateTable', {
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [text('key'), text('urlHash')],
      KeySchema: hashKey('key'),
      GlobalSecondaryIndexes: [index],
    });
  } catch (error) {
    // Somebody else is making it, or it is being deleted.
    if (nameOf(error) !== 'ResourceInUseException') throw error;
  }
}

async function askForTtl(
  name: string,
  connection: DynamoDBConnection,
  onTtlFailure: (error: unknown) => void,
): Promise<void> {
  try {
    const TimeToLiveSpecification = { AttributeName: 'ttl', Enabled: true };
    await connection.send('UpdateTimeToLive', { TableName: name, TimeToLiveSpecification });
  } catch (error) {
    // So it answers to what was asked already.
    if (nameOf(error) !== 'ValidationException') onTtlFailure(error);
  }
}
