/**
 * Run in a copy of lib/ whose node_modules hold nothing optional: imports the package and constructs what its first
 * argument, a JSON array of options, says. Prints `Outcome[]` as JSON.
 */
import { cacheAdapter, isCacheError } from '../../lib/index.js';

/** What constructing came to. */
export interface Outcome {
  ok: boolean;
  code?: string;
  name?: string;
  message?: string;
}

const outcomes = (JSON.parse(process.argv[2] ?? '[]') as object[]).map((options): Outcome => {
  try {
    cacheAdapter(options);
    return { ok: true };
  } catch (error) {
    if (!isCacheError(error)) throw error;
    const { code, name, message } = error;
    return { ok: false, code, name, message };
  }
});
process.stdout.write(JSON.stringify(outcomes));
