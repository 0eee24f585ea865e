/** What can happen to the file or directory of a cache while it is in use: requests are answered, and it goes on. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import axios from 'axios';
import { expect } from 'chai';
import { type CacheEvent, type CacheOptions, cacheAdapter } from '../../lib/index.js';
import { findDriver } from '../../lib/stores/sqlite/driver.js';
import { drivers, nativeDrivers, temporaryDirectory } from '../stores/drivers.js';
import { Origin } from '../support/origin.js';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

/** Whether this process may mount: root in a container often may not. */
const canMount = (() => {
  if (!isRoot) return false;
  const { path, remove } = temporaryDirectory();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path], { stdio: 'ignore' });
    execFileSync('umount', [path]);
    return true;
  } catch {
    return false;
  } finally {
    remove();
  }
})();

const ways: [name: string, options: (path: string) => object][] = [
  ...drivers.map((driver): [string, (path: string) => object] => [
    `sqlite (${driver})`,
    (path) => ({ cacheName: join(path, 'cache.sqlite'), driver, busyTimeout: 0.2 }),
  ]),
  ['filesystem', (path) => ({ backend: 'filesystem', cacheName: join(path, 'cache') })],
];
const natively = ways.filter(([name]) => nativeDrivers.some((driver) => name.includes(driver)));

interface World {
  /** Asks for a path; the answer must be right. Answers whether it came from the cache. */
  get(path: string): Promise<boolean>;
  errors: CacheEvent[];
  directory: string;
}

async function inDirectory(
  options: (path: string) => object,
  work: (world: World) => Promise<void>,
  prepare: (directory: string) => () => void = () => () => {},
): Promise<void> {
  const origin = await Origin.start((req, res) => void res.end(`${req.url} `.repeat(2000)));
  const directory = temporaryDirectory();
  const undo = prepare(directory.path);
  const adapter = cacheAdapter({ ...options(directory.path), hotBytes: 0 } as CacheOptions);
  const errors: CacheEvent[] = [];
  adapter.cache.on('error', (event) => errors.push(event));
  const get = async (path: string): Promise<boolean> => {
    const { data, fromCache } = await axios.get(origin.url + path, { adapter });
    expect(data).to.equal(`${path} `.repeat(2000));
    await adapter.cache.flush();
    return fromCache === true;
  };
  try {
    await work({ get, errors, directory: directory.path });
    await adapter.close();
  } finally {
    undo();
    directory.remove();
    await origin.close();
  }
}

function mounted(size: string): (directory: string) => () => void {
  return (directory) => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', directory]);
    return () => execFileSync('umount', ['-l', directory]);
  };
}

for (const [name, options] of ways) {
  describe(`the disk under ${name}`, () => {
    it('is full: each request is answered, each write that failed is an event, and it goes on when there is room', async function () {
      if (!canMount) this.skip(); // a full disk is only to be had by mounting a small one
      await inDirectory(
        options,
        async ({ get, errors, directory }) => {
          expect(await get('/first')).to.equal(false);
          writeFileSync(join(directory, 'filler'), Buffer.alloc(16 * 1024));
          for (let n = 0; n < 120; n++) expect(await get(`/${n}`)).to.equal(false);
          expect(errors.length).to.be.greaterThan(0);
          for (const { error } of errors) expect(error?.name).to.equal('CacheStoreError');
          await get('/first');
          rmSync(join(directory, 'filler'));
          execFileSync('mount', ['-o', 'remount,size=16m', directory]);
          await get('/later');
          expect(await get('/later')).to.equal(true);
        },
        mounted('1m'),
      );
    });

    it('may not be written to: each request is answered, each write that failed is an event', async function () {
      if (isRoot && !canMount) this.skip(); // permissions are nothing to root
      await inDirectory(
        options,
        async ({ get, errors }) => {
          for (let n = 0; n < 5; n++) expect(await get('/a')).to.equal(false);
          expect(errors.length).to.be.at.least(5);
        },
        (directory) => {
          if (!isRoot) {
            chmodSync(directory, 0o500);
            return () => chmodSync(directory, 0o700);
          }
          const undo = mounted('1m')(directory);
          execFileSync('mount', ['-o', 'remount,ro', directory]);
          return undo;
        },
      );
    });
  });
}

