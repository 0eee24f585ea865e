/**
 * A process of its own that works on a table: `dynamodb-worker.ts OPTIONS COMMAND ...`, OPTIONS of the backend in JSON.
 *
 * - `write PREFIX COUNT`: so many entries, some at once.
 * - `request URL COUNT`: gets URL0, URL1, ... twice through a cache; prints how often from it, and what errors it told of.
 * - `hold`: leaves a read under way, closes, and prints when that was over.
 */
import { DynamoDBBackend } from '../../lib/stores/dynamodb.js';

const [options = '{}', command, subject = '', count = '0'] = process.argv.slice(2);
const store = new DynamoDBBackend(JSON.parse(options));
const print = (text: unknown) => process.stdout.write(`${text}`);
process.on('unhandledRejection', (error) => print(`unhandled: ${error}`));

if (command === 'write') {
  const keys = Array.from({ length: Number(count) }, (_, n) => `${subject} ${n}`);
  for (let at = 0; at < keys.length; at += 10) {
    const some = keys.slice(at, at + 10);
    await Promise.all(some.map((key) => store.set(key, Buffer.from(key), { createdAt: 1, url: key })));
  }
} else if (command === 'request') {
  const { default: axios } = await import('axios');
  const { cacheAdapter } = await import('../../lib/index.js');
  const adapter = cacheAdapter({ backend: store, storeTimeout: 15 });
  const told: string[] = [];
  adapter.cache.on('error', ({ error, reason }) => told.push(`${reason}: ${error?.message}`));
  let hits = 0;
  for (const _ of [1, 2]) {
    for (let n = 0; n < Number(count); n++) {
      const { fromCache } = await axios.get(`${subject}${n}`, { adapter });
      if (fromCache) hits++;
    }
    await adapter.cache.flush();
  }
  print(JSON.stringify({ hits, told }));
} else if (command === 'hold') {
  store.get('key').catch(() => {});
  const start = performance.now();
  await store.close();
  print(`closed after ${Math.round(performance.now() - start)} ms`);
}
// No close() but where it says so: a process may end without it, and must.
