// npm run quickstart [-- URL...]
// Requests the URLs twice, each time in a new process: the first goes to the network, the second is answered from
// ./http_cache.sqlite, which stays. Without URLs: a slow origin on this machine.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';

const SLOWNESS_MS = 400;

const given = process.argv.slice(2);
const bad = given.filter((url) => !/^https?:/i.test(url) || !URL.canParse(url));
if (bad.length > 0) {
  process.stderr.write(`not an http URL: ${bad.join(' ')}\nusage: npm run quickstart [-- URL...]\n`);
  process.exit(2);
}

const origin = given.length === 0 ? await startSlowOrigin() : undefined;
const urls = origin === undefined ? given : ['/', '/users?page=1', '/big'].map((path) => origin.url + path);

const table = new Table({
  head: ['process', 'URL', 'from', 'ms', 'expires'],
  style: { head: [], border: [] },
});
let failed = 0;
let fromFile = 0;
for (const run of ['first', 'second']) {
  for (const row of await requestInNewProcess(urls)) {
    if (row.error !== undefined) failed += 1;
    if (run === 'second' && row.from === 'cache') fromFile += 1;
    table.push([run, row.url, row.error ?? row.from, row.ms.toFixed(1), row.expires ?? 'never']);
  }
}
origin?.close();

process.stdout.write(`${table.toString()}\n`);
process.stdout.write(
  `The second process had ${fromFile} of ${urls.length} from ./http_cache.sqlite, without the network.\n`,
);
process.exitCode = failed === 0 && fromFile === urls.length ? 0 : 1;

async function requestInNewProcess(wanted) {
  const child = fork(fileURLToPath(new URL('quickstart-requests.mjs', import.meta.url)), wanted);
  const exited = once(child, 'exit');
  const rows = [];
  child.on('message', (row) => rows.push(row));
  const [code] = await exited;
  if (code !== 0) throw new Error(`the requesting process ended with ${code}`);
  return rows;
}

async function startSlowOrigin() {
  const server = createServer((req, res) => {
    const body = JSON.stringify({ path: req.url, filler: 'x'.repeat(req.url === '/big' ? 1e6 : 10) });
    setTimeout(() => res.setHeader('content-type', 'application/json').end(body), SLOWNESS_MS);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
