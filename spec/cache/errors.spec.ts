import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import type * as Library from '../../lib/index.js';
import {
  CacheDriverMissingError,
  CacheError,
  CacheOptionError,
  CacheRecordError,
  CacheStoreError,
  cacheAdapter,
  isCacheError,
  MemoryBackend,
  type ResponseCache,
  type Store,
} from '../../lib/index.js';
import { build } from '../support/built.js';
import { collect, inMemory, PlainStore, rejection } from './support.js';

/** Fails in the methods that are named, by throwing or by rejecting. */
function failing(
  store: Store,
  methods: ReadonlySet<string>,
  how: 'throws' | 'rejects',
  failure: unknown,
): Store {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      if (!methods.has(String(name))) return method.bind(target);
      return () => {
        if (how === 'throws' || name === 'keys') throw failure;
        return Promise.reject(failure);
      };
    },
  });
}

describe('errors', () => {
  it('have a class, a name, a stable code and a cause', () => {
    const cause = new Error('cause');
    for (const [error, name, code] of [
      [new CacheError('m', 'ERR_X', cause), 'CacheError', 'ERR_X'],
      [new CacheOptionError('o', 1, 'allowed: 2', cause), 'CacheOptionError', 'ERR_CACHE_OPTION'],
      [
        new CacheDriverMissingError('redis', '@keyv/redis', cause),
        'CacheDriverMissingError',
        'ERR_CACHE_DRIVER',
      ],
      [new CacheStoreError('m', cause), 'CacheStoreError', 'ERR_CACHE_STORE'],
      [new CacheRecordError('m', cause), 'CacheRecordError', 'ERR_CACHE_RECORD'],
    ] as const) {
      expect(error).to.be.instanceOf(CacheError).and.instanceOf(Error);
      expect(error).to.include({ name, code, cause });
      expect(error.stack).to.be.a('string');
      expect(String(error)).to.match(new RegExp(`^${name}: `));
      expect(isCacheError(error)).to.equal(true);
      expect(Object.keys(error)).to.not.include('cause');
    }
    expect('cause' in new CacheStoreError('m')).to.equal(false);
  });

  it('of options name the option, what it got and what it takes', () => {
    const error = new CacheOptionError('expireAfter', 'soon', 'allowed: seconds');
    expect(error).to.include({ option: 'expireAfter', value: 'soon' });
    expect(error.message).to.equal("Option expireAfter: got 'soon'; allowed: seconds");
  });

  it('of missing drivers name the package to install', () => {
    const error = new CacheDriverMissingError('redis', '@keyv/redis');
    expect(error.driver).to.equal('@keyv/redis');
    expect(error.message).to.include('npm install @keyv/redis');
  });

  it('are not just anything', () => {
    const axiosLike = Object.assign(new Error('x'), { isAxiosError: true, code: 'ERR_CACHE_STORE' });
    for (const value of [
      undefined,
      null,
      'CacheError',
      5,
      {},
      new Error('x'),
      axiosLike,
      { name: 'CacheError' },
    ]) {
      expect(isCacheError(value)).to.equal(false);
    }
  });

  describe('of the two builds', () => {
    let esm: typeof Library;
    let cjs: typeof Library;
    before(async function () {
      this.timeout(60_000);
      const built = await build();
      esm = await import(pathToFileURL(built.esm).href);
      cjs = createRequire(import.meta.url)(built.cjs);
    });

    it('are known to each other', async () => {
      expect(esm.CacheError).to.not.equal(cjs.CacheError);
      for (const [maker, other] of [
        [esm, cjs],
        [cjs, esm],
      ] as const) {
        let error: unknown;
        try {
          maker.cacheAdapter({ backend: 'nonsense' } as object);
        } catch (thrown) {
          error = thrown;
        }
        expect(error).to.be.instanceOf(maker.CacheOptionError);
        expect(error).to.not.be.instanceOf(other.CacheError);
        expect(other.isCacheError(error)).to.equal(true);
        expect(isCacheError(error)).to.equal(true);
      }
    });

    it('are one in constants and options', async () => {
      expect(esm.DO_NOT_CACHE).to.equal(cjs.DO_NOT_CACHE);
      expect([esm.NEVER_EXPIRE, esm.EXPIRE_IMMEDIATELY]).to.deep.equal([
        cjs.NEVER_EXPIRE,
        cjs.EXPIRE_IMMEDIATELY,
      ]);
    });
  });
});

