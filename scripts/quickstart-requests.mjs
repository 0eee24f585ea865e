// One process of the quick start: this is all that a program has to do.
import axios from 'axios';
import { cacheAdapter } from 'axios-stash';

const adapter = cacheAdapter({ expireAfter: 3600 });
const http = axios.create({ adapter });

for (const url of process.argv.slice(2)) {
  const began = performance.now();
  try {
    const response = await http.get(url);
    const from = response.fromCache ? 'cache' : 'network';
    process.send({ url, from, ms: performance.now() - began, expires: response.expires?.toISOString() });
  } catch (error) {
    process.send({ url, error: error.message, ms: performance.now() - began });
  }
}
await adapter.close();
process.disconnect();
