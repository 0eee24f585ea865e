/** Several processes on one SQLite file: at once, and one killed in the middle of its writes. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axios from 'axios';
import { expect } from 'chai';
import { cacheAdapter } from '../../lib/index.js';
import { findDriver } from '../../lib/stores/sqlite/driver.js';
import { collect } from '../cache/support.js';
import { type Built, build } from '../support/built.js';
import { Origin } from '../support/origin.js';
import { KINDS, run, start } from './program.js';

const HEAD = `
  const adapter = stash.cacheAdapter({ cacheName: args.path, busyTimeout: 15, ...args.options });
  const http = axios.create({ adapter });
  const events = [];
  adapter.cache.on('error', ({ reason, error }) => events.push(reason + ': ' + error.message));`;

const SHARE = `${HEAD}
  let wrong = 0;
  for (let round = 0; round < 3; round++) {
    await Promise.all(args.paths.map(async (path) => {
      const { data } = await http.get(args.url + path, { forceRefresh: round === 1 });
      if (data.url !== path) wrong += 1;
    }));
    if (round === 0) await adapter.cache.delete({ urls: [args.url + args.paths[0]] });
    if (round === 1) await adapter.removeExpiredResponses();
  }
  await adapter.close();
  return { wrong, events };`;

const WRITE_ON = `${HEAD}
  for (let n = 0; n < 1e6; n++) await http.get(args.url + '/w' + args.id + '-' + n);`;

function integrity(path: string): unknown {
  const connection = findDriver().open(path);
  try {
    return connection.rows('PRAGMA integrity_check')();
  } finally {
    connection.close();
  }
}

describe('several processes on one SQLite file', () => {
  let built: Built;
  let origin: Origin;
  let directory: string;
  let path: string;
  before(async function () {
    this.timeout(60_000);
    built = await build();
  });
  beforeEach(async () => {
    origin = await Origin.start();
    directory = await mkdtemp(join(tmpdir(), 'axios-stash-process-'));
    path = join(directory, 'cache.sqlite');
  });
  afterEach(async () => {
    await origin.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function stored<T>(look: (adapter: ReturnType<typeof cacheAdapter>) => Promise<T>): Promise<T> {
    const adapter = cacheAdapter({ cacheName: path });
    try {
      return await look(adapter);
    } finally {
      await adapter.close();
    }
  }

  it('share its URLs without an error, a wrong answer or a damaged file', async () => {
    const paths = Array.from({ length: 25 }, (_, n) => `/${n}`);
    const kinds = [...KINDS, ...KINDS];
    const outcomes = await Promise.all(
      kinds.map((kind) => run(built, kind, SHARE, { path, paths, url: origin.url })),
    );
    for (const outcome of outcomes) {
      expect(outcome).to.deep.equal({ value: { wrong: 0, events: [] }, stderr: '', ended: 0 });
    }
    expect(integrity(path)).to.deep.equal([{ integrity_check: 'ok' }]);
    await stored(async ({ cache }) => {
      expect(await cache.count()).to.equal(paths.length);
      expect(await collect(cache.keys())).to.have.length(paths.length);
      expect(await collect(cache.filter({ valid: false, invalid: true }))).to.deep.equal([]);
    });
  });

  it('see at once what another has changed, hot records too', async () => {
    const before = await run(built, 'import', `${HEAD} await http.get(args.url + '/a');`, {
      path,
      url: origin.url,
    });
    expect(before).to.deep.equal({ value: null, stderr: '', ended: 0 });
    await stored(async (adapter) => {
      const http = axios.create({ adapter });
      const first = await http.get(`${origin.url}/a`);
      expect((await http.get(`${origin.url}/a`)).fromCache).to.equal(true);
      const renew = `${HEAD} return (await http.get(args.url + '/a', { forceRefresh: true })).data;`;
      const { value } = await run(built, 'require', renew, { path, url: origin.url });
      const second = await http.get(`${origin.url}/a`);
      expect(second.fromCache).to.equal(true);
      expect(second.data).to.deep.equal(value).and.not.deep.equal(first.data);
      await run(built, 'import', `${HEAD} await adapter.clear();`, { path, url: origin.url });
      expect((await http.get(`${origin.url}/a`)).fromCache).to.equal(false);
    });
  });

  it('leave a sound file when they are killed in the middle of writes', async () => {
    // Which write it meets can't be chosen, so several are killed, each one after the file has proved to be in use.
    for (const [id, kind] of [...KINDS, ...KINDS].entries()) {
      const asked = origin.count;
      const { child, outcome } = await start(built, kind, WRITE_ON, { path, url: origin.url, id });
      while (origin.count < asked + 40 + id * 7 && child.exitCode === null) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
      expect(await outcome).to.include({ stderr: '', ended: 'SIGKILL' });
      const errors: unknown[] = [];
      await stored(async (adapter) => {
        adapter.cache.on('error', ({ error }) => errors.push(error));
        const http = axios.create({ adapter });
        // Written as a group a moment later, the last few may be lost; what is there is whole.
        expect(await adapter.cache.count()).to.be.greaterThan(0);
        expect(await collect(adapter.cache.filter({ valid: false, invalid: true }))).to.deep.equal([]);
        for await (const { key, request } of adapter.cache.values()) {
          const hit = await http.get(request.url);
          expect([hit.cacheKey, hit.fromCache]).to.deep.equal([key, true]);
        }
      });
      expect(errors).to.deep.equal([]);
      expect(integrity(path)).to.deep.equal([{ integrity_check: 'ok' }]);
    }
  });
});
