import { AssertionError } from 'chai';
import { CacheRecordError } from '../../lib/errors.js';

/** The `CacheRecordError` that `run` ends in, thrown or rejected; any other end fails the spec. */
export async function refused(run: () => unknown, what = 'the call'): Promise<CacheRecordError> {
  let result: unknown;
  try {
    result = await run();
  } catch (error) {
    if (error instanceof CacheRecordError) return error;
    throw new AssertionError(`${what} ended in ${String(error)}, not in a CacheRecordError`);
  }
  throw new AssertionError(`${what} was accepted: ${JSON.stringify(result)?.slice(0, 200)}`);
}
