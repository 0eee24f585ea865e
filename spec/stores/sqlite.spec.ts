import { execFile } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  lchownSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { findDriver } from '../../lib/stores/sqlite/driver.js';
import { SQLiteBackend } from '../../lib/stores/sqlite.js';
import { allKeys, expectStoreError, failure, meta, storeContract, text } from './contract.js';
import { drivers, nativeDrivers, temporaryDirectory } from './drivers.js';

const run = promisify(execFile);
const worker = fileURLToPath(new URL('./worker.ts', import.meta.url));

function inProcess(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, ['--import', 'tsx', worker, ...args]);
}

for (const driver of drivers) {
  const full = driver !== 'keyv';

  storeContract(
    `SQLiteBackend on ${driver}`,
    () => {
      const { path, remove } = temporaryDirectory();
      const cacheName = join(path, 'deep', 'er', 'cache');
      const open = () => new SQLiteBackend({ cacheName, driver });
      return { store: open(), reopen: open, dispose: remove };
    },
    { full, persistent: true },
  );

  storeContract(
    `SQLiteBackend in memory on ${driver}`,
    () => ({ store: new SQLiteBackend({ cacheName: ':memory:', driver }) }),
    { full },
  );

  describe(`SQLiteBackend on ${driver}, several processes`, () => {
    const { path, remove } = temporaryDirectory();
    after(remove);

    it('gives another process what it stored, and gets what that stored', async () => {
      const cacheName = join(path, 'shared.sqlite');
      const store = new SQLiteBackend({ cacheName, driver });
      await store.set('ours', Buffer.from('from here'), meta());
      expect((await inProcess(driver, cacheName, 'read', 'ours')).stdout).to.equal('from here');
      const version = store.version?.();
      await inProcess(driver, cacheName, 'write', 'theirs', '3');
      expect(text(await store.get('theirs 2'))).to.equal('theirs 2');
      if (version !== undefined) expect(store.version?.()).not.to.equal(version);
      await store.close();
    });

    it('loses none of 4 x 250 writes to one new file', async () => {
      const cacheName = join(path, 'contended.sqlite');
      await Promise.all(
        ['a', 'b', 'c', 'd'].map((name) => inProcess(driver, cacheName, 'write', name, '250')),
      );
      const store = new SQLiteBackend({ cacheName, driver });
      expect((await allKeys(store)).length).to.equal(1000);
      if (store.count !== undefined) expect(await store.count({ now: 0 })).to.equal(1000);
      await store.close();
    });
  });

  describe(`SQLiteBackend on ${driver}, troubles with the file`, () => {
    let directory: ReturnType<typeof temporaryDirectory>;
    let cacheName: string;
    beforeEach(() => {
      directory = temporaryDirectory();
      cacheName = join(directory.path, 'cache.sqlite');
    });
    afterEach(() => directory.remove());

    it('makes nothing before it is used', async () => {
      const store = new SQLiteBackend({ cacheName, driver });
      expect(readdirSync(directory.path)).to.deep.equal([]);
      await store.close();
      expect(readdirSync(directory.path)).to.deep.equal([]);
    });

    it('makes files and directories that only the user can read', async function () {
      if (process.platform === 'win32') this.skip();
      const store = new SQLiteBackend({ cacheName: join(directory.path, 'a', 'b', 'c.sqlite'), driver });
      await store.set('key', Buffer.from('value'), meta());
      const mode = (...path: string[]) => statSync(join(directory.path, ...path)).mode & 0o777;
      expect(mode('a')).to.equal(0o700);
      expect(mode('a', 'b')).to.equal(0o700);
      for (const file of readdirSync(join(directory.path, 'a', 'b')))
        expect(mode('a', 'b', file), file).to.equal(0o600);
      await store.close();
    });

    it('leaves the mode of a file that is there: it may be shared on purpose', async function () {
      if (process.platform === 'win32') this.skip();
      writeFileSync(cacheName, '', { mode: 0o600 });
      chmodSync(cacheName, 0o640);
      const store = new SQLiteBackend({ cacheName, driver });
      await store.set('key', Buffer.from('value'), meta());
      for (const file of readdirSync(directory.path))
        expect(statSync(join(directory.path, file)).mode & 0o777, file).to.equal(0o640);
      await store.close();
    });

    it('makes what a link leads to for the user alone too', async function () {
      if (process.platform === 'win32') this.skip();
      mkdirSync(join(directory.path, 'there'));
      symlinkSync(join('..', 'second'), join(directory.path, 'there', 'first'));
      symlinkSync('there', join(directory.path, 'also there'));
      symlinkSync(join('also there', 'first'), cacheName);
      symlinkSync(join(directory.path, 'there', 'file.sqlite'), join(directory.path, 'second'));
      const umask = process.umask(0);
      try {
        const store = new SQLiteBackend({ cacheName, driver });
        await store.set('key', Buffer.from('value'), meta());
        expect(text(await store.get('key'))).to.equal('value');
        const made = readdirSync(join(directory.path, 'there')).filter((name) => name.startsWith('file'));
        expect(made).to.include('file.sqlite');
        for (const file of made)
          expect(statSync(join(directory.path, 'there', file)).mode & 0o777, file).to.equal(0o600);
        await store.close();
      } finally {
        process.umask(umask);
      }
    });

    it("makes nothing where somebody else's link leads, nor where one leads nowhere", async function () {
      if (process.platform === 'win32') this.skip();
      const target = join(directory.path, 'target');
      const links: [make: () => void, asRoot: boolean][] = [
        [() => symlinkSync(cacheName, cacheName), false],
        [() => symlinkSync(join(directory.path, 'missing', 'target'), cacheName), false],
        [
          () => {
            symlinkSync(target, cacheName);
            lchownSync(cacheName, 12_345, 12_345);
          },
          true,
        ],
      ];
      for (const [make, asRoot] of links) {
        if (asRoot && process.getuid?.() !== 0) continue;
        rmSync(cacheName, { force: true });
        make();
        const store = new SQLiteBackend({ cacheName, driver });
        await expectStoreError(() => store.set('key', Buffer.from('value'), meta()));
        await store.close();
        expect(readdirSync(directory.path)).to.deep.equal(['cache.sqlite']);
      }
    });

    it('sets a file aside that is no database, says so, and goes on with a new one', async () => {
      writeFileSync(cacheName, 'not a database, but somebody may want it'.repeat(100));
      const store = new SQLiteBackend({ cacheName, driver });
      expect(await store.get('key')).to.equal(undefined);
      await store.set('key', Buffer.from('value'), meta());
      expect(text(await store.get('key'))).to.equal('value');
      const told: string[] = [];
      store.observe((error, reason) => told.push(`${reason}: ${error.message}`));
      expect(told.length).to.equal(1);
      expect(told[0]).to.match(/set aside.*corrupt-/);
      const aside = readdirSync(directory.path).find((name) => name.includes('.corrupt-')) ?? '';
      expect(statSync(join(directory.path, aside)).size).to.equal(4000);
      await store.close();
    });

    it('fails each operation, and nothing else, while the directory can not be made', async () => {
      const store = new SQLiteBackend({ cacheName: join(directory.path, 'later', 'cache'), driver });
      writeFileSync(join(directory.path, 'later'), 'in the way');
      await expectStoreError(() => store.get('key'));
      await expectStoreError(() => store.set('key', Buffer.from('value'), meta()));
      rmSync(join(directory.path, 'later'));
      await store.set('key', Buffer.from('value'), meta());
      expect(text(await store.get('key'))).to.equal('value');
      await store.close();
    });
  });
}

