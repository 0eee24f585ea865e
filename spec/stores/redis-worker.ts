/**
 * A process of its own that works in Redis: `redis-worker.ts URL NAMESPACE write PREFIX COUNT` writes distinct entries,
 * `... rewrite PREFIX COUNT` so often each of five that others write too, of one URL, and `... read KEY` reads one;
 * `... request ADDRESS` requests it through a cache, and tells whether it was a hit; `... try KEY` tells how reading
 * fails, and does not close; `... leave KEY` closes while it is still reading.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RedisBackend } from '../../lib/stores/redis.js';

const [url, namespace, command, subject = '', count = '0'] = process.argv.slice(2);
const store = new RedisBackend({ url, namespace });

if (command === 'read') {
  const value = await store.get(subject);
  process.stdout.write(value === undefined ? 'nothing' : Buffer.from(value).toString());
} else if (command === 'request') {
  // Loaded only here: the others are to start fast.
  const [{ default: axios }, { cacheAdapter }] = await Promise.all([
    import('axios'),
    import('../../lib/index.js'),
  ]);
  const adapter = cacheAdapter({ backend: store });
  const { fromCache, data } = await axios.get(subject, { adapter, responseType: 'text' });
  process.stdout.write(`${fromCache} ${data}`);
  await adapter.close();
} else if (command === 'try') {
  await store.get(subject).catch((error: unknown) => process.stdout.write(String(error)));
} else if (command === 'leave') {
  const reading = store.get(subject).catch(() => {});
  await nextTurn();
  const start = performance.now();
  await store.close();
  await reading;
  process.on('exit', () => process.stdout.write(`closed in ${Math.ceil(performance.now() - start)} ms`));
} else if (command === 'rewrite') {
  for (let n = 0; n < Number(count); n++) {
    const key = `shared ${n % 5}`;
    await store.set(key, Buffer.from(`${subject} ${n}`), { createdAt: n, url: 'http://example.org/shared' });
    if (n % 50 === 25) await store.delete([key]);
    if (n % 50 === 49) await store.keysByUrl('http://example.org/shared');
  }
} else {
  const writes = Array.from({ length: Number(count) }, async (_, n) => {
    const key = `${subject} ${n}`;
    await store.set(key, Buffer.from(key), { createdAt: n, url: `http://example.org/${n % 100}` });
  });
  await Promise.all(writes);
}
if (command !== 'try') await store.close();