for (const [name, options] of natively) {
  describe(`the file of ${name}`, () => {
    const file = (directory: string) => join(directory, 'cache.sqlite');

    it('is replaced while open, by an older copy of itself or by no database at all', () =>
      inDirectory(options, async ({ get, directory }) => {
        await get('/a');
        copyFileSync(file(directory), join(directory, 'copy'));
        for (const change of [
          () => {
            rmSync(file(directory));
            copyFileSync(join(directory, 'copy'), file(directory));
          },
          () => {
            // With its journals: SQLite takes what it finds beside one of these for its database, whatever it is.
            for (const end of ['', '-wal', '-shm']) rmSync(file(directory) + end);
            writeFileSync(file(directory), 'no database '.repeat(1000));
          },
        ]) {
          change();
          for (let n = 0; n < 80; n++) await get(`/${n % 7}`);
          await get('/a');
          await get('/a');
          expect(await get('/a')).to.equal(true);
        }
        expect(readdirSync(directory).some((one) => one.includes('.corrupt-'))).to.equal(true);
      }));

    for (const [what, size] of [
      ['nothing', 0],
      ['half of its header', 50],
      ['a page and a half', 6000],
    ] as const) {
      it(`is cut to ${what} while open`, () =>
        inDirectory(options, async ({ get, directory }) => {
          for (let n = 0; n < 20; n++) await get(`/${n}`);
          truncateSync(file(directory), size);
          for (let n = 0; n < 80; n++) await get(`/${n % 20}`);
          await get('/a');
          expect(await get('/a')).to.equal(true);
        }));
    }

    it('can not be renamed when it has to be set aside: requests are answered all the same', async function () {
      if (!canMount) this.skip(); // root may rename everything but what is mounted
      await inDirectory(
        options,
        async ({ get, errors, directory }) => {
          for (let n = 0; n < 5; n++) expect(await get('/a')).to.equal(false);
          expect(errors.length).to.be.at.least(5);
          expect(readdirSync(directory)).to.include('cache.sqlite');
        },
        (directory) => {
          writeFileSync(file(directory), 'no database '.repeat(1000));
          execFileSync('mount', ['--bind', file(directory), file(directory)]);
          return () => execFileSync('umount', ['-l', file(directory)]);
        },
      );
    });

    it('is locked by somebody else for long: all requests together wait for busyTimeout once', () =>
      inDirectory(options, async ({ get, errors, directory }) => {
        await get('/a');
        const other = findDriver().open(file(directory));
        other.exec('BEGIN IMMEDIATE');
        const start = performance.now();
        for (let n = 0; n < 20; n++) expect(await get(`/${n}`)).to.equal(false);
        expect(await get('/a'), 'reading needs no lock').to.equal(true);
        expect(performance.now() - start).to.be.lessThan(20 * 200);
        expect(errors).to.have.length(20);
        expect(String(errors[0]?.error)).to.match(/locked/);
        other.exec('COMMIT');
        other.close();
        for (let n = 0; n < 20; n++) await get(`/${n}`);
        for (let n = 0; n < 20; n++) expect(await get(`/${n}`)).to.equal(true);
        expect(errors).to.have.length(20);
      }));
  });
}

