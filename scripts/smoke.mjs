// The built package on the Node that runs this: a miss, then a hit, from ESM and from CommonJS, in memory and in SQLite.
// Plain node, no test runner: what fails here fails for a user.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axios from 'axios';
import * as esm from 'axios-stash';

const require = createRequire(import.meta.url);
const cjs = require('axios-stash');
deepEqual(Object.keys(cjs).sort(), Object.keys(esm).sort(), 'both builds export the same names');

let requests = 0;
const server = createServer((_req, res) => {
  requests += 1;
  res.setHeader('content-type', 'application/json').end(JSON.stringify({ requests }));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${server.address().port}/`;
const directory = await mkdtemp(join(tmpdir(), 'axios-stash-smoke-'));

try {
  await missThenHit('ESM, memory', axios, esm, { backend: 'memory' });
  await missThenHit('CommonJS, memory', require('axios'), cjs, { backend: 'memory' });
  await missThenHit('ESM, sqlite', axios, esm, { cacheName: join(directory, 'esm') });
  await missThenHit('CommonJS, sqlite', require('axios'), cjs, { cacheName: join(directory, 'cjs') });

  // What one build wrote, the other reads.
  const shared = cjs.cacheAdapter({ cacheName: join(directory, 'esm') });
  equal(
    (await require('axios').get(url, { adapter: shared })).fromCache,
    true,
    'CommonJS reads what ESM stored',
  );
  await shared.close();
} finally {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true, force: true });
}
process.stdout.write(`smoke: ESM and CommonJS, memory and sqlite on node ${process.version}\n`);

async function missThenHit(what, client, { cacheAdapter }, options) {
  const before = requests;
  const adapter = cacheAdapter(options);
  const http = client.create({ adapter });
  const miss = await http.get(url);
  const hit = await http.get(url, { expireAfter: 60 });
  equal(miss.fromCache, false, `${what}: the first request goes to the network`);
  equal(hit.fromCache, true, `${what}: the second is a hit`);
  deepEqual(hit.data, miss.data, what);
  equal(requests, before + 1, what);
  ok(await adapter.cache.has({ url }), what);
  await adapter.close();
}
