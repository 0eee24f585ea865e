/**
 * A process of its own that works in a directory: `file-worker.ts PATH write PREFIX COUNT`, `... read KEY`, or
 * `... rewrite KEY BYTES`, which writes one value of so many equal bytes after another, until it is killed.
 */
import { FileBackend } from '../../lib/stores/file.js';

const [cacheName = '', command, subject = '', number = '0'] = process.argv.slice(2);
const store = new FileBackend({ cacheName });

if (command === 'read') {
  const value = await store.get(subject);
  process.stdout.write(value === undefined ? 'nothing' : Buffer.from(value).toString());
} else if (command === 'rewrite') {
  for (let n = 0; ; n++) {
    await store.set(subject, Buffer.alloc(Number(number), n), { createdAt: n, url: subject });
    if (n === 2) process.stdout.write('writing');
  }
} else {
  for (let n = 0; n < Number(number); n++) {
    const key = `${subject} ${n}`;
    await store.set(key, Buffer.from(key), { createdAt: n, url: key });
  }
}
// No close(): a process may end without it, and must.
