/** Says what a read from @keyv/mongo comes to on a server that may refuse its TTL index: `URL DATABASE`. */
import { KeyvBackend } from '../../lib/stores/keyv.js';
import { dropDatabase, mongoAdapter } from './keyv-support.js';

const [url = '', db = ''] = process.argv.slice(2);
const store = new KeyvBackend(mongoAdapter(url, db));
const said = await store.get('key').then(() => 'connected', String);
await dropDatabase(url, db);
process.stdout.write(said, () => process.exit());
