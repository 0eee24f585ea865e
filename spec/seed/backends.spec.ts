/** Rows A14-A20 and A47: where responses are kept, and what may be found there. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import axios from 'axios';
import { expect } from 'chai';
import { Keyv } from 'keyv';
import {
  type AnyCacheOptions,
  type CacheOptions,
  type ClassOptions,
  cacheAdapter,
  FileBackend,
  KeyvBackend,
  MemoryBackend,
  SQLiteBackend,
  type Store,
  type StoreMeta,
} from '../../lib/index.js';
import { rig } from '../support/harness.js';
import { Origin } from '../support/origin.js';
import type { Got } from './getter.js';
import { answer, inDirectory, inProcess, programPath, using } from './support.js';

/** Every byte there is, twice over a kilobyte: what text encodings and size classes get wrong. */
const BYTES = Buffer.from(Array.from({ length: 3000 }, (_, at) => at % 256));

const bytes = { responseType: 'arraybuffer' } as const;

/** A backend of a user's own, with an option of its own. */
class OwnBackend implements Store {
  readonly map = new Map<string, Uint8Array>();
  readonly options: { label?: string };
  constructor(options: { label?: string } = {}) {
    this.options = options;
  }
  get(key: string): Uint8Array | undefined {
    return this.map.get(key);
  }
  set(key: string, value: Uint8Array, _meta: StoreMeta): void {
    this.map.set(key, value);
  }
  delete(keys: string[]): number {
    return keys.filter((key) => this.map.delete(key)).length;
  }
  clear(): void {
    this.map.clear();
  }
  async *keys(): AsyncGenerator<string> {
    yield* [...this.map.keys()];
  }
  close(): void {}
}

