/** What users have of a remote store that is absent, dies, hangs, is slow, and comes back. */
import { expect } from 'chai';
import type { CacheOptions } from '../../lib/index.js';
import { until } from '../adapter/support.js';
import { type Rig, rig } from '../support/harness.js';
import { type ProxyMode, startProxy, type TcpProxy } from '../support/proxy.js';
import { describeService } from '../support/services.js';
import { freshCacheName, remoteKinds } from './kinds.js';

/** Seconds. */
const TIMEOUT = 0.4;
/** Far from what is promised, but a busy machine must not decide; ms. */
const SLACK = 4000;

const FAULTS: [what: string, mode: ProxyMode][] = [
  ['refuses connections', 'refuse'],
  ['hangs', 'hang'],
  ['is slower than storeTimeout', { delay: 3000 }],
];

for (const { name, store, service, options, drop } of remoteKinds) {
  describeService(service, `backend '${name}' in trouble`, (url) => {
    let proxy: TcpProxy;
    let own: Rig;
    let cacheName: string;
    beforeEach(async () => {
      proxy = await startProxy(url);
      cacheName = freshCacheName();
    });
    afterEach(async function () {
      this.timeout(60_000);
      proxy.mode = 'pass';
      await own.close();
      await proxy.close();
      const after = await rig(options(url, cacheName) as CacheOptions);
      await after.adapter.clear();
      await after.close();
      await drop(url, cacheName);
    });

    async function start(): Promise<void> {
      own = await rig({ ...options(proxy.url, cacheName), storeTimeout: TIMEOUT } as CacheOptions);
    }

    /** A request must be answered as by the network, and soon. */
    async function answered(path: string): Promise<void> {
      const began = performance.now();
      const { status, data, fromCache } = await own.http.get(path);
      expect({ status, fromCache, url: data.url }).to.deep.equal({
        status: 200,
        fromCache: false,
        url: path,
      });
      expect(performance.now() - began, 'waited').to.be.lessThan(TIMEOUT * 1000 + SLACK);
    }

    async function isHit(path: string): Promise<boolean> {
      await own.http.get(path);
      await own.adapter.cache.flush();
      return (await own.http.get(path)).fromCache;
    }

    /** It works again by itself, whatever it takes the driver to notice. */
    async function recovers(): Promise<void> {
      let works = false;
      for (let n = 0; !works && n < 100; n++) {
        works = await isHit(`/again/${n}`);
        if (!works) await new Promise((resolve) => setTimeout(resolve, 200));
      }
      expect(works, 'works again').to.equal(true);
    }

    function expectEvents(): void {
      expect(own.errors.length, 'events').to.be.greaterThan(0);
      for (const { error, store: told, reason } of own.errors) {
        expect(error?.name, reason).to.equal('CacheStoreError');
        expect(told).to.equal(store);
        expect(error?.message).to.match(/\S/);
      }
    }

    for (const [what, mode] of FAULTS) {
      it(`${what} at start: requests are answered, an event tells, and it works when the server is there`, async function () {
        this.timeout(60_000);
        proxy.mode = mode;
        await start();
        for (let n = 0; n < 3; n++) await answered(`/${n}`);
        expectEvents();
        proxy.mode = 'pass';
        await recovers();
      });

      it(`${what} in the midst of it: the same`, async function () {
        this.timeout(60_000);
        await start();
        // The first use of a table or database may take its time.
        await recovers();
        own.errors.length = 0;
        proxy.mode = mode;
        if (mode !== 'refuse') proxy.cut();
        for (let n = 0; n < 3; n++) await answered(`/${n}`);
        await until(() => own.errors.length > 0);
        expectEvents();
        proxy.mode = 'pass';
        await recovers();
      });
    }

    it('hangs on connections that are open: requests are answered, and it works when it goes on', async function () {
      this.timeout(60_000);
      await start();
      await recovers();
      proxy.mode = 'hang';
      await answered('/0');
      await until(() => own.errors.length > 0);
      const { length } = own.errors;
      // From now on it is not even asked, save behind the requests.
      const began = performance.now();
      for (let n = 1; n < 20; n++) await answered(`/${n}`);
      expect(performance.now() - began).to.be.lessThan(SLACK);
      expect(own.errors.length).to.be.greaterThan(length);
      proxy.mode = 'pass';
      await recovers();
    });

    it('closes in bounded time while the server hangs', async function () {
      this.timeout(60_000);
      await start();
      await recovers();
      proxy.mode = 'hang';
      await answered('/x');
      const began = performance.now();
      await own.adapter.close();
      expect(performance.now() - began).to.be.lessThan(10_000);
    });
  });
}
