/** What a program of its own shows: that it ends by itself, says nothing, and finds what another one stored. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Built, build } from '../support/built.js';
import { Origin } from '../support/origin.js';
import { KINDS, type Kind, run } from './program.js';

/** Requests in a row over one cache; what each answered. */
const REQUESTS = `
  const adapter = stash.cacheAdapter(args.options);
  const http = axios.create({ adapter });
  const events = [];
  adapter.cache.on('error', ({ reason, error }) => events.push(reason + ': ' + error.message));
  const seen = [];
  for (const config of args.requests) {
    const { fromCache, data, status } = await http.request(config);
    seen.push({ fromCache, data, status });
  }
  if (args.close) await adapter.close();
  return { seen, events };`;

interface Seen {
  seen: { fromCache: boolean; data: unknown; status: number }[];
  events: string[];
}

for (const kind of KINDS) {
  describe(`a program of its own (${kind})`, () => {
    let built: Built;
    let origin: Origin;
    let directory: string;
    before(async function () {
      this.timeout(60_000);
      built = await build();
    });
    beforeEach(async () => {
      origin = await Origin.start();
      directory = await mkdtemp(join(tmpdir(), 'axios-stash-process-'));
    });
    afterEach(async () => {
      await origin.close();
      await rm(directory, { recursive: true, force: true });
    });

    /** Ends by itself, with nothing on stderr. */
    async function quiet(body: string, args: object, by: Kind = kind): Promise<unknown> {
      const { value, stderr, ended } = await run(built, by, body, args);
      expect(stderr).to.equal('');
      expect(ended).to.equal(0);
      return value;
    }

    for (const backend of ['sqlite', 'memory', 'plain map'] as const) {
      for (const close of [true, false]) {
        it(`ends by itself after requests over ${backend}, ${close ? 'closed' : 'never closed'}`, async () => {
          const options =
            backend === 'sqlite' ? { cacheName: join(directory, 'cache') } : { backend: 'memory' as const };
          const body =
            backend === 'plain map'
              ? REQUESTS.replace('args.options', '{ ...args.options, backend: new Map() }')
              : REQUESTS;
          const url = `${origin.url}/a`;
          const requests = [
            { url, expireAfter: 60 },
            { url },
            { url, method: 'head' },
            { url, method: 'post', data: { x: 1 } },
            { url: `${origin.url}/b`, timeout: 60_000 },
            { url: `${origin.url}/b`, timeout: 60_000 },
          ];
          const { seen, events } = (await quiet(body, { options, requests, close })) as Seen;
          expect(seen.map(({ fromCache }) => fromCache)).to.deep.equal([
            false,
            true,
            false,
            false,
            false,
            true,
          ]);
          expect(events).to.deep.equal([]);
        });
      }
    }

    it('finds what another program stored, imported or required', async () => {
      const other = kind === 'import' ? 'require' : 'import';
      const args = {
        options: { cacheName: join(directory, 'cache') },
        requests: [
          { url: `${origin.url}/a?x=1` },
          { url: `${origin.url}/a`, auth: { username: 'a', password: 'b' } },
        ],
      };
      const first = (await quiet(REQUESTS, args)) as Seen;
      const second = (await quiet(REQUESTS, args, other)) as Seen;
      expect(first.seen.map(({ fromCache }) => fromCache)).to.deep.equal([false, false]);
      expect(second.seen.map(({ fromCache }) => fromCache)).to.deep.equal([true, true]);
      expect(second.seen.map(({ data }) => data)).to.deep.equal(first.seen.map(({ data }) => data));
      expect(origin.count).to.equal(2);
    });

    it('finds ./http_cache.sqlite without any option, private to the user', async () => {
      const body = `process.chdir(args.directory); ${REQUESTS.replace('args.options', '')}`;
      const args = { directory, requests: [{ url: `${origin.url}/a` }] };
      await quiet(body, args);
      const { seen } = (await quiet(body, args)) as Seen;
      expect(seen[0]?.fromCache).to.equal(true);
      const files = await readdir(directory);
      expect(files).to.include('http_cache.sqlite');
      if (process.platform === 'win32') return;
      for (const file of files) {
        const { mode } = await stat(join(directory, file));
        expect(mode & 0o077, file).to.equal(0);
      }
    });

    it('has the fields of the response at run time, on errors too', async () => {
      origin.on('/500', (_req, res) => {
        res.statusCode = 500;
        res.end();
      });
      const value = await quiet(
        `
        const adapter = stash.cacheAdapter({ backend: 'memory' });
        const http = axios.create({ adapter });
        const first = await http.get(args.url + '/a', { expireAfter: { minutes: 5 } });
        const hit = await http.get(args.url + '/a', { cache: true });
        const { response } = await http.get(args.url + '/500').catch((error) => error);
        const only = await http.get(args.url + '/none', { onlyIfCached: true, validateStatus: () => true });
        return [first, hit, response, only].map((one) => ({
          fromCache: one.fromCache, isExpired: one.isExpired, revalidated: one.revalidated, key: typeof one.cacheKey,
          createdAt: one.createdAt instanceof Date, expires: one.expires instanceof Date, redirects: one.redirects,
          hit: one.cacheStatus.hit, headers: one.headers instanceof axios.AxiosHeaders, status: one.status,
        }));`,
        { url: origin.url },
      );
      const none = { isExpired: false, revalidated: false, redirects: [], headers: true };
      const stored = { ...none, key: 'string', createdAt: true, expires: true, status: 200 };
      const unstored = {
        ...none,
        fromCache: false,
        key: 'undefined',
        createdAt: false,
        expires: false,
        hit: false,
      };
      expect(value).to.deep.equal([
        { ...stored, fromCache: false, hit: false },
        { ...stored, fromCache: true, hit: true },
        { ...unstored, status: 500 },
        { ...unstored, status: 504 },
      ]);
    });

    it('loads no driver, nor what only some use, and changes nothing by loading the package alone', async () => {
      const value = (await quiet(
        `
        const { readdirSync } = require('node:fs');
        process.chdir(args.directory);
        const loaded = [...process.moduleLoadList, ...Object.keys(require.cache)];
        const isDriver = (name) => /sqlite|redis|mongo|dynamodb|micromatch/i.test(name) && !name.includes('axios-stash-');
        return {
          drivers: loaded.filter(isDriver),
          handles: process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|TCP|UDP|Worker|Message/.test(name)),
          adapter: axios.defaults.adapter,
          listeners: process.eventNames().filter((name) => /beforeExit|reject|exception|SIG/i.test(String(name))),
          files: readdirSync('.'),
          globals: Object.keys(globalThis).filter((name) => /stash|cache/i.test(name)),
        };`,
        { directory },
      )) as object;
      expect(value).to.deep.equal({
        drivers: [],
        handles: [],
        adapter: ['xhr', 'http', 'fetch'],
        listeners: [],
        files: [],
        globals: [],
      });
    });

    it('sets a corrupt file aside with an error event, while its requests succeed', async () => {
      const path = join(directory, 'cache.sqlite');
      await writeFile(path, 'this is no database, and was perhaps of value to somebody '.repeat(100));
      const url = `${origin.url}/a`;
      const args = { options: { cacheName: path }, requests: [{ url }, { url }] };
      const { seen, events } = (await quiet(REQUESTS, args)) as Seen;
      expect(seen.map(({ fromCache }) => fromCache)).to.deep.equal([false, true]);
      expect(events).to.have.length(1);
      expect(events[0]).to.include('database set aside').and.include(path);
      const aside = (await readdir(directory)).filter((name) => !/^cache\.sqlite(-wal|-shm)?$/.test(name));
      expect(aside).to.have.length(1);
      expect(await readFile(join(directory, aside[0] ?? ''), 'utf8')).to.include('of value to somebody');
      const next = (await quiet(REQUESTS, args)) as Seen;
      expect(next.seen.map(({ fromCache }) => fromCache)).to.deep.equal([true, true]);
      expect(next.events).to.deep.equal([]);
    });
  });
}
