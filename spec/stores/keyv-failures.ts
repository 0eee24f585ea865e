/** What must hold of a cache in a Keyv whose server is behind a proxy that refuses, hangs or cuts. */
import { expect } from 'chai';
import { KeyvBackend } from '../../lib/stores/keyv.js';
import { type Rig, rig } from '../support/harness.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { until } from './keyv-support.js';

export interface Remote {
  /** The Keyv or adapter under test. */
  keyv: unknown;
  /** How many listen to errors of the adapter and of its client. */
  listeners: () => number;
}

export interface FailureOptions {
  /** On the server, not through the proxy. */
  dispose: () => Promise<void>;
  /** Whether the driver itself gets over connections that are cut while calls are on their way. */
  recoversFromCut: boolean;
}

export function failureSpecs(
  name: string,
  serverUrl: string,
  make: (url: string) => Remote,
  { dispose, recoversFromCut }: FailureOptions,
): void {
  describe(`${name}: a server that fails`, () => {
    let proxy: TcpProxy;
    let remote: Remote;
    let backend: KeyvBackend;
    let cache: Rig;
    let asked: number;
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);

    beforeEach(async () => {
      process.on('unhandledRejection', note);
      proxy = await startProxy(serverUrl);
      asked = 0;
    });

    async function open(): Promise<void> {
      remote = make(proxy.url);
      backend = new KeyvBackend(remote.keyv);
      // Without records in memory: from the store each time.
      cache = await rig({ backend, storeTimeout: 0.3, hotBytes: 0 });
    }

    afterEach(async () => {
      await cache.close();
      await backend.close();
      await proxy.close();
      await dispose();
      process.off('unhandledRejection', note);
      expect(unhandled.splice(0)).to.deep.equal([]);
    });

    /** Whether the response came from the cache. */
    async function get(path: string): Promise<boolean> {
      const response = await cache.http.get(path);
      expect(response.status).to.equal(200);
      await cache.adapter.cache.flush();
      return response.fromCache === true;
    }
    const getNew = () => get(`/new/${asked++}`);
    /** Waits until a response is stored, and comes from the store. */
    const works = () => until(async () => !(await getNew()) && (await get(`/new/${asked - 1}`)));

    for (const mode of ['refuse', 'hang'] as const) {
      it(`answers from the network while connections ${mode}, tells why, and works again when they pass`, async () => {
        await open();
        await works();
        const before = cache.errors.length;
        proxy.mode = mode;
        for (let n = 0; n < 30; n++) expect(await getNew()).to.equal(false);
        expect(cache.errors.length).to.be.greaterThan(before);
        for (const { error } of cache.errors) expect(String(error)).to.match(/^CacheStoreError/);
        proxy.mode = 'pass';
        await works();
      });
    }

    it('answers from the network when connections are cut under way', async () => {
      await open();
      await works();
      proxy.mode = 'hang';
      const before = cache.errors.length;
      const answers = Promise.all(Array.from({ length: 20 }, (_, n) => get(`/cut/${n}`)));
      await until(() => cache.errors.length > before);
      proxy.cut();
      proxy.mode = 'pass';
      expect(await answers).to.deep.equal(Array(20).fill(false));
      if (recoversFromCut) await works();
    });

    it('works on when idle connections are cut', async () => {
      await open();
      await works();
      proxy.cut();
      await works();
    });

    it('begins without a server, and works once there is one', async () => {
      proxy.mode = 'refuse';
      await open();
      for (let n = 0; n < 5; n++) expect(await getNew()).to.equal(false);
      expect(cache.errors.length).to.be.greaterThan(0);
      proxy.mode = 'pass';
      await works();
    });

    it('adds no listener however many calls fail', async () => {
      await open();
      await works();
      const before = remote.listeners();
      proxy.mode = 'refuse';
      for (let n = 0; n < 30; n++) await getNew();
      // Past the circuit breaker, too.
      const calls = Array.from({ length: 30 }, (_, n) => backend.get(`key ${n}`).catch(() => {}));
      expect(remote.listeners()).to.be.at.most(before);
      proxy.mode = 'pass';
      await works();
      await Promise.all(calls);
      expect(remote.listeners()).to.be.at.most(before);
    });

    it('closes while the server hangs', async () => {
      await open();
      await works();
      proxy.mode = 'hang';
      const lost = backend.get('key').catch((error: unknown) => error);
      await backend.close().catch((error: unknown) => expect(String(error)).to.match(/^CacheStoreError/));
      proxy.cut();
      expect(String(await lost)).to.match(/^CacheStoreError/);
    });
  });
}
