/**
 * A process of its own on a database: `mongo-worker.ts BACKEND URL CACHENAME write PREFIX COUNT`, `... fetch ORIGIN COUNT`
 * (each of so many URLs twice, through the whole cache; prints how many hits and errors there were), or `... rewrite KEY
 * BYTES` (one value of so many equal bytes after another, until it is killed).
 */
import { GridFSBackend } from '../../lib/stores/gridfs.js';
import { MongoBackend } from '../../lib/stores/mongo.js';

const [backend, url = '', cacheName = '', command, subject = '', number = '0'] = process.argv.slice(2);
const count = Number(number);
const store = new (backend === 'gridfs' ? GridFSBackend : MongoBackend)({ url, cacheName });

if (command === 'rewrite') {
  for (let n = 0; ; n++) await store.set(subject, Buffer.alloc(count, n), { createdAt: n, url: subject });
} else if (command === 'write') {
  const write = async (n: number) => {
    const key = `${subject} ${n}`;
    await store.set(key, Buffer.from(key), { createdAt: n, url: key });
  };
  for (let n = 0; n < count; n += 10) {
    await Promise.all(Array.from({ length: Math.min(10, count - n) }, (_, at) => write(n + at)));
  }
} else {
  const [{ default: axios }, { cacheAdapter }] = await Promise.all([
    import('axios'),
    import('../../lib/index.js'),
  ]);
  const adapter = cacheAdapter({ backend: store, storeTimeout: 30 });
  const http = axios.create({ baseURL: subject, adapter });
  let [hits, errors] = [0, 0];
  adapter.cache.on('error', ({ error }) => {
    process.stderr.write(`${error}\n`);
    errors++;
  });
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < count; n++) {
      if ((await http.get(`/${n}`)).fromCache) hits++;
    }
    await adapter.cache.flush();
  }
  process.stdout.write(`${hits} hits, ${errors} errors`);
  await adapter.close();
}
// Our own connection would keep the process alive.
await store.close();
