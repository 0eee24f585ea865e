import { CacheStoreError } from '../../errors.js';
import { isObject } from '../checks.js';

/** What an error of the driver is. Rather than by `instanceof`: a client may be of another copy of the driver. */
export function nameOf(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined;
}

export function isMissingTable(error: unknown): boolean {
  return nameOf(error) === 'ResourceNotFoundException';
}

export function isRefusedCondition(error: unknown): boolean {
  return nameOf(error) === 'ConditionalCheckFailedException';
}

/** Whether the server said so, rather than nothing. */
export function isAnswer(error: unknown): boolean {
  if (!isObject(error) || !isObject(error.$metadata)) return false;
  return error.$metadata.httpStatusCode !== undefined;
}

const THROTTLED: ReadonlySet<string | undefined> = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
]);

export function isThrottled(error: unknown): boolean {
  return THROTTLED.has(nameOf(error));
}

const OTHER_KEY =
  /does not match the schema|required keys was not given|missing the key|conditions on the keys|type mismatch for key/i;

/** The error, or one that says what to do about it. */
export function explained(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message } = error;
  if (name === 'CredentialsProviderError') {
    const advice = 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or clientOptions.credentials';
    return advised(error, `${advice} (DynamoDB Local takes any)`);
  }
  if (message === 'Region is missing') return advised(error, 'set AWS_REGION, or the option region');
  if (name === 'ValidationException') {
    if (/item size/i.test(message)) return new CacheStoreError(`DynamoDB: ${message}`, error, 'entry');
    if (OTHER_KEY.test(message))
      return advised(error, "the table's key must be the attribute key, a string, alone");
  }
  // Of several addresses that were tried: what each said is not in its message.
  if (message === '' && 'code' in error) error.message = String(error.code);
  return error;
}

function advised(error: Error, advice: string): Error {
  return new Error(`${error.message}; ${advice}`, { cause: error });
}