describe('The seed: backends', () => {
  const kinds: [what: string, options: (directory: string) => AnyCacheOptions][] = [
    ["'sqlite'", (directory) => ({ backend: 'sqlite', cacheName: join(directory, 'c') })],
    ["'SQLITE'", (directory) => ({ backend: 'SQLITE', cacheName: join(directory, 'c') })],
    ['no backend', (directory) => ({ cacheName: join(directory, 'c') })],
    ["'filesystem'", (directory) => ({ backend: 'filesystem', cacheName: join(directory, 'c') })],
    ["'memory'", () => ({ backend: 'memory' })],
    ['FileBackend', (directory) => ({ backend: FileBackend, cacheName: join(directory, 'c') })],
    ['SQLiteBackend', (directory) => ({ backend: SQLiteBackend, cacheName: join(directory, 'c') })],
    ['MemoryBackend', () => ({ backend: MemoryBackend })],
    ['a MemoryBackend', () => ({ backend: new MemoryBackend() })],
    ['a KeyvBackend', () => ({ backend: new KeyvBackend(new Keyv()) })],
    ['a Keyv', () => ({ backend: new Keyv() })],
    ['a Map', () => ({ backend: new Map() })],
    ["a class of the user's", () => ({ backend: OwnBackend })],
    ["an object of the user's", () => ({ backend: new OwnBackend() })],
  ];
  for (const [what, options] of kinds) {
    it(
      `A14 backends: ${what} gives back the same bytes and headers`,
      inDirectory(async (directory) => {
        const own = await rig(options(directory), {}, answer(BYTES.toString('latin1'), {}));
        try {
          own.origin.on('/bytes', (_req, res) => {
            res.writeHead(200, 'Fine', { 'content-type': 'application/octet-stream', 'x-own': ['a', 'b'] });
            res.end(BYTES);
          });
          const first = await own.http.get('/bytes', bytes);
          const second = await own.http.get('/bytes', bytes);
          expect(own.errors).to.deep.equal([]);
          expect([first.fromCache, second.fromCache]).to.deep.equal([false, true]);
          expect(Buffer.from(second.data).equals(BYTES)).to.equal(true);
          expect({ ...second.headers }).to.deep.equal({ ...first.headers });
          expect(second).to.include({ status: 200, statusText: 'Fine' });
        } finally {
          await own.close();
        }
      }),
    );
  }

  it(
    "A14 backends: 'memory' is a new adapter's own, and empty",
    using({ backend: 'memory' }, async ({ http, another, origin }) => {
      await http.get('/a');
      expect((await another({ backend: 'memory' }).http.get('/a')).fromCache).to.equal(false);
      expect(origin.count).to.equal(2);
    }),
  );

  it(
    "A14 backends: what one process stores in 'sqlite' is a hit in the next, and in this one",
    inDirectory(async (directory) => {
      const origin = await Origin.start(answer(BYTES.toString('latin1'), { 'content-type': 'text/x' }));
      const adapter = cacheAdapter({ cacheName: join(directory, 'c') });
      try {
        const url = `${origin.url}/a`;
        const run = () => inProcess<Got[]>(programPath('getter.ts'), [url, join(directory, 'c.sqlite')]);
        const [first] = await run();
        const [second] = await run();
        const here = await axios.get(url, { adapter, ...bytes });
        expect(origin.count).to.equal(1);
        expect(second).to.deep.equal({ ...first, fromCache: true });
        expect(here.fromCache).to.equal(true);
        expect(Buffer.from(here.data).toString('base64')).to.equal(first?.body);
      } finally {
        await adapter.close();
        await origin.close();
      }
    }),
  );

  it('A15 by name: the options of the backend stand beside it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'axios-stash-seed-'));
    const options: CacheOptions = {
      backend: 'sqlite',
      cacheName: `${basename(directory)}/mine.db`,
      useTemp: true,
      busyTimeout: 1,
    };
    try {
      await using(options, async ({ http }) => {
        await http.get('/a');
        expect(existsSync(join(directory, 'mine.db'))).to.equal(true);
      })();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('A15 by name: an option that is not of this backend is refused', () => {
    const options = { backend: 'memory', useTemp: true } as CacheOptions;
    expect(() => cacheAdapter(options))
      .to.throw(/useTemp/)
      .with.property('option', 'useTemp');
  });

  it('A16 by class: it is constructed with the options beside it', async () => {
    let made: OwnBackend | undefined;
    class Spied extends OwnBackend {
      constructor(options: { label?: string }) {
        super(options);
        made = this;
      }
    }
    const options: ClassOptions<typeof Spied> = { backend: Spied, label: 'my-cache' };
    await using(options, async ({ http }) => {
      await http.get('/a');
      expect(made?.options).to.deep.equal({ label: 'my-cache' });
      expect(made?.map.size).to.equal(1);
    })();
  });

  it(
    'A17 by instance: it is used as it is, by as many adapters as one likes',
    // In the seed `session.cache` is the instance; here `adapter.cache` is what maintains it, whichever it is.
    inDirectory(async (directory) => {
      const backend = new SQLiteBackend({ cacheName: join(directory, 'c') });
      await using({ backend }, async ({ http, adapter, another, origin }) => {
        await http.get('/a');
        const other = another({ backend });
        expect((await other.http.get('/a')).fromCache).to.equal(true);
        expect(origin.count).to.equal(1);
        await adapter.close();
        expect((await other.http.get('/a')).fromCache, 'closed by nobody but its maker').to.equal(true);
        await other.adapter.cache.clear();
        expect(await backend.count?.({ now: 0 })).to.equal(0);
      })();
      await backend.close();
    }),
  );

  for (const backend of ['nope', '', 'constructor']) {
    it(`A18 an unknown name, '${backend}', is refused with the names there are`, () => {
      expect(() => cacheAdapter({ backend } as unknown as CacheOptions))
        .to.throw(
          /^Option backend: got '.*'; .*'sqlite', 'redis', 'mongodb', 'gridfs', 'dynamodb', 'filesystem', 'memory'/,
        )
        .with.include({ code: 'ERR_CACHE_OPTION', option: 'backend', value: backend });
    });
  }

  it('A19 custom backends: whatever Keyv takes as a store is one', async () => {
    const map = new Map<string, unknown>();
    const store = {
      get: async (key: string) => map.get(key),
      set: async (key: string, value: unknown) => void map.set(key, value),
      delete: async (key: string) => map.delete(key),
      clear: async () => map.clear(),
    };
    await using({ backend: store as unknown as CacheOptions['backend'] } as CacheOptions, async (own) => {
      await own.http.get('/a');
      expect((await own.http.get('/a')).fromCache).to.equal(true);
      await own.adapter.cache.flush();
      expect(map.size).to.equal(1);
      expect(own.errors).to.deep.equal([]);
    })();
  });

  it(
    'A20 cacheName of sqlite: a path, with ~, relative to the working directory, its directories made, .sqlite added iff there is no dot',
    inDirectory(async (directory) => {
      const origin = await Origin.start();
      try {
        const files: [cacheName: string, file: string][] = [
          ['c', 'c.sqlite'],
          ['c.db', 'c.db'],
          ['c.x.y', 'c.x.y'],
          ['a.b/c', 'a.b/c.sqlite'],
          ['deep/er/c', 'deep/er/c.sqlite'],
          ['~/.cache/x/my', 'home/.cache/x/my.sqlite'],
          [join(directory, 'absolute'), 'absolute.sqlite'],
        ];
        const home = join(directory, 'home');
        const env = { HOME: home, USERPROFILE: home };
        const names = files.map(([cacheName]) => cacheName);
        const args = [`${origin.url}/a`, ...names];
        const got = await inProcess<Got[]>(programPath('getter.ts'), args, { cwd: directory, env });
        expect(got.map(({ fromCache }) => fromCache)).to.deep.equal(names.map(() => false));
        for (const [, file] of files) expect(existsSync(join(directory, file)), file).to.equal(true);
        expect(existsSync(join(directory, 'http_cache.sqlite'))).to.equal(false);
      } finally {
        await origin.close();
      }
    }),
  );

  for (const [what, make] of [
    ['memory', () => new MemoryBackend()],
    ['sqlite', (directory: string) => new SQLiteBackend({ cacheName: join(directory, 'c') })],
    ['filesystem', (directory: string) => new FileBackend({ cacheName: join(directory, 'c') })],
  ] as const) {
    it(
      `A47 upgrades: a record that cannot be read in ${what} is a miss, reported and replaced`,
      inDirectory(async (directory) => {
        const backend = make(directory);
        try {
          await using({ backend, hotBytes: 0 }, async ({ http, origin, errors, adapter }) => {
            const { cacheKey = '' } = await http.get('/a');
            await backend.set(cacheKey, Buffer.from('garbage'), { createdAt: 0, url: '' });
            expect(await http.get('/a')).to.include({ fromCache: false, status: 200 });
            expect((await http.get('/a')).fromCache).to.equal(true);
            expect(origin.count).to.equal(2);
            expect(errors.map(({ key, error }) => [key, error?.name])).to.deep.equal([
              [cacheKey, 'CacheRecordError'],
            ]);
            expect(await adapter.cache.count()).to.equal(1);
          })();
        } finally {
          await backend.close();
        }
      }),
    );
  }
});
