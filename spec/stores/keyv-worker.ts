/** A process of its own that reads one key of a Keyv over @keyv/redis: `keyv-worker.ts URL NAMESPACE KEY`. */
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { KeyvBackend } from '../../lib/stores/keyv.js';

const [url = '', namespace = '', key = ''] = process.argv.slice(2);
const store = new KeyvBackend(new Keyv(new KeyvRedis(url), { namespace }));
const value = await store.get(key);
process.stdout.write(value === undefined ? 'nothing' : Buffer.from(value).toString());
await store.close();
