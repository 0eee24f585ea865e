/** A process of its own that works on a database: `worker.ts DRIVER PATH write PREFIX COUNT` or `... read KEY`. */
import { SQLiteBackend } from '../../lib/stores/sqlite.js';

const [driver, cacheName = '', command, subject = '', count = '0'] = process.argv.slice(2);
if (driver !== 'node:sqlite' && driver !== 'better-sqlite3' && driver !== 'keyv')
  throw new Error(`no driver ${driver}`);
const store = new SQLiteBackend({ cacheName, driver, busyTimeout: 15 });

if (command === 'read') {
  const value = await store.get(subject);
  process.stdout.write(value === undefined ? 'nothing' : Buffer.from(value).toString());
} else {
  for (let n = 0; n < Number(count); n++) {
    const key = `${subject} ${n}`;
    await store.set(key, Buffer.from(key), { createdAt: n, url: key });
  }
}
// No close(): a process may end without it, and must.
