/** What a program of its own shows: the builds, by import and by require, with nothing of ours in between. */
import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type Built, build, scratchDirectory } from '../support/built.js';
import { Origin } from '../support/origin.js';

const run = promisify(execFile);

/** The programs; `stash`, `axios` and `url` are at hand, what they return is printed as JSON. */
const PROGRAMS = {
  roundTrip: `
    const before = axios.defaults.adapter;
    const old = axios.create();
    stash.installCache({ expireAfter: 360 });
    const fresh = axios.create();
    const seen = [];
    for (const client of [axios, axios, fresh, old]) seen.push((await client.get(url)).fromCache ?? null);
    seen.push((await stash.disabled(() => axios.get(url))).fromCache ?? null);
    await stash.uninstallCache();
    seen.push((await axios.get(url)).fromCache ?? null);
    return { seen, restored: axios.defaults.adapter === before };`,
  fromFile: `
    stash.installCache();
    const { fromCache } = await axios.get(url);
    await stash.uninstallCache();
    return fromCache;`,
  // Left installed: neither a timer nor an open file may keep the process from its end.
  neverUninstalled: `
    stash.installCache({ backend: 'memory' });
    return (await axios.get(url)).fromCache;`,
  ended: `
    await stash.enabled({ backend: 'memory' }, () => axios.get(url));
    return stash.isInstalled();`,
  worker: `
    stash.installCache({ backend: 'memory' });
    const inWorker = () => new Promise((resolve, reject) => {
      const worker = new Worker(file, { argv: [url] });
      worker.once('message', resolve).once('error', reject);
    });
    await axios.get(url);
    const seen = await inWorker();
    return { seen, here: (await axios.get(url)).fromCache };`,
  inWorker: `
    const first = [stash.isInstalled(), (await axios.get(url)).fromCache ?? null];
    stash.installCache({ backend: 'memory' });
    return [...first, (await axios.get(url)).fromCache];`,
};

type Kind = 'import' | 'require';

const HEADS: Record<Kind, (built: Built) => string> = {
  import: ({ esm }) => `
    import axios from 'axios';
    import { Worker, parentPort } from 'node:worker_threads';
    import { fileURLToPath } from 'node:url';
    import * as stash from ${JSON.stringify(esm)};
    const file = fileURLToPath(import.meta.url);`,
  require: ({ cjs }) => `
    const axios = require('axios');
    const { Worker, parentPort } = require('node:worker_threads');
    const stash = require(${JSON.stringify(cjs)});
    const file = __filename;`,
};

for (const kind of ['import', 'require'] as const) {
  describe(`patching in a program of its own (${kind})`, () => {
    let built: Built;
    let directory: string;
    let origin: Origin;
    before(async () => {
      built = await build();
    });
    beforeEach(async () => {
      origin = await Origin.start();
      directory = await scratchDirectory();
    });
    afterEach(() => origin.close());

    /** Runs a program in a directory of its own; it must end by itself. */
    async function result(program: string, inWorker = ''): Promise<unknown> {
      const file = join(directory, kind === 'import' ? 'program.mjs' : 'program.cjs');
      const source = `${HEADS[kind](built)}
        const url = process.argv[2];
        const program = async () => {${program}};
        const asWorker = async () => {${inWorker}};
        if (parentPort) asWorker().then((value) => parentPort.postMessage(value));
        else program().then((value) => process.stdout.write(JSON.stringify(value)));`;
      await writeFile(file, source);
      const { stdout } = await run(process.execPath, [file, origin.url], { cwd: directory, timeout: 15_000 });
      return JSON.parse(stdout) as unknown;
    }

    it('installs, serves from ./http_cache.sqlite, and restores the very adapter', async () => {
      expect(await result(PROGRAMS.roundTrip)).to.deep.equal({
        seen: [false, true, true, null, null, null],
        restored: true,
      });
      expect(origin.count).to.equal(4);
      expect(await readdir(directory)).to.include('http_cache.sqlite');
    });

    it('one process is served what another one stored', async () => {
      expect(await result(PROGRAMS.fromFile)).to.equal(false);
      expect(await result(PROGRAMS.fromFile)).to.equal(true);
      expect(origin.count).to.equal(1);
    });

    it('a program that never uninstalls still ends', async () => {
      expect(await result(PROGRAMS.neverUninstalled)).to.equal(false);
      expect(await result(PROGRAMS.ended)).to.equal(false);
    });

    it('each thread patches its own axios, and only its own', async () => {
      expect(await result(PROGRAMS.worker, PROGRAMS.inWorker)).to.deep.equal({
        seen: [false, null, false],
        here: true,
      });
      expect(origin.count).to.equal(3);
    });
  });
}

describe('the other copy of axios in a program of its own', () => {
  let origin: Origin;
  beforeEach(async () => {
    origin = await Origin.start();
  });
  afterEach(() => origin.close());

  it('import patches what import gives; the copy of require is patched when it is named', async () => {
    const built = await build();
    const directory = await scratchDirectory();
    const file = join(directory, 'both.mjs');
    await writeFile(
      file,
      `import axios from 'axios';
      import { createRequire } from 'node:module';
      import { installCache, uninstallCache } from ${JSON.stringify(built.esm)};
      const other = createRequire(import.meta.url)('axios');
      const url = process.argv[2];
      const before = [axios, other].map(({ defaults }) => defaults.adapter);
      const seen = [other !== axios];
      installCache({ backend: 'memory' });
      for (const copy of [axios, axios, other]) seen.push((await copy.get(url)).fromCache ?? null);
      installCache({ backend: 'memory', axios: [axios, other] });
      for (const copy of [axios, other]) seen.push((await copy.get(url)).fromCache ?? null);
      await uninstallCache();
      seen.push([axios, other].every(({ defaults }, at) => defaults.adapter === before[at]));
      process.stdout.write(JSON.stringify(seen));`,
    );
    const { stdout } = await run(process.execPath, [file, origin.url], { timeout: 15_000 });
    expect(JSON.parse(stdout)).to.deep.equal([true, false, true, null, false, true, true]);
  });
});