describe('a store that fails', () => {
  const start = inMemory();
  const url = 'http://127.0.0.1:1/a';
  const calls: [name: string, methods: string[], call: (cache: ResponseCache) => Promise<unknown>][] = [
    ['get by key', ['get'], (cache) => cache.get('x')],
    ['get by config', ['get'], (cache) => cache.get({ url })],
    ['has', ['get'], (cache) => cache.has({ url })],
    ['delete by key', ['get'], (cache) => cache.delete({ keys: ['x'] })],
    ['delete by request', ['get'], (cache) => cache.delete({ requests: [{ url }] })],
    ['delete by scan', ['keys'], (cache) => cache.delete({ expired: true })],
    ['delete', ['delete'], (cache) => cache.delete({ pattern: '*' })],
    ['clear', ['clear'], (cache) => cache.clear()],
    ['keys', ['keys'], (cache) => collect(cache.keys())],
    ['keys, reading', ['get'], (cache) => collect(cache.keys())],
    ['values', ['get'], (cache) => collect(cache.values())],
    ['entries', ['keys'], (cache) => collect(cache.entries())],
    ['filter', ['keys'], (cache) => collect(cache.filter({ invalid: true }))],
    ['urls', ['keys'], (cache) => cache.urls()],
    ['count', ['count', 'keys'], (cache) => cache.count()],
    ['size', ['size', 'keys'], (cache) => cache.size()],
    ['resetExpiration', ['set'], (cache) => cache.resetExpiration(5)],
    ['removeExpiredResponses', ['deleteExpired', 'keys'], (cache) => cache.removeExpiredResponses()],
    ['removeExpiredResponses, writing', ['set'], (cache) => cache.removeExpiredResponses({ expireAfter: 5 })],
    ['recreateKeys', ['set'], (cache) => cache.recreateKeys()],
  ];
  for (const how of ['throws', 'rejects'] as const) {
    for (const [name, methods, call] of calls) {
      it(`rejects ${name} with CacheStoreError when it ${how}`, async () => {
        const failures = new Set<string>();
        const failure = new Error('disk on fire');
        for (const store of [new MemoryBackend(), new PlainStore()]) {
          const { http, adapter } = await start({ backend: failing(store, failures, how, failure) });
          await http.get('/a');
          await adapter.cache.flush();
          for (const method of methods) failures.add(method);
          const error = await rejection(call(adapter.cache));
          expect(error).to.be.instanceOf(CacheStoreError);
          expect(error.cause).to.equal(failure);
          expect(error.message).to.include('disk on fire');
          failures.clear();
          expect((await http.get('/a')).data).to.include({ method: 'GET' });
        }
      });
    }

    it(`never fails a request when it ${how}: these are error events`, async () => {
      const failures = new Set(['get', 'set', 'delete', 'keysByUrl', 'trim', 'version']);
      for (const store of [new MemoryBackend(), new PlainStore()]) {
        const { http, adapter, errors } = await start({
          backend: failing(store, failures, how, new Error('disk on fire')),
        });
        const seen: unknown[] = [];
        for (let n = 0; n < 2; n++) {
          seen.push((await http.get('/a?token=secret')).status, (await http.post('/a')).status);
        }
        await adapter.cache.flush();
        expect(seen).to.deep.equal([200, 200, 200, 200]);
        expect(adapter.cache.stats().errors).to.equal(errors.length).and.be.greaterThan(1);
        for (const event of errors) {
          expect(event.error).to.be.instanceOf(CacheStoreError);
          expect(event.error?.cause).to.include({ message: 'disk on fire' });
          expect(event.reason).to.be.a('string');
          expect(JSON.stringify(event)).to.not.include('secret');
        }
      }
    });

    it(`rejects update and save when it ${how}`, async () => {
      const failures = new Set<string>();
      const failure = new Error('disk on fire');
      const backend = failing(new MemoryBackend(), failures, how, failure);
      const { http, adapter, another } = await start({ backend });
      const response = await http.get('/a');
      const other = another();
      failures.add('get').add('keys');
      expect(await rejection(other.adapter.cache.update(adapter.cache))).to.be.instanceOf(CacheStoreError);
      failures.clear();
      failures.add('set');
      await other.http.get('/b');
      expect(await rejection(adapter.cache.update(other.adapter.cache))).to.be.instanceOf(CacheStoreError);
      if (how === 'throws') {
        expect(await rejection(adapter.cache.save(response.config, response))).to.be.instanceOf(
          CacheStoreError,
        );
      }
    });

    it(`rejects close with CacheStoreError when it ${how}, and the cache is closed`, async () => {
      class Stuck extends PlainStore {
        override close(): Promise<void> {
          if (how === 'throws') throw new Error('stuck');
          return Promise.reject(new Error('stuck'));
        }
      }
      const adapter = cacheAdapter({ backend: Stuck });
      const error = await rejection(adapter.close());
      expect(error).to.be.instanceOf(CacheStoreError);
      expect(error.cause).to.include({ message: 'stuck' });
      expect(await rejection(adapter.cache.count())).to.be.instanceOf(CacheStoreError);
    });
  }

  it('is named with what is no error, too', async () => {
    const { adapter } = await start({
      backend: failing(new MemoryBackend(), new Set(['get']), 'rejects', 'a string'),
    });
    const error = await rejection(adapter.cache.get('x'));
    expect(error).to.be.instanceOf(CacheStoreError);
    expect(error.message).to.include('a string');
  });
});
