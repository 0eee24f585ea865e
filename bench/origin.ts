/** An origin in a process of its own, so that the CPU time of the benchmark is the client's. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { jsonBody } from './subjects.js';

export interface ChildOrigin {
  /** Answers any path with the JSON of `jsonBody(bytes)`; `http://127.0.0.1:PORT/`. */
  url: string;
  close(): Promise<void>;
}

export async function startOrigin(bytes: number): Promise<ChildOrigin> {
  const child = fork(fileURLToPath(import.meta.url), [String(bytes)], { execArgv: ['--import', 'tsx'] });
  const [port]: unknown[] = await once(child, 'message');
  return {
    url: `http://127.0.0.1:${String(port)}/`,
    async close() {
      const exited = once(child, 'exit');
      child.disconnect(); // it ends itself when its parent is gone
      await exited;
    },
  };
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  const body = jsonBody(Number(process.argv[2]));
  const server = createServer((_req, res) => {
    res.setHeader('content-type', 'application/json').end(body);
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address === 'object') process.send?.(address?.port);
  });
  process.on('disconnect', () => process.exit());
}
