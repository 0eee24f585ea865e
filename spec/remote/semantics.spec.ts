/** That a remote store makes no difference: what SQLite does, the others do. */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { AnyCacheOptions, CacheOptions, Store } from '../../lib/index.js';
import { DynamoDBBackend, GridFSBackend, MongoBackend, RedisBackend } from '../../lib/index.js';
import { Resource } from '../adapter/support.js';
import { type Rig, rig } from '../support/harness.js';
import { describeService } from '../support/services.js';
import { freshCacheName, remoteKinds } from './kinds.js';

const CLASSES = {
  redis: RedisBackend,
  mongodb: MongoBackend,
  gridfs: GridFSBackend,
  dynamodb: DynamoDBBackend,
};

for (const { name, service, options, drop } of remoteKinds) {
  describeService(service, `backend '${name}' through the cache`, (url) => {
    let own: Rig;
    let cacheName: string;
    beforeEach(async () => {
      cacheName = freshCacheName();
      own = await rig(options(url, cacheName) as CacheOptions);
    });
    afterEach(async function () {
      this.timeout(60_000);
      await own.adapter.clear();
      expect(own.errors).to.deep.equal([]);
      await own.close();
      await drop(url, cacheName);
    });

    const settled = () => own.adapter.cache.flush();

    it('hits after a miss, in this cache and in another one of the same name', async () => {
      expect((await own.http.get('/a')).fromCache).to.equal(false);
      expect((await own.http.get('/a')).fromCache, 'on its way').to.equal(true);
      await settled();
      expect((await own.http.get('/a')).fromCache, 'stored').to.equal(true);
      const other = own.another(options(url, cacheName));
      expect((await other.http.get('/a')).fromCache, 'stored by another').to.equal(true);
      expect((await own.another(options(url, `${cacheName}x`)).http.get('/a')).fromCache).to.equal(false);
      expect(own.origin.count).to.equal(2);
    });

    it('is had by class and by instance too, and an instance is its maker to close', async () => {
      const { backend: _, ...rest } = options(url, cacheName) as unknown as Record<string, unknown>;
      const Class = CLASSES[name] as new (own: object) => Store;
      const byClass = own.another({ backend: Class, ...rest } as AnyCacheOptions);
      await own.http.get('/a');
      await settled();
      expect((await byClass.http.get('/a')).fromCache).to.equal(true);
      const backend = new Class(rest);
      const byInstance = own.another({ backend } as AnyCacheOptions);
      expect((await byInstance.http.get('/a')).fromCache).to.equal(true);
      await byInstance.adapter.close();
      let keys = 0;
      for await (const _key of backend.keys()) keys += 1;
      expect(keys).to.equal(1);
      await backend.close();
    });

    it('gives back bytes, headers and status as they came', async () => {
      const body = randomBytes(300_000);
      own.origin.on('/b', (_, res) => {
        res.writeHead(404, 'Not Here', [
          ['X-Odd', 'é'],
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
        ] as never);
        res.end(body);
      });
      own.adapter.settings.allowableCodes = [200, 404];
      const config = { responseType: 'arraybuffer', validateStatus: () => true } as const;
      const first = await own.http.get('/b', config);
      await settled();
      const { http } = own.another({ ...options(url, cacheName), allowableCodes: [404] } as CacheOptions);
      const again = await http.get('/b', config);
      expect(again.fromCache).to.equal(true);
      expect([again.status, again.statusText]).to.deep.equal([404, 'Not Here']);
      expect(body.equals(again.data)).to.equal(true);
      expect({ ...again.headers }).to.deep.equal({ ...first.headers });
    });

    it('expires, is confirmed by a 304, and is replaced', async () => {
      const resource = new Resource();
      own.origin.on('/r', resource.handler);
      await own.http.get('/r', { expireAfter: 10 });
      await settled();
      own.clock.tick(11);
      expect(await own.http.get('/r')).to.include({ revalidated: true, data: 'v1' });
      own.clock.tick(5);
      resource.body = 'v2';
      resource.etag = '"2"';
      expect((await own.http.get('/r', { refresh: true })).data).to.equal('v2');
      await settled();
      expect(await own.http.get('/r')).to.include({ fromCache: true, data: 'v2' });
    });

    it('keeps variants and redirects', async () => {
      own.origin.on('/v', (req, res) => void res.setHeader('vary', 'accept').end(req.headers.accept));
      own.origin.on('/from', (_, res) => void res.writeHead(302, { location: '/to' }).end());
      for (const accept of ['text/a', 'text/b']) await own.http.get('/v', { headers: { accept } });
      await own.http.get('/from');
      await settled();
      const { http } = own.another(options(url, cacheName));
      for (const accept of ['text/a', 'text/b'])
        expect(await http.get('/v', { headers: { accept } })).to.include({ fromCache: true, data: accept });
      expect((await http.get('/from')).fromCache).to.equal(true);
      expect((await http.get('/to')).fromCache).to.equal(true);
      expect(await own.adapter.cache.count()).to.equal(3);
      await own.adapter.cache.delete({ requests: [{ url: `${own.origin.url}/from` }] });
      expect(await own.adapter.cache.count()).to.equal(2);
    });

    it('removes what an unsafe request outdated, of all users', async () => {
      const as = (user: string) => ({ headers: { authorization: `Bearer ${user}` } });
      for (const user of ['a', 'b']) await own.http.get('/x?q=1', as(user));
      await own.http.get('/x?q=1');
      await own.http.get('/x?q=2', as('a'));
      await settled();
      await own.http.delete('/x?q=1', as('c'));
      await settled();
      const { http } = own.another(options(url, cacheName));
      for (const config of [as('a'), as('b'), {}])
        expect((await http.get('/x?q=1', config)).fromCache).to.equal(false);
      expect((await http.get('/x?q=2', as('a'))).fromCache).to.equal(true);
    });

    it('is counted, listed, looked up, measured, cut down and cleared', async () => {
      const { cache } = own.adapter;
      for (const path of ['/1', '/2', '/3']) await own.http.get(path, { expireAfter: 10 });
      await own.http.get('/4');
      own.clock.tick(11);
      expect(await cache.count()).to.equal(4);
      expect(await cache.count({ expired: true })).to.equal(3);
      expect(await cache.count({ expired: false })).to.equal(1);
      expect(await cache.size()).to.be.greaterThan(4 * 20);
      expect((await cache.urls()).map((one) => new URL(one).pathname)).to.deep.equal([
        '/1',
        '/2',
        '/3',
        '/4',
      ]);
      expect(await cache.has({ url: `${own.origin.url}/4` })).to.equal(true);
      expect(await cache.delete({ urls: [`${own.origin.url}/1`] })).to.equal(1);
      expect(await own.adapter.removeExpiredResponses()).to.equal(2);
      expect(await cache.count()).to.equal(1);
      await cache.resetExpiration(-1);
      await cache.clear();
      expect(await cache.count()).to.equal(0);
      expect(await cache.size()).to.equal(0);
      expect((await own.http.get('/4')).fromCache).to.equal(false);
    });

    it('takes over what SQLite holds by update(), and hands it back', async () => {
      const sqlite = own.another({ backend: 'sqlite', cacheName: ':memory:' });
      for (const path of ['/1', '/2', '/3']) await sqlite.http.get(path, { expireAfter: 60 });
      expect(await own.adapter.cache.update(sqlite.adapter.cache)).to.equal(3);
      for (const path of ['/1', '/2', '/3']) expect((await own.http.get(path)).fromCache).to.equal(true);
      const back = own.another({ backend: 'sqlite', cacheName: ':memory:' });
      expect(await back.adapter.cache.update(own.adapter.cache)).to.equal(3);
      expect((await back.http.get('/3')).fromCache).to.equal(true);
    });

    it('holds records that are signed, encrypted and compressed', async () => {
      const secure = {
        ...options(url, cacheName),
        encryptionKey: Buffer.alloc(32, 7),
        compression: 'gzip',
      } as CacheOptions;
      const body = 'secret '.repeat(5000);
      own.origin.on('/s', (_, res) => void res.end(body));
      const { http, adapter } = own.another(secure);
      await http.get('/s');
      await adapter.cache.flush();
      expect(await own.another(secure).http.get('/s')).to.include({ fromCache: true, data: body });
      await adapter.clear();
    });
  });
}
