import { createServer } from 'node:net';

// Below what systems hand out to outgoing connections, so that a port stays free while its server is down. A node of a
// Redis cluster takes the port 10000 above its own too.
const FIRST = 12_000;
const COUNT = 10_000;
const CLUSTER_BUS = 10_000;
const MAX_TRIES = 1000;

/** `count` free ports of 127.0.0.1, the first of them `first` if given. */
export async function freePorts(count, first) {
  const ports = new Set(first === undefined ? [] : [first]);
  for (let tries = 0; ports.size < count; tries += 1) {
    if (tries === MAX_TRIES) throw new Error(`no free port from ${FIRST} to ${FIRST + COUNT - 1}`);
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if ((await isFree(port)) && (await isFree(port + CLUSTER_BUS))) ports.add(port);
  }
  return [...ports];
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
