import { execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { isCacheError } from '../../lib/errors.js';
import { encodeHeader, parseHeader } from '../../lib/stores/entry-format.js';
import { LARGE } from '../../lib/stores/file/tree.js';
import { FileBackend, type FileOptions } from '../../lib/stores/file.js';
import { decodeKey, encodeKey } from '../../lib/stores/stored-keys.js';
import { rig } from '../support/harness.js';
import { allKeys, expectStoreError, failure, meta, storeContract, text } from './contract.js';
import { temporaryDirectory } from './drivers.js';

const run = promisify(execFile);
const worker = fileURLToPath(new URL('./file-worker.ts', import.meta.url));
const workerArgs = (...args: string[]) => ['--import', 'tsx', worker, ...args];

function inProcess(...args: string[]): Promise<{ stdout: string }> {
  return run(process.execPath, workerArgs(...args));
}

storeContract(
  'FileBackend',
  () => {
    const { path, remove } = temporaryDirectory();
    const open = () => new FileBackend({ cacheName: join(path, 'deep', 'er', 'cache') });
    return { store: open(), reopen: open, dispose: remove };
  },
  { full: ['count', 'size', 'deleteExpired', 'keysByUrl'], persistent: true },
);

describe('FileBackend', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let cacheName: string;
  let store: FileBackend;
  beforeEach(() => {
    directory = temporaryDirectory();
    cacheName = join(directory.path, 'cache');
    store = new FileBackend({ cacheName });
  });
  afterEach(async () => {
    await store.close();
    directory.remove();
  });

  /** All files below the directory, relative to it. */
  const files = (): string[] =>
    readdirSync(cacheName, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(relative(cacheName, entry.parentPath), entry.name))
      .sort();

  /** Where the one entry is that there is. */
  const onlyFile = (): string => {
    const [file = '', ...others] = files();
    expect(others).to.deep.equal([]);
    return join(cacheName, file);
  };

  describe('the path', () => {
    const absolute = resolve(tmpdir(), 'axios-stash-absolute');
    const rows: [options: FileOptions, path: string][] = [
      [{}, resolve('http_cache')],
      [{ cacheName: 'a.b/c' }, resolve('a.b/c')],
      [{ cacheName: '~/c' }, join(homedir(), 'c')],
      [{ cacheName: 'c', useTemp: true }, join(tmpdir(), 'c')],
      [{ cacheName: absolute, useTemp: true, useCacheDir: true }, absolute],
    ];
    for (const [options, path] of rows) {
      it(`of ${JSON.stringify(options)} is ${path}`, () => {
        expect(new FileBackend(options).path).to.equal(path);
      });
    }

    const wrong: [what: string, options: () => object, message: RegExp][] = [
      ['a name that is no text', () => ({ cacheName: 5 }), /cacheName: got 5; allowed: a non-empty path/],
      [
        'useTemp that is no boolean',
        () => ({ useTemp: 'yes' }),
        /useTemp: got 'yes'; allowed: true or false/,
      ],
      ['useCacheDir that is no boolean', () => ({ useCacheDir: 1 }), /useCacheDir: got 1/],
      ['an option it does not have', () => ({ driver: 'keyv' }), /filesystem has no such option/],
      ['a path that is a file', () => ({ cacheName: join(directory.path, 'file') }), /is not a directory/],
      ['a path below a file', () => ({ cacheName: join(directory.path, 'file/a/b') }), /is not a directory/],
    ];
    for (const [what, options, message] of wrong) {
      it(`refuses ${what} at construction`, async () => {
        writeFileSync(join(directory.path, 'file'), 'in the way');
        const error = await failure(() => new FileBackend(options()));
        expect(isCacheError(error) && error.code).to.equal('ERR_CACHE_OPTION');
        expect(String(error)).to.match(message);
      });
    }
  });

  it('makes nothing before something is stored', async () => {
    expect(await store.get('key')).to.equal(undefined);
    expect(await store.delete(['key'])).to.equal(0);
    expect(await allKeys(store)).to.deep.equal([]);
    expect(await store.count({ now: 0 })).to.equal(0);
    expect(await store.deleteExpired(0)).to.equal(0);
    await store.clear();
    expect(existsSync(cacheName)).to.equal(false);
  });

  it('answers at once, save for large values', async () => {
    expect(store.set('key', Buffer.from('value'), meta())).to.equal(undefined);
    expect(store.get('key')).to.be.instanceOf(Uint8Array);
    expect(store.get('missing')).to.equal(undefined);
    expect(store.delete(['key'])).to.equal(1);
    const writing = store.set('large', Buffer.alloc(LARGE + 1, 7), meta());
    expect(writing).to.be.instanceOf(Promise);
    await writing;
    const reading = store.get('large');
    expect(reading).to.be.instanceOf(Promise);
    expect((await reading)?.byteLength).to.equal(LARGE + 1);
  });

  it('gives bodies of sizes round its own bounds back exactly', async () => {
    for (const size of [4095, 4096, 4097, LARGE - 100, LARGE - 1, LARGE, LARGE + 1]) {
      const value = randomBytes(size);
      await store.set('key', value, meta());
      expect(value.equals((await store.get('key')) ?? randomBytes(1)), String(size)).to.equal(true);
      expect(await store.size()).to.equal(size);
    }
  });

  describe('the files', () => {
    const hostile = ['../../../escape', '/etc/passwd', 'a\nb', 'nul\0', 'CON', 'k'.repeat(100_000), '', '~'];

    it('have names that no key can choose, two levels deep', async () => {
      for (const key of hostile) await store.set(key, Buffer.from(key), meta());
      for (const key of hostile) expect(text(await store.get(key))).to.equal(key);
      expect(files().length).to.equal(hostile.length);
      for (const file of files()) expect(file).to.match(/^[0-9a-f]{2}[\\/][0-9a-f]{62}\.stash1$/);
      expect(readdirSync(directory.path)).to.deep.equal(['cache']);
      expect((await allKeys(store)).sort()).to.deep.equal([...hostile].sort());
    });

    it('are private to the user, and so are the directories made for them', async function () {
      if (process.platform === 'win32') this.skip();
      const nested = new FileBackend({ cacheName: join(cacheName, 'a', 'b') });
      await nested.set('small', Buffer.from('value'), meta());
      await nested.set('large', Buffer.alloc(LARGE + 1), meta());
      let seen = 0;
      for (const entry of readdirSync(directory.path, { recursive: true, withFileTypes: true })) {
        const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
        expect(mode, entry.name).to.equal(entry.isDirectory() ? 0o700 : 0o600);
        seen++;
      }
      expect(seen).to.be.greaterThan(6);
      await nested.close();
    });

    it('leave nothing else behind: replaced entries and their drafts are gone', async () => {
      for (let n = 0; n < 5; n++) {
        await store.set('small', Buffer.alloc(n), meta());
        await store.set('large', Buffer.alloc(LARGE + n + 1), meta());
      }
      expect(files().length).to.equal(2);
    });

    it('carry what the store must know, whatever it is', () => {
      const whole = fc.record({
        key: fc.string({ unit: 'binary', maxLength: 200 }),
        url: fc.webUrl({ withQueryParameters: true }),
        createdAt: fc.integer(),
        expiresAt: fc.option(fc.double({ noNaN: true }), { nil: undefined }),
        index: fc.boolean(),
        size: fc.nat(),
      });
      fc.assert(
        fc.property(whole, ({ key, url, createdAt, expiresAt, index, size }) => {
          const more = expiresAt === undefined ? {} : { expiresAt };
          const header = encodeHeader(encodeKey(key), size, { url, createdAt, index, ...more });
          const parsed = parseHeader(header, header.length + size);
          if (typeof parsed === 'string') throw new Error(parsed);
          expect(decodeKey(parsed.key)).to.equal(key);
          expect(parsed).to.include({ url, expiresAt, index, size, start: header.length });
          expect(parseHeader(header, header.length + size + 1)).to.equal('damaged');
        }),
      );
    });

    it('never make parsing throw, whatever is in them', () => {
      const marked = fc
        .uint8Array({ maxLength: 100 })
        .map((rest) => Buffer.concat([Buffer.from('AXSTASH1'), rest]));
      const any = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
      fc.assert(fc.property(marked, (bytes) => parseHeader(bytes, bytes.length) === 'damaged'));
      fc.assert(fc.property(any, (bytes) => parseHeader(bytes, bytes.length) === 'foreign'));
    });
  });

  describe("somebody else's files", () => {
    const digits = 'a'.repeat(62);
    const foreign = [
      'readme.txt',
      'cache.sqlite',
      'ab/config',
      `ab/${digits}`,
      `ab/${digits}.stash1`,
      `ab/${digits}.stash2`,
      `abc/${digits}.stash1`,
      'sub/directory/file',
      '.hidden',
    ];

    beforeEach(async () => {
      for (const name of foreign) {
        mkdirSync(dirname(join(cacheName, name)), { recursive: true });
        writeFileSync(join(cacheName, name), `content of ${name}, longer than any header would be`);
      }
      writeFileSync(join(directory.path, 'sibling'), 'a sibling');
      mkdirSync(join(cacheName, 'ab', `${'b'.repeat(62)}.stash1`));
      await store.set('key', Buffer.from('value'), meta({ expiresAt: 1 }));
      await store.set('other', Buffer.from('value'), meta());
    });

    it('are not counted, listed or found', async () => {
      expect((await allKeys(store)).sort()).to.deep.equal(['key', 'other']);
      expect(await store.count({ now: 5 })).to.equal(2);
      expect(await store.size()).to.equal(10);
      expect((await store.keysByUrl(meta().url)).sort()).to.deep.equal(['key', 'other']);
    });

    it('survive clear() and the removal of expired entries', async () => {
      expect(await store.deleteExpired(5)).to.equal(1);
      await store.clear();
      expect(await allKeys(store)).to.deep.equal([]);
      expect(files()).to.deep.equal(foreign.map((name) => join(name)).sort());
      for (const name of foreign)
        expect(readFileSync(join(cacheName, name), 'utf8')).to.match(/^content of .*would be$/);
      expect(readFileSync(join(directory.path, 'sibling'), 'utf8')).to.equal('a sibling');
    });

    // There is no such file for root, who may read all.
    const mayReadAll = process.platform === 'win32' || process.getuid?.() === 0;
    if (!mayReadAll) {
      it('that may not be read are passed over', async () => {
        const file = join(cacheName, `ab/${digits}.stash1`);
        chmodSync(file, 0);
        expect((await allKeys(store)).sort()).to.deep.equal(['key', 'other']);
        await store.clear();
        expect(existsSync(file)).to.equal(true);
      });
    }
  });

  describe('a file that is damaged', () => {
    const damages: [what: string, damage: (file: string) => void, isOurs: boolean][] = [
      ['cut short', (file) => truncateSync(file, statSync(file).size - 1), true],
      ['cut in its header', (file) => truncateSync(file, 30), true],
      ['longer than it was', (file) => writeFileSync(file, 'more', { flag: 'a' }), true],
      ['empty', (file) => truncateSync(file, 0), false],
      ['overwritten', (file) => writeFileSync(file, 'no entry at all'), false],
    ];
    for (const [what, damage, isOurs] of damages) {
      it(`(${what}) fails to be read, is passed over by maintenance, and is replaced`, async () => {
        await store.set('key', Buffer.from('value'), meta({ expiresAt: 1 }));
        const file = onlyFile();
        damage(file);
        const error = await failure(() => store.get('key'));
        expect(isCacheError(error) && error.code).to.equal('ERR_CACHE_RECORD');
        expect(await allKeys(store)).to.deep.equal([]);
        expect(await store.count({ now: 5 })).to.equal(0);
        expect(await store.size()).to.equal(0);
        expect(await store.keysByUrl(meta().url)).to.deep.equal([]);
        await store.set('key', Buffer.from('new'), meta());
        expect(text(await store.get('key'))).to.equal('new');
      });

      it(`(${what}) is ${isOurs ? 'removed' : 'left alone'} by clear() and by the removal of expired entries`, async () => {
        for (const remove of [() => store.clear(), () => store.deleteExpired(0)]) {
          await store.set('key', Buffer.from('value'), meta());
          damage(onlyFile());
          await remove();
          expect(files().length).to.equal(isOurs ? 0 : 1);
        }
      });
    }

    it("is not taken for another key's", async () => {
      await store.set('a', Buffer.from('of a'), meta());
      const file = onlyFile();
      copyFileSync(file, join(directory.path, 'copy'));
      rmSync(file);
      await store.set('b', Buffer.from('of b'), meta());
      copyFileSync(join(directory.path, 'copy'), onlyFile());
      const error = await failure(() => store.get('b'));
      expect(String(error)).to.match(/another key's/);
    });
  });

  describe('what is no file, in the place of an entry', () => {
    const kinds: [what: string, make: (path: string) => unknown][] = [
      ['a pipe', (path) => execFileSync('mkfifo', [path])],
      ['a directory', (path) => mkdirSync(path)],
      ['a socket', (path) => once(createServer().listen(path).unref(), 'listening')],
      ['links round in a circle', (path) => symlinkSync(path, path)],
      ['a link to a device', (path) => symlinkSync('/dev/zero', path)],
    ];
    for (const [what, make] of kinds) {
      it(`(${what}) is not waited for, fails to be read, and is passed over by maintenance`, async function () {
        if (process.platform === 'win32') this.skip();
        const first = join(directory.path, 'first');
        await store.set('key', Buffer.from('value'), meta());
        const file = onlyFile();
        rmSync(file);
        // Made elsewhere: a socket's path may not be long.
        await make(first);
        if (what.startsWith('links')) symlinkSync(file, file);
        else renameSync(first, file);
        const error = await failure(() => store.get('key'));
        expect(isCacheError(error) && error.code).to.equal('ERR_CACHE_RECORD');
        expect(await allKeys(store)).to.deep.equal([]);
        expect(await store.count({ now: 5 })).to.equal(0);
        expect(await store.size()).to.equal(0);
        expect(await store.keysByUrl(meta().url)).to.deep.equal([]);
        expect(await store.deleteExpired(5)).to.equal(0);
        await store.clear();
        expect(lstatSync(file).isFile()).to.equal(false);
        if (what === 'a directory') return; // nothing can take its place
        await store.set('key', Buffer.from('new'), meta());
        expect(text(await store.get('key'))).to.equal('new');
      });
    }
  });

  describe('the directory', () => {
    it('is made anew when it was removed', async () => {
      await store.set('key', Buffer.from('value'), meta());
      rmSync(cacheName, { recursive: true });
      expect(await store.get('key')).to.equal(undefined);
      expect(await store.count({ now: 0 })).to.equal(0);
      await store.set('key', Buffer.from('again'), meta());
      expect(text(await store.get('key'))).to.equal('again');
    });

    it('fails each operation while a file is in its place, and nothing after', async () => {
      await store.set('key', Buffer.from('value'), meta());
      renameSync(cacheName, `${cacheName}-aside`);
      writeFileSync(cacheName, 'in the way');
      await expectStoreError(() => store.get('key'));
      await expectStoreError(() => store.set('key', Buffer.from('value'), meta()));
      await expectStoreError(() => store.set('key', Buffer.alloc(LARGE + 1), meta()));
      await expectStoreError(() => store.delete(['key']));
      await expectStoreError(() => store.clear());
      await expectStoreError(() => allKeys(store));
      await expectStoreError(() => store.count({ now: 0 }));
      await expectStoreError(() => store.keysByUrl('u'));
      expect(await failure(() => store.get('key'))).to.have.nested.property('cause.code', 'ENOTDIR');
      expect(readFileSync(cacheName, 'utf8')).to.equal('in the way');
      rmSync(cacheName);
      renameSync(`${cacheName}-aside`, cacheName);
      expect(text(await store.get('key'))).to.equal('value');
    });
  });

  describe('one thing while another is under way', () => {
    const large = Buffer.alloc(4 * LARGE, 1);

    it('keeps the later write of a key, though the earlier takes longer', async () => {
      const first = store.set('key', large, meta());
      store.set('key', Buffer.from('later'), meta());
      await first;
      expect(text(await store.get('key'))).to.equal('later');
      const both = [store.set('key', large, meta()), store.set('key', Buffer.alloc(2 * LARGE, 2), meta())];
      await Promise.all(both);
      expect(((await store.get('key')) ?? [])[0]).to.equal(2);
      expect(files().length).to.equal(1);
    });

    it('does not bring back what was deleted or cleared while it was written', async () => {
      for (const remove of [() => store.delete(['key']), () => store.clear()]) {
        const writing = store.set('key', large, meta());
        await remove();
        await writing;
        expect(await store.get('key')).to.equal(undefined);
        expect(files()).to.deep.equal([]);
      }
    });

    it('goes on reading what was there when it began, though it is replaced or deleted', async () => {
      await store.set('key', large, meta());
      const reading = store.get('key');
      store.set('key', Buffer.from('new'), meta());
      store.delete(['key']);
      expect(large.equals((await reading) ?? Buffer.alloc(0))).to.equal(true);
    });

    it('keeps what is stored while it is being cleared', async () => {
      const keys = Array.from({ length: 1000 }, (_, n) => `key ${n}`);
      for (const key of keys) store.set(key, Buffer.from(key), meta());
      const clearing = store.clear();
      for (const key of keys.slice(0, 200)) store.set(key, Buffer.from('new'), meta());
      await clearing;
      expect((await allKeys(store)).sort()).to.deep.equal(keys.slice(0, 200).sort());
    });

    it('closes when what was being written is there', async () => {
      void store.set('key', large, meta());
      await store.close();
      const again = new FileBackend({ cacheName });
      expect(large.equals((await again.get('key')) ?? Buffer.alloc(0))).to.equal(true);
      await again.close();
    });
  });

  describe('several processes', () => {
    it('give each other what they stored', async () => {
      await store.set('ours', Buffer.from('from here'), meta());
      expect((await inProcess(cacheName, 'read', 'ours')).stdout).to.equal('from here');
      await inProcess(cacheName, 'write', 'theirs', '3');
      expect(text(await store.get('theirs 2'))).to.equal('theirs 2');
      expect(await store.count({ now: 0 })).to.equal(4);
    });

    it('lose none of 4 x 250 writes to a new directory', async () => {
      await Promise.all(['a', 'b', 'c', 'd'].map((name) => inProcess(cacheName, 'write', name, '250')));
      expect((await allKeys(store)).length).to.equal(1000);
      expect(await store.count({ now: 0 })).to.equal(1000);
    });

    for (const [what, bytes] of [
      ['small', 300_000],
      ['large', 8 * LARGE],
    ] as const) {
      it(`never show half of a ${what} value, neither while it is replaced nor when its writer is killed`, async () => {
        const child = spawn(process.execPath, workerArgs(cacheName, 'rewrite', 'key', String(bytes)), {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const over = once(child, 'exit');
        const expectWhole = async () => {
          const value = Buffer.from((await store.get('key')) ?? []);
          expect(value.length).to.equal(bytes);
          expect(value.equals(Buffer.alloc(bytes, value[0]))).to.equal(true);
        };
        try {
          await once(child.stdout, 'data');
          for (let n = 0; n < 20; n++) await expectWhole();
        } finally {
          child.kill('SIGKILL');
          await over;
        }
        await expectWhole();
        expect(await allKeys(store)).to.deep.equal(['key']);
        expect(await store.size()).to.equal(bytes);
      });
    }

    it('leave drafts behind when they die, which go when they are an hour old', async () => {
      await store.set('key', Buffer.from('value'), meta());
      const draft = (id: number) => onlyEntry.replace('.stash1', `.${'0'.repeat(16)}-${id}.stash-draft`);
      const onlyEntry = onlyFile();
      const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
      for (const remove of [() => store.deleteExpired(0), () => store.clear()]) {
        writeFileSync(draft(1), 'half of a val');
        utimesSync(draft(1), ago(61), ago(61));
        writeFileSync(draft(2), '');
        utimesSync(draft(2), ago(59), ago(59));
        expect(await store.count({ now: 0 })).to.be.lessThan(2);
        await remove();
        expect(existsSync(draft(1))).to.equal(false);
        expect(existsSync(draft(2))).to.equal(true);
      }
    });
  });

  describe('behind the adapter', () => {
    it('keeps responses by name, of any size, for the next adapter and cleared by the first', async () => {
      const bodies = new Map(
        [0, 1, 1000, LARGE + 5, 20 * LARGE].map((size) => [`/${size}`, randomBytes(size)]),
      );
      const own = await rig({ backend: 'filesystem', cacheName }, {}, (request, res) => {
        res.end(bodies.get(request.url));
      });
      try {
        const next = own.another({ backend: 'FILESYSTEM', cacheName });
        for (const [url, body] of bodies) {
          for (const [http, fromCache] of [
            [own.http, false],
            [own.http, true],
          ] as const) {
            const response = await http.get<Buffer>(url, { responseType: 'arraybuffer' });
            expect(response.fromCache, url).to.equal(fromCache);
            expect(body.equals(response.data), url).to.equal(true);
          }
        }
        await own.adapter.cache.flush();
        for (const [url, body] of bodies) {
          const response = await next.http.get<Buffer>(url, { responseType: 'arraybuffer' });
          expect(response.fromCache, url).to.equal(true);
          expect(body.equals(response.data), url).to.equal(true);
        }
        expect(own.origin.count).to.equal(bodies.size);
        expect(await own.adapter.cache.count()).to.equal(bodies.size);
        await own.adapter.clear();
        expect((await next.http.get('/1')).fromCache).to.equal(false);
        expect(own.errors).to.deep.equal([]);
      } finally {
        await own.close();
      }
    });

    it('removes expired responses', async () => {
      const own = await rig({ backend: FileBackend, cacheName, expireAfter: 10 });
      try {
        await own.http.get('/a');
        await own.http.get('/b', { expireAfter: -1 });
        own.clock.tick(11);
        expect(await own.adapter.removeExpiredResponses()).to.equal(1);
        expect((await own.http.get('/b')).fromCache).to.equal(true);
        expect((await own.http.get('/a')).fromCache).to.equal(false);
      } finally {
        await own.close();
      }
    });

    it('lets requests go on when the directory is replaced by a file, and tells', async () => {
      const own = await rig({ backend: 'filesystem', cacheName });
      try {
        await own.http.get('/a');
        rmSync(cacheName, { recursive: true });
        writeFileSync(cacheName, 'in the way');
        expect(await own.http.get('/a')).to.include({ status: 200, fromCache: false });
        expect(own.errors.map(({ reason, error, store }) => [reason, error?.name, store])).to.deep.equal([
          ['read', 'CacheStoreError', 'FileBackend'],
          ['write', 'CacheStoreError', 'FileBackend'],
        ]);
        rmSync(cacheName);
        await own.http.get('/a');
        expect((await own.http.get('/a')).fromCache).to.equal(true);
      } finally {
        await own.close();
      }
    });

    it('takes a damaged file for a miss, tells, and stores anew', async () => {
      const own = await rig({ backend: 'filesystem', cacheName });
      try {
        await own.http.get('/a');
        truncateSync(onlyFile(), 60);
        expect(await own.http.get('/a')).to.include({ status: 200, fromCache: false });
        expect(own.errors.map(({ error }) => error?.name)).to.deep.equal(['CacheRecordError']);
        expect((await own.http.get('/a')).fromCache).to.equal(true);
      } finally {
        await own.close();
      }
    });

    it('refuses bounds that it would not keep', async () => {
      for (const bound of [{ maxEntries: 5 }, { maxBytes: 5 }]) {
        const error = await failure(() => rig({ backend: 'filesystem', cacheName, ...bound }));
        expect(String(error)).to.match(/max\w+: got 5; the store FileBackend can't evict/);
      }
    });
  });
});
