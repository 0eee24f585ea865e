import { homedir, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { expect } from 'chai';
import { cachePath, type PathOptions, sqlitePath } from '../../lib/stores/paths.js';

describe('sqlitePath', () => {
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