for (const driver of nativeDrivers) {
  const native = findDriver(driver);

  describe(`SQLiteBackend on ${driver}, the file`, () => {
    let directory: ReturnType<typeof temporaryDirectory>;
    let cacheName: string;
    let store: SQLiteBackend;
    beforeEach(() => {
      directory = temporaryDirectory();
      cacheName = join(directory.path, 'cache.sqlite');
      store = new SQLiteBackend({ cacheName, driver, busyTimeout: 0.05 });
    });
    afterEach(async () => {
      await store.close();
      directory.remove();
    });

    /** Runs SQL on the same file over another connection. */
    function sql(statements: string): void {
      const other = native.open(cacheName);
      other.exec(statements);
      other.close();
    }

    function ask(query: string): unknown {
      const other = native.open(cacheName);
      try {
        return other
          .rows(query)()
          .map((row) => ({ ...row }));
      } finally {
        other.close();
      }
    }

    it('answers at once', () => {
      expect(store.set('key', Buffer.from('value'), meta())).to.equal(undefined);
      expect(store.get('key')).to.be.instanceOf(Uint8Array);
      expect(store.delete(['key'])).to.equal(1);
      expect(store.clear()).to.equal(undefined);
    });

    it("is used beside another application's tables, which stay as they are", async () => {
      sql(`CREATE TABLE mine (a); INSERT INTO mine VALUES (7); PRAGMA user_version = 42`);
      await store.set('key', Buffer.from('value'), meta());
      expect(text(await store.get('key'))).to.equal('value');
      await store.clear();
      expect(ask('SELECT a FROM mine')).to.deep.equal([{ a: 7 }]);
      expect(ask('PRAGMA user_version')).to.deep.equal([{ user_version: 42 }]);
      expect(ask('PRAGMA journal_mode')).to.deep.equal([{ journal_mode: 'delete' }]);
    });

    it('is left alone when its schema is newer', async () => {
      await store.set('key', Buffer.from('value'), meta());
      await store.close();
      sql('UPDATE axios_stash_meta SET version = 99');
      const older = new SQLiteBackend({ cacheName, driver });
      const told: string[] = [];
      older.observe((error) => told.push(error.message));
      expect(await older.get('key')).to.equal(undefined);
      expect(told[0]).to.match(/schema version 99/);
      await expectStoreError(() => older.set('key', Buffer.from('other'), meta()));
      await expectStoreError(() => older.clear());
      expect(await older.delete(['key'])).to.equal(0);
      expect(await allKeys(older)).to.deep.equal([]);
      expect(await older.count?.({ now: 0 })).to.equal(0);
      expect(await older.size?.()).to.equal(0);
      expect(await older.trim?.({ maxEntries: 0 })).to.deep.equal([]);
      expect(await older.deleteExpired?.(9e15)).to.equal(0);
      await older.close();
      expect(ask('SELECT count(*) AS n FROM axios_stash')).to.deep.equal([{ n: 1 }]);
    });

    it("is left alone when a table axios_stash is somebody else's", async () => {
      sql('CREATE TABLE axios_stash (mine); INSERT INTO axios_stash VALUES (7)');
      expect(await store.get('key')).to.equal(undefined);
      await expectStoreError(() => store.set('key', Buffer.from('value'), meta()));
      expect(ask('SELECT * FROM axios_stash')).to.deep.equal([{ mine: 7 }]);
    });

    it('is set aside with its journals when it turns out damaged in use', async () => {
      for (let n = 0; n < 200; n++) await store.set(`key ${n}`, Buffer.alloc(3000, n), meta());
      await store.close();
      const size = statSync(cacheName).size;
      writeFileSync(
        cacheName,
        Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(size - 16, 0x5a)]),
      );
      const again = new SQLiteBackend({ cacheName, driver });
      const told: string[] = [];
      again.observe((_error, reason) => told.push(reason));
      expect(await again.get('key 1')).to.equal(undefined);
      await again.set('key 1', Buffer.from('new'), meta());
      expect(text(await again.get('key 1'))).to.equal('new');
      expect(told).to.deep.equal(['database set aside']);
      await again.close();
    });

    it('goes on when a table in it is damaged while open', async () => {
      for (let n = 0; n < 500; n++) await store.set(`key ${n}`, Buffer.alloc(3000, n), meta());
      sql('PRAGMA wal_checkpoint(TRUNCATE)');
      const damaged = Buffer.alloc(statSync(cacheName).size - 4096, 0x5a);
      // Closing the handle drops SQLite's locks; nobody else is here who would need them.
      const handle = openSync(cacheName, 'r+');
      writeSync(handle, damaged, 0, damaged.length, 4096);
      closeSync(handle);
      for (let n = 0; n < 500; n++) {
        try {
          await store.get(`key ${n}`);
          await store.set(`key ${n}`, Buffer.from('new'), meta());
        } catch (error) {
          expect(String(error)).to.match(/CacheStoreError/);
        }
      }
      expect(text(await store.get('key 499'))).to.equal('new');
    });

    for (const [what, change] of [
      ['deleted', (path: string) => rmSync(path)],
      [
        'deleted with its journals',
        (path: string) => ['', '-wal', '-shm'].map((end) => rmSync(path + end, { force: true })),
      ],
      ['moved away', (path: string) => renameSync(path, `${path}.moved`)],
    ] as const) {
      it(`goes on with a new one when it is ${what} while open`, async function () {
        if (process.platform === 'win32') this.skip();
        await store.set('key', Buffer.from('value'), meta());
        const version = store.version?.();
        change(cacheName);
        for (let n = 0; n < 70; n++) await store.get('other');
        await store.set('key 2', Buffer.from('value 2'), meta());
        expect(existsSync(cacheName)).to.equal(true);
        expect(await store.get('key')).to.equal(undefined);
        expect(text(await store.get('key 2'))).to.equal('value 2');
        expect(store.version?.()).not.to.equal(version);
      });
    }

    it('fails an operation, not the process, when it stays locked longer than busyTimeout', async () => {
      await store.set('key', Buffer.from('value'), meta());
      const other = native.open(cacheName);
      other.exec('BEGIN IMMEDIATE');
      const error = await failure(() => store.set('key', Buffer.from('new'), meta()));
      expect(String(error)).to.match(/CacheStoreError: .*locked/);
      expect(text(await store.get('key'))).to.equal('value');
      other.exec('COMMIT');
      other.close();
      await store.set('key', Buffer.from('new'), meta());
      expect(text(await store.get('key'))).to.equal('new');
    });

    it('shows another version after another connection wrote', () => {
      store.set('key', Buffer.from('value'), meta());
      const version = store.version?.();
      const other = new SQLiteBackend({ cacheName, driver });
      other.get('key');
      expect(store.version?.()).to.equal(version);
      other.set('key', Buffer.from('new'), meta());
      expect(store.version?.()).not.to.equal(version);
      void other.close();
    });

    it('keeps its counters true whoever writes', async () => {
      const other = new SQLiteBackend({ cacheName, driver });
      for (let n = 0; n < 20; n++) await (n % 2 ? store : other).set(`key ${n}`, Buffer.alloc(10), meta());
      expect(await store.trim?.({ maxEntries: 18 })).to.deep.equal(['key 0', 'key 1']);
      expect(await other.trim?.({ maxBytes: 170 })).to.deep.equal(['key 2']);
      expect(await store.count?.({ now: 0 })).to.equal(17);
      expect(await other.size?.()).to.equal(170);
      await other.close();
    });

    it('remembers over a restart what was used, once limits are in force', async () => {
      for (const key of ['a', 'b', 'c']) await store.set(key, Buffer.from(key), meta());
      await store.trim?.({ maxEntries: 3 });
      store.touch?.('a');
      await store.close();
      const again = new SQLiteBackend({ cacheName, driver });
      expect(await again.trim?.({ maxEntries: 2 })).to.deep.equal(['b']);
      await again.close();
    });

    for (const [what, value] of [
      ['text', "'garbage'"],
      ['a number', '5'],
      ['a number larger than those of JavaScript', '9223372036854775807'],
      ['a fraction', '0.5'],
    ] as const) {
      it(`gives what somebody made ${what} of as bytes, which are no record`, async () => {
        for (const key of ['a', 'b']) await store.set(key, Buffer.from('value'), meta());
        sql(`UPDATE axios_stash SET value = ${value} WHERE id = 1`);
        expect(await store.get('a')).to.be.instanceOf(Uint8Array);
        expect(text(await store.get('b'))).to.equal('value');
        expect(await allKeys(store)).to.have.members(['a', 'b']);
        expect(await store.delete(['a'])).to.equal(1);
      });
    }

    for (const [what, remove] of [
      ['clear()', () => store.clear()],
      ['deleteExpired()', () => store.deleteExpired?.(5)],
    ] as const) {
      it(`has what ${what} deleted in no byte any more, nor has its log`, async () => {
        const secret = 'a secret of the response';
        const holders = () =>
          readdirSync(directory.path).filter((name) =>
            readFileSync(join(directory.path, name)).includes(secret),
          );
        for (const many of [1, 400]) {
          for (let n = 0; n < many; n++)
            await store.set(`key ${n}`, Buffer.from(secret.repeat(100)), meta({ expiresAt: 5 }));
          expect(holders()).to.include('cache.sqlite-wal');
          await remove();
          expect(holders(), `${many}`).to.deep.equal([]);
        }
      });
    }

    it('does not wait for who reads the log before it is begun anew', async () => {
      await store.set('key', Buffer.from('value'), meta({ expiresAt: 5 }));
      const other = native.open(cacheName);
      other.exec('BEGIN; SELECT * FROM axios_stash');
      try {
        expect(await store.deleteExpired?.(5)).to.equal(1);
        await store.set('key', Buffer.from('value'), meta());
        expect(text(await store.get('key'))).to.equal('value');
      } finally {
        other.close();
      }
    });

    it('gives the space back after a large deletion', async () => {
      for (let n = 0; n < 400; n++)
        await store.set(`key ${n}`, Buffer.alloc(20_000, n), meta({ expiresAt: 1 }));
      sql('PRAGMA wal_checkpoint(TRUNCATE)');
      const before = statSync(cacheName).size;
      expect(await store.deleteExpired?.(1)).to.equal(400);
      await store.close();
      expect(statSync(cacheName).size).to.be.lessThan(before / 10);
    });

    it('hands the event loop back while it deletes much', async () => {
      for (let n = 0; n < 3000; n++) store.set(`key ${n}`, Buffer.alloc(10), meta({ expiresAt: 1 }));
      let turns = 0;
      const count = () => {
        turns++;
        timer = setImmediate(count);
      };
      let timer = setImmediate(count);
      expect(await store.deleteExpired?.(1)).to.equal(3000);
      clearImmediate(timer);
      expect(turns).to.be.greaterThan(1);
    });

    it('copies the log back while it deletes much: at no time is all of it in there', async () => {
      for (let n = 0; n < 3000; n++) store.set(`key ${n}`, Buffer.alloc(3000), meta({ expiresAt: 1 }));
      sql('PRAGMA wal_checkpoint(TRUNCATE)');
      const sizes: number[] = [];
      const look = () => {
        sizes.push(statSync(`${cacheName}-wal`).size);
        timer = setImmediate(look);
      };
      let timer = setImmediate(look);
      await store.deleteExpired?.(1);
      clearImmediate(timer);
      // All of it would be 13 MB. A slice is at most four times the one before, so at most 1950 rows, however fast the disk is.
      expect(Math.max(...sizes)).to.be.within(100_000, 10_000_000);
    });

    it('keeps what is stored while it is being cleared', async () => {
      for (let n = 0; n < 3000; n++) store.set(`key ${n}`, Buffer.alloc(10), meta());
      const done = store.clear();
      store.set('new', Buffer.from('value'), meta());
      await done;
      expect(await allKeys(store)).to.deep.equal(['new']);
    });
  });
}

