/** Rows A06-A13 and A45: a cache under axios itself. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import axios, { type AxiosInstance } from 'axios';
import MockAdapter from 'axios-mock-adapter';
import newestAxios from 'axios-newest';
import oldestAxios from 'axios-oldest';
import { expect } from 'chai';
import {
  type AxiosCopy,
  clear,
  disabled,
  enabled,
  getCache,
  installCache,
  isInstalled,
  MemoryBackend,
  removeExpiredResponses,
  uninstallCache,
} from '../../lib/index.js';
import { Origin, TestClock } from '../support/origin.js';
import type { Patched } from './patched.js';
import { inProcess, programPath, rejection } from './support.js';

describe('The seed: patching', () => {
  const original = axios.defaults.adapter;
  let origin: Origin;
  let url: string;
  beforeEach(async () => {
    origin = await Origin.start();
    url = `${origin.url}/a`;
  });
  afterEach(async () => {
    await uninstallCache();
    expect(axios.defaults.adapter, 'restored').to.equal(original);
    await origin.close();
  });

  /** How many requests reach the origin when the URL is asked for twice. */
  async function reached(http: Pick<AxiosInstance, 'get'> = axios, address = url): Promise<number> {
    const before = origin.count;
    await http.get(address);
    await http.get(address);
    return origin.count - before;
  }

  it('A06 installCache: the functions of axios are cached', async () => {
    const adapter = installCache({ backend: 'memory' });
    expect(await reached()).to.equal(1);
    expect((await axios(url)).fromCache).to.equal(true);
    expect((await axios.request({ url })).fromCache).to.equal(true);
    await axios.head(url);
    expect((await axios.head(url)).fromCache).to.equal(true);
    expect(await adapter.cache.count()).to.equal(2);
  });

  it('A07 installCache: instances made afterwards are cached, those made before are not', async () => {
    const older = axios.create();
    installCache({ backend: 'memory' });
    expect(await reached(axios.create(), `${url}?new`)).to.equal(1);
    expect(await reached(older, `${url}?old`)).to.equal(2);
  });

  it('A08 installCache: it takes the options of cacheAdapter', async () => {
    const clock = new TestClock();
    installCache({
      backend: 'memory',
      expireAfter: 360,
      allowableMethods: ['GET', 'POST'],
      clock: clock.now,
    });
    await axios.post(url, { a: 1 });
    expect((await axios.post(url, { a: 1 })).fromCache).to.equal(true);
    expect(origin.count).to.equal(1);
    expect(getCache()).to.not.equal(undefined);
    clock.tick(361);
    expect((await axios.post(url, { a: 1 })).fromCache).to.equal(false);
    expect(() => installCache({ nonsense: 1 } as object)).to.throw(/nonsense/);
    expect((await axios.post(url, { a: 1 })).fromCache, 'a refused one changes nothing').to.equal(true);
  });

  it('A09 enabled: cached inside, and as before behind it', async () => {
    expect(await reached()).to.equal(2);
    const inside = await enabled({ backend: 'memory' }, async () => [isInstalled(), await reached()]);
    expect(inside).to.deep.equal([true, 1]);
    expect(isInstalled()).to.equal(false);
    expect(await reached()).to.equal(2);
  });

  it('A09 enabled: a throw inside restores, and comes out', async () => {
    const boom = new Error('boom');
    const failing = enabled({ backend: 'memory' }, () => {
      throw boom;
    });
    expect(await rejection(failing)).to.equal(boom);
    expect(isInstalled()).to.equal(false);
  });

  it('A09 enabled: what was installed before is installed again behind it', async () => {
    // In the seed's release nothing is.
    const outer = installCache({ backend: 'memory' });
    expect(await reached()).to.equal(1);
    await enabled({ backend: 'memory' }, async () => {
      expect(getCache()).to.not.equal(outer.cache);
      expect(await reached(), 'its own cache, empty').to.equal(1);
    });
    expect(getCache()).to.equal(outer.cache);
    expect(await reached(), 'what it had').to.equal(0);
  });

  it('A10 disabled: not cached inside, nor stored, and as before behind it', async () => {
    installCache({ backend: 'memory' });
    const states: boolean[] = [];
    const inside = await disabled(async () => {
      states.push(isInstalled());
      return reached();
    });
    expect(inside).to.equal(2);
    expect(await getCache()?.count()).to.equal(0);
    expect(isInstalled()).to.equal(true);
    expect(await reached()).to.equal(1);
    const boom = new Error('boom');
    const failing = disabled(() => {
      throw boom;
    });
    expect(await rejection(failing)).to.equal(boom);
    expect(isInstalled()).to.equal(true);
    expect(states).to.deep.equal([false]);
  });

  it('A10 disabled inside enabled: true, false, true, false', async () => {
    const states: boolean[] = [];
    await enabled({ backend: 'memory' }, async () => {
      states.push(isInstalled());
      await disabled(async () => states.push(isInstalled()));
      states.push(isInstalled());
    });
    states.push(isInstalled());
    expect(states).to.deep.equal([true, false, true, false]);
  });

  it('A11 uninstallCache: axios is what it was; installing and uninstalling repeat', async () => {
    for (let round = 0; round < 3; round++) {
      installCache({ backend: 'memory' });
      expect(axios.defaults.adapter).to.not.equal(original);
      expect(await reached(axios, `${url}?${round}`)).to.equal(1);
      await uninstallCache();
      expect(axios.defaults.adapter).to.equal(original);
      expect(await reached(axios, `${url}?${round}`)).to.equal(2);
    }
    await uninstallCache();
  });

  it('A12 clear empties the installed cache, and does nothing when there is none', async () => {
    await clear();
    expect(getCache()).to.equal(undefined);
    installCache({ backend: 'memory' });
    await axios.get(url);
    await clear();
    expect(await getCache()?.count()).to.equal(0);
    expect((await axios.get(url)).fromCache).to.equal(false);
  });

  it('A12 isInstalled: false, true, false', async () => {
    const states = [isInstalled()];
    const { cache } = installCache({ backend: 'memory' });
    states.push(isInstalled());
    expect(getCache()).to.equal(cache);
    await uninstallCache();
    states.push(isInstalled());
    expect(states).to.deep.equal([false, true, false]);
  });

  it('A45 removeExpiredResponses: of the installed cache, and 0 when there is none', async () => {
    expect(await removeExpiredResponses()).to.equal(0);
    expect(await removeExpiredResponses({ expireAfter: 30 })).to.equal(0);
    const clock = new TestClock();
    installCache({ backend: new MemoryBackend(), clock: clock.now });
    await axios.get(`${url}?never`);
    await axios.get(`${url}?soon`, { expireAfter: 60 });
    clock.tick(61);
    expect(await removeExpiredResponses()).to.equal(1);
    expect(await getCache()?.count()).to.equal(1);
    expect(await removeExpiredResponses({ expireAfter: 30 })).to.equal(1);
    expect(await getCache()?.count()).to.equal(0);
  });

  it('A06-A12 over the copy of axios that ES modules get', async () => {
    expect(await inProcess<Patched>(programPath('patched.ts'), [url])).to.deep.equal({
      isEsm: true,
      cached: {
        axios: true,
        'a new instance': true,
        'an older instance': false,
        'inside disabled': false,
        uninstalled: false,
        'inside enabled': true,
        'after enabled': false,
      },
      isInstalled: [false, true, false],
      isRestored: true,
    });
  });

  describe('A13 its limits', () => {
    it('A13 the README names the three: threads and processes, other packages that patch, packages that others use', () => {
      const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').replace(/\s+/g, ' ');
      const [, limits = ''] = /should not: (.*?)\. There, use/.exec(readme) ?? [];
      expect(limits).to.match(/threads or processes/);
      expect(limits).to.match(/other packages that patch axios/);
      expect(limits).to.match(/inside a package that others use/);
    });

    it('A13 another thread has an axios of its own, which is not patched', async () => {
      installCache({ backend: 'memory' });
      const program = `
        const axios = require(${JSON.stringify(createRequire(import.meta.url).resolve('axios'))});
        const { parentPort, workerData } = require('node:worker_threads');
        (async () => {
          await axios.get(workerData);
          parentPort.postMessage((await axios.get(workerData)).fromCache ?? false);
        })();`;
      const worker = new Worker(program, { eval: true, workerData: url, execArgv: [] });
      const fromCache = await new Promise((resolve, reject) => {
        worker.once('message', resolve).once('error', reject);
      });
      await worker.terminate();
      expect(fromCache).to.equal(false);
      expect(origin.count).to.equal(2);
      expect(await reached(), 'nor has it stored anything here').to.equal(1);
    });

    it('A13 a package that patches axios later comes first, and stays when the cache goes', async () => {
      installCache({ backend: 'memory' });
      expect(await reached()).to.equal(1);
      const mock = new MockAdapter(axios as never);
      try {
        mock.onGet(url).reply(200, 'mocked');
        expect(await axios.get(url)).to.include({ data: 'mocked' });
        await uninstallCache();
        expect((await axios.get(url)).data).to.equal('mocked');
        mock.restore();
        expect(await reached(), 'our adapter below passes everything on').to.equal(2);
      } finally {
        axios.defaults.adapter = original as never;
      }
    });

    it('A13 a package that patches axios before does the network for the cache', async () => {
      const mock = new MockAdapter(axios as never);
      try {
        mock.onGet(url).reply(200, 'mocked');
        installCache({ backend: 'memory' });
        expect((await axios.get(url)).fromCache).to.equal(false);
        expect(await axios.get(url)).to.include({ data: 'mocked', fromCache: true });
        expect(mock.history.get?.length).to.equal(1);
        await uninstallCache();
      } finally {
        mock.restore();
      }
    });

    it('A13 interceptors of others see hits as they see everything', async () => {
      installCache({ backend: 'memory' });
      const http = axios.create();
      const seen: string[] = [];
      http.interceptors.request.use((config) => {
        seen.push('request');
        config.headers.set('X-Own', '1');
        return config;
      });
      http.interceptors.response.use((response) => {
        seen.push(`response ${response.fromCache}`);
        return response;
      });
      expect(await reached(http)).to.equal(1);
      expect(seen).to.deep.equal(['request', 'response false', 'request', 'response true']);
      expect(origin.last?.headers['x-own']).to.equal('1');
    });

    it("A13 a package's own copy of axios is not patched, unless it is named", async () => {
      const copies = [oldestAxios, newestAxios] as unknown as AxiosInstance[];
      const other = copies.find((copy) => copy !== axios) ?? expect.fail('no other copy');
      installCache({ backend: 'memory' });
      expect(await reached(other, `${url}?1`)).to.equal(2);
      expect(await reached(axios, `${url}?2`)).to.equal(1);
      installCache({ backend: 'memory', axios: [axios as AxiosCopy, other as AxiosCopy] });
      expect(await reached(other, `${url}?1`)).to.equal(1);
      expect(await reached(axios, `${url}?1`), 'of the same cache').to.equal(0);
      await uninstallCache();
      expect(await reached(other, `${url}?1`)).to.equal(2);
    });
  });
});