describe('the directory for temporary files, where others may put what they like', () => {
  const before = process.env.TMPDIR;
  afterEach(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  beforeEach(function () {
    if (process.platform === 'win32') this.skip(); // each user has one
  });

  const temporarily: [string, () => object, first: string][] = [
    ...drivers.map((driver): [string, () => object, string] => [
      `sqlite (${driver})`,
      () => ({ cacheName: 'cache', driver, useTemp: true }),
      'cache.sqlite',
    ]),
    ['sqlite, in a directory', () => ({ cacheName: 'own/cache', useTemp: true }), 'own'],
    ['filesystem', () => ({ backend: 'filesystem', cacheName: 'cache', useTemp: true }), 'cache'],
  ];
  const give = (path: string) => chownSync(path, 12_345, 12_345);
  const planted: [string, (own: string, elsewhere: string) => void][] = [
    ['a link to something of theirs', (own, elsewhere) => symlinkSync(elsewhere, own)],
    [
      'a directory of theirs',
      (own) => {
        mkdirSync(own);
        give(own);
      },
    ],
    [
      'a file of theirs',
      (own) => {
        writeFileSync(own, '');
        give(own);
      },
    ],
  ];
  const within = (directory: string) => {
    process.env.TMPDIR = directory;
    return () => {};
  };

  for (const [name, options, first] of temporarily) {
    it(`takes what is private to the user: ${name}`, () =>
      inDirectory(
        options,
        async ({ get, errors, directory }) => {
          await get('/a');
          expect(await get('/a')).to.equal(true);
          expect(errors).to.deep.equal([]);
          expect(statSync(join(directory, first)).mode & 0o077).to.equal(0);
        },
        within,
      ));

    for (const [what, plant] of planted) {
      it(`holds ${what} in its place: ${name} reads and writes nothing there`, async function () {
        if (!isRoot && what.includes('of theirs')) this.skip(); // only root may give one away
        await inDirectory(
          options,
          async ({ get, errors, directory }) => {
            for (let n = 0; n < 3; n++) expect(await get('/a')).to.equal(false);
            expect(errors.length).to.be.at.least(3);
            for (const { error } of errors) expect(error?.name).to.equal('CacheStoreError');
            expect(readdirSync(join(directory, 'elsewhere'))).to.deep.equal([]);
            if (what === 'a directory of theirs')
              expect(readdirSync(join(directory, first))).to.deep.equal([]);
            if (what === 'a file of theirs') expect(statSync(join(directory, first)).size).to.equal(0);
          },
          (directory) => {
            mkdirSync(join(directory, 'elsewhere'));
            plant(join(directory, first), join(directory, 'elsewhere'));
            return within(directory);
          },
        );
      });
    }
  }

  it('holds a log of theirs beside the place of a database: it is not read', async function () {
    if (!isRoot) this.skip(); // only root may give one away
    await inDirectory(
      () => ({ cacheName: 'cache', useTemp: true }),
      async ({ get, errors }) => {
        expect(await get('/a')).to.equal(false);
        expect(await get('/a')).to.equal(false);
        expect(errors.length).to.be.at.least(2);
      },
      (directory) => {
        writeFileSync(join(directory, 'cache.sqlite-wal'), 'theirs');
        give(join(directory, 'cache.sqlite-wal'));
        return within(directory);
      },
    );
  });
});

describe('a file system that renames nothing', () => {
  it('fails the writes of the file store, with an event each, and leaves no draft behind', () =>
    inDirectory(
      (path) => ({ backend: 'filesystem', cacheName: path }),
      async ({ get, errors, directory }) => {
        await get('/a');
        const [entry = ''] = readdirSync(directory, { recursive: true }).filter((one) =>
          String(one).endsWith('.stash1'),
        );
        const place = join(directory, String(entry));
        rmSync(place);
        mkdirSync(join(place, 'in the way'), { recursive: true });
        for (let n = 0; n < 3; n++) expect(await get('/a')).to.equal(false);
        expect(errors.length).to.be.at.least(3);
        expect(
          readdirSync(directory, { recursive: true }).filter((one) => String(one).includes('draft')),
        ).to.deep.equal([]);
        rmSync(place, { recursive: true });
        await get('/a');
        expect(await get('/a')).to.equal(true);
      },
    ));
});