describe('SQLiteBackend', () => {
  const { path, remove } = temporaryDirectory();
  after(remove);

  const wrong: [what: string, options: object, message: RegExp][] = [
    ['an unknown option', { cachName: 'x' }, /cachName.*takes cacheName, driver/],
    ['an unknown driver', { driver: 'sqlite3' }, /driver.*'node:sqlite', 'better-sqlite3', 'keyv'/],
    ['a negative busyTimeout', { busyTimeout: -1 }, /busyTimeout/],
    ['a busyTimeout that is text', { busyTimeout: '5' }, /busyTimeout/],
    ['a busyTimeout longer than a timer', { busyTimeout: 2_147_484 }, /busyTimeout.*at most 2147483/],
    ['a useTemp that is no boolean', { useTemp: 1 }, /useTemp/],
    ['an empty cacheName', { cacheName: '' }, /cacheName/],
    ['a cacheName that is no string', { cacheName: 5 }, /cacheName/],
  ];
  for (const [what, options, message] of wrong) {
    it(`refuses ${what}`, async () => {
      const error = await failure(() => new SQLiteBackend(options));
      expect(String(error)).to.match(/^CacheOptionError/);
      expect(String(error)).to.match(message);
    });
  }

  it('refuses a path below a file, and one that is a directory', async () => {
    writeFileSync(join(path, 'file'), '');
    mkdirSync(join(path, 'directory.d'));
    for (const cacheName of [
      join(path, 'file', 'cache'),
      join(path, 'file', 'a', 'b'),
      join(path, 'directory.d'),
    ]) {
      expect(String(await failure(() => new SQLiteBackend({ cacheName })))).to.match(
        /^CacheOptionError.*directory/,
      );
    }
  });

  it('has a driver on this Node', () => {
    expect(nativeDrivers).not.to.deep.equal([]);
  });

  for (const driver of ['node:sqlite', 'better-sqlite3'] as const) {
    if (nativeDrivers.includes(driver)) continue;
    it(`names what to install when ${driver} is not there`, async () => {
      const error = await failure(() => new SQLiteBackend({ driver }));
      expect(String(error)).to.match(/^CacheDriverMissingError.*npm install better-sqlite3/);
    });
  }
});
