/** An origin in a process of its own, so that the CPU time of the benchmark is the client's. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { jsonBody } from './subjects.js';

export interface ChildOrigin {
  /** Answers any path with the JSON of `jsonBody(bytes)`, `/binary` with as many bytes; `http://127.0.0.1:PORT/`. */
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
  const bytes = Number(process.argv[2]);
  const json = Buffer.from(jsonBody(bytes));
  const binary = Buffer.alloc(bytes, 0xa5);
  let asked = 0;
  const server = createServer((req, res) => {
    const isBinary = req.url?.startsWith('/binary');
    const body = isBinary ? binary : json;
    res.writeHead(200, {
      'content-type': isBinary ? 'application/octet-stream' : 'application/json',
      'content-length': body.length,
      'cache-control': 'max-age=86400', // for caches that go by it
      'x-asked': ++asked, // the same in each hit
    });
    res.end(body);
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address === 'object') process.send?.(address?.port);
  });
  process.on('disconnect', () => process.exit());
}
