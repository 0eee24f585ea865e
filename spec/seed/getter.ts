/**
 * A process of its own that gets a URL through a SQLite cache: `getter.ts URL [CACHE_NAME...]`. Without a name all
 * options are the defaults. Prints what it got as JSON: `Got[]`, one for each name.
 */
import axios from 'axios';
import { cacheAdapter } from '../../lib/index.js';

export interface Got {
  fromCache: boolean;
  status: number;
  /** base64 */
  body: string;
  type: string | undefined;
}

const [url = '', ...names] = process.argv.slice(2);
const got: Got[] = [];
for (const cacheName of names.length === 0 ? [undefined] : names) {
  await using(cacheName);
}
process.stdout.write(JSON.stringify(got));

async function using(cacheName: string | undefined): Promise<void> {
  const adapter = cacheAdapter(cacheName === undefined ? {} : { cacheName });
  const { fromCache, status, data, headers } = await axios.get<Buffer>(url, {
    adapter,
    responseType: 'arraybuffer',
  });
  await adapter.close();
  const type: unknown = headers['content-type'];
  got.push({
    fromCache,
    status,
    body: Buffer.from(data).toString('base64'),
    type: type === undefined ? type : String(type),
  });
}
