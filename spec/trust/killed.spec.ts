/** kill -9 in the middle of writes, again and again: the store is sound, and what `flush()` confirmed is there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { type CacheOptions, cacheAdapter } from '../../lib/index.js';
import { findDriver } from '../../lib/stores/sqlite/driver.js';
import { nativeDrivers, temporaryDirectory } from '../stores/drivers.js';
import { type Built, build } from '../support/built.js';

/** Stores on and on, two at a time and some of them replaced, and prints each number that flush() has confirmed. */
const PROGRAM = (esm: string) => `
  import { writeSync } from 'node:fs';
  import axios from 'axios';
  import { cacheAdapter } from ${JSON.stringify(esm)};
  const [options, id] = process.argv.slice(2).map((text) => JSON.parse(text));
  const origin = async (config) => ({ data: config.url.repeat(1 + config.url.length * 97 % 400), status: 200, statusText: 'OK', headers: {}, config });
  const adapter = cacheAdapter({ ...options, adapter: origin });
  const http = axios.create({ adapter, responseType: 'text', transformResponse: [] });
  for (let n = 0; ; n++) {
    const urls = ['http://h/' + id + '/' + n, 'http://h/shared/' + (n % 10)];
    await Promise.all(urls.map((url) => http.get(url, { forceRefresh: true })));
    await adapter.cache.flush();
    writeSync(1, n + '\\n');
  }`;

interface Way {
  name: string;
  kills: number;
  options(path: string): object;
}

const ways: Way[] = [
  ...nativeDrivers.map((driver) => ({
    name: `sqlite (${driver})`,
    kills: 20,
    options: (path: string) => ({ cacheName: join(path, 'cache.sqlite'), driver }),
  })),
  {
    name: 'filesystem',
    kills: 4,
    options: (path: string) => ({ backend: 'filesystem', cacheName: join(path, 'cache') }),
  },
];

describe('a process that is killed in the middle of writes', () => {
  let built: Built;
  before(async function () {
    this.timeout(60_000);
    built = await build();
  });

  /** Runs the program until it has confirmed so many; answers the last that it confirmed. */
  async function killedAfter(
    program: string,
    options: object,
    id: number,
    confirmations: number,
  ): Promise<number> {
    const child = spawn(process.execPath, [program, JSON.stringify(options), String(id)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let last = -1;
    const lines = createInterface(child.stdout);
    lines.on('line', (line) => {
      last = Number(line);
      if (last >= confirmations) child.kill('SIGKILL');
    });
    await Promise.all([once(child, 'exit'), once(lines, 'close')]);
    expect(child.signalCode).to.equal('SIGKILL');
    return last;
  }

  for (const { name, kills, options } of ways) {
    it(`${kills} times leaves ${name} sound, and everything that was confirmed`, async function () {
      this.timeout(60_000);
      const directory = temporaryDirectory();
      try {
        const program = join(built.directory, `killed-${name.replace(/\W/g, '')}.mjs`);
        await writeFile(program, PROGRAM(built.esm));
        const given = options(directory.path);
        const confirmed: string[] = [];
        // Four at a time, each killed while the others write.
        for (let first = 0; first < kills; first += 4) {
          const ids = Array.from({ length: Math.min(4, kills - first) }, (_, at) => first + at);
          const lasts = await Promise.all(
            ids.map((id) => killedAfter(program, given, id, 3 + ((id * 7) % 23))),
          );
          for (const [at, last] of lasts.entries()) {
            for (let n = 0; n <= last; n++) confirmed.push(`http://h/${first + at}/${n}`);
          }
        }
        const adapter = cacheAdapter(given as CacheOptions);
        const errors: unknown[] = [];
        adapter.cache.on('error', (event) => errors.push(event));
        const { cache } = adapter;
        for (const url of confirmed) {
          const entry = await cache.get({ url });
          expect(entry?.text(), url).to.equal(url.repeat(1 + ((url.length * 97) % 400)));
        }
        for await (const entry of cache.filter({ valid: false, invalid: true }))
          expect.fail(JSON.stringify(entry));
        await adapter.close();
        expect(errors).to.deep.equal([]);
        if ('driver' in given) {
          const connection = findDriver().open(join(directory.path, 'cache.sqlite'));
          expect(connection.scalar('PRAGMA integrity_check', 'integrity_check')()).to.equal('ok');
          const counted = connection.scalar('SELECT count(*) AS v FROM axios_stash WHERE pointer = 0')();
          expect(connection.scalar('SELECT entries AS v FROM axios_stash_meta')()).to.equal(counted);
          connection.close();
        }
      } finally {
        directory.remove();
      }
    });
  }
});
