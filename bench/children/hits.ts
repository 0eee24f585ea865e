/** A process that hits what is in a shared file, then writes to it, when its parent says so. Arguments: the file, its number. */
import { once } from 'node:events';
import axios from 'axios';
import { entriesAdapter, urlOf } from '../cases/scale.js';

/** What its parent says: which of these to do. */
export interface Task {
  /** How often each of the entries from 0 on is to be hit. */
  hits?: { entries: number; passes: number };
  /** How many entries to add that no other process adds. */
  writes?: number;
}

/** What it answers when it has done that. */
export interface Done {
  /** Of all its tasks so far. */
  misses: number;
  errors: number;
}

const [, , file = '', number = ''] = process.argv;
const adapter = entriesAdapter(file);
const http = axios.create({ adapter });
const done: Done = { misses: 0, errors: 0 };
adapter.cache.on('error', () => {
  done.errors += 1;
});

process.send?.(done); // ready
for (;;) {
  const [task]: unknown[] = await once(process, 'message');
  if (task === 'end') break;
  await carryOut(task as Task);
  process.send?.(done);
}
await adapter.close();
process.disconnect();

async function carryOut({ hits, writes = 0 }: Task): Promise<void> {
  for (let pass = 0; pass < (hits?.passes ?? 0); pass++) {
    for (let n = 0; n < (hits?.entries ?? 0); n++) {
      if (!(await http.get(urlOf(n))).fromCache) done.misses += 1;
    }
  }
  for (let n = 0; n < writes; n++) await http.get(`${urlOf(n)}?by=${number}`);
  await adapter.cache.flush();
}
