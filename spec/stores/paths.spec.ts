import { chownSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { expect } from 'chai';
import {
  assertOwn,
  cachePath,
  type PathOptions,
  sqlitePath,
  temporaryEntry,
} from '../../lib/stores/paths.js';
import { rig } from '../support/harness.js';
import { temporaryDirectory } from './drivers.js';

describe('a path below which nothing can be made', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  // There mkdir answers ENOENT, at which Node's `recursive` tries again for ever.
  for (const backend of ['sqlite', 'filesystem'] as const) {
    it(`has ${backend} fail no request`, async () => {
      const { http, errors, close } = await rig({ backend, cacheName: '/proc/axios-stash/deeper/cache' });
      try {
        for (let n = 0; n < 2; n++) expect((await http.get('/a')).status).to.equal(200);
        expect(errors.map(({ error }) => String(error)).join()).to.include('/proc/axios-stash');
      } finally {
        await close();
      }
    });
  }
});

describe('sqlitePath', () => {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });
  const absolute = resolve('/data/cache.db');
  const rows: [options: PathOptions, path: string][] = [
    [{}, resolve('http_cache.sqlite')],
    [{ cacheName: 'c' }, resolve('c.sqlite')],
    [{ cacheName: 'c.db' }, resolve('c.db')],
    [{ cacheName: 'c.x.y' }, resolve('c.x.y')],
    [{ cacheName: '.hidden' }, resolve('.hidden')],
    [{ cacheName: 'a.b/c' }, resolve('a.b/c.sqlite')],
    [{ cacheName: './a/../b/c' }, resolve('b/c.sqlite')],
    [{ cacheName: 'c', useTemp: false, useCacheDir: false }, resolve('c.sqlite')],
    [{ cacheName: '~/c' }, join(homedir(), 'c.sqlite')],
    [{ cacheName: '~/.cache/x/my' }, join(homedir(), '.cache', 'x', 'my.sqlite')],
    [{ cacheName: '~' }, `${homedir()}.sqlite`],
    [{ cacheName: 'a~/c' }, resolve('a~/c.sqlite')],
    [{ cacheName: '~other/c' }, resolve('~other/c.sqlite')],
    [{ useTemp: true }, join(tmpdir(), 'http_cache.sqlite')],
    [{ cacheName: 'a/c', useTemp: true }, join(tmpdir(), 'a', 'c.sqlite')],
    [{ cacheName: absolute, useTemp: true }, absolute],
    [{ cacheName: absolute, useCacheDir: true }, absolute],
    [{ cacheName: '~/c', useTemp: true }, join(homedir(), 'c.sqlite')],
    [{ cacheName: ':memory:' }, ':memory:'],
    [{ cacheName: ':memory:', useTemp: true }, ':memory:'],
  ];
  for (const [options, path] of rows) {
    it(`${JSON.stringify(options)} is ${basename(path)}`, () => {
      expect(sqlitePath(options)).to.equal(path);
    });
  }
});

describe('cachePath in the cache directory', () => {
  const before = process.env.XDG_CACHE_HOME;
  afterEach(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  });

  it('is below an absolute XDG_CACHE_HOME', () => {
    process.env.XDG_CACHE_HOME = resolve('/xdg');
    expect(cachePath({ cacheName: 'c', useCacheDir: true })).to.equal(resolve('/xdg/c'));
    expect(cachePath({ cacheName: 'c', useCacheDir: true, useTemp: true })).to.equal(resolve('/xdg/c'));
  });

  for (const value of [undefined, '', 'relative']) {
    it(`is the platform's own when XDG_CACHE_HOME is ${JSON.stringify(value)}`, function () {
      if (process.platform === 'win32') this.skip();
      if (value === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = value;
      const directory = process.platform === 'darwin' ? 'Library/Caches' : '.cache';
      expect(cachePath({ cacheName: 'c', useCacheDir: true })).to.equal(join(homedir(), directory, 'c'));
    });
  }
});

describe('temporaryEntry', () => {
  const entryOf = (options: PathOptions) => temporaryEntry(sqlitePath(options), options);

  it('is there for what is among the temporary files, and nothing else', () => {
    const none: PathOptions[] = [
      {},
      { useCacheDir: true, useTemp: true },
      { cacheName: resolve('/a'), useTemp: true },
      { cacheName: '~/a', useTemp: true },
      { cacheName: '../a', useTemp: true },
    ];
    for (const options of none) expect(entryOf(options), JSON.stringify(options)).to.equal(undefined);
  });

  it('is what is right below their directory', () => {
    expect(entryOf({ useTemp: true })).to.equal(join(tmpdir(), 'http_cache.sqlite'));
    expect(entryOf({ cacheName: 'a/b/c', useTemp: true })).to.equal(join(tmpdir(), 'a'));
  });
});

describe('assertOwn', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;
  beforeEach(function () {
    if (process.platform === 'win32') this.skip();
    directory = temporaryDirectory();
    path = join(directory.path, 'own');
  });
  afterEach(() => directory.remove());

  it('lets pass what is not there, and what is the user’s own', () => {
    assertOwn(path);
    mkdirSync(path);
    assertOwn(path);
  });

  it('refuses a link, whosever it is', () => {
    mkdirSync(join(directory.path, 'elsewhere'));
    for (const target of ['elsewhere', 'nowhere']) {
      rmSync(path, { force: true });
      symlinkSync(join(directory.path, target), path);
      expect(() => assertOwn(path)).to.throw(/not the user's own/);
    }
  });

  it('refuses what is somebody else’s', function () {
    if (process.getuid?.() !== 0) this.skip(); // only root may give a directory away
    mkdirSync(path, { mode: 0o777 });
    chownSync(path, 12_345, 12_345);
    expect(() => assertOwn(path)).to.throw(/not the user's own/);
  });
});
