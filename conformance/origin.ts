/** The suite's own origin, on a free port of loopback. (Its server.mjs has a fixed port on all interfaces.) */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import handleConfig from 'http-cache-tests/server/handle-config.mjs';
import handleState from 'http-cache-tests/server/handle-state.mjs';
import handleTest from 'http-cache-tests/server/handle-test.mjs';

export type SuiteHandler = (segments: string[], request: IncomingMessage, response: ServerResponse) => void;

const ROUTES = new Map<string, SuiteHandler>([
  ['config', handleConfig],
  ['state', handleState],
  ['test', handleTest],
]);

export interface SuiteOrigin {
  url: string;
  close(): void;
}

export async function startOrigin(): Promise<SuiteOrigin> {
  const server = createServer((request, response) => {
    const [, route = '', ...segments] = new URL(request.url ?? '/', 'http://origin').pathname.split('/');
    const handle = ROUTES.get(route);
    if (handle === undefined) response.writeHead(404).end();
    else handle(segments, request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
