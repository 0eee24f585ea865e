import type { AxiosInstance } from 'axios';
import { expect } from 'chai';
import { type Bench, describeOnBoth, gate, sources, twice } from './copies.js';

const MEMORY = { backend: 'memory' } as const;

describeOnBoth('enabled', (bench: Bench) => {
  it('caches inside of it, and only there', async () => {
    const { axios, stash, url } = bench;
    const original = axios.defaults.adapter;
    expect(await stash.enabled(MEMORY, () => twice(() => axios.get(url)))).to.deep.equal([
      'network',
      'cache',
    ]);
    expect(axios.defaults.adapter).to.equal(original);
    expect(await twice(() => axios.get(url))).to.deep.equal(['past', 'past']);
  });

  it('resolves with what the function returns, async or not', async () => {
    const { stash } = bench;
    expect(await stash.enabled(MEMORY, async () => 1)).to.equal(1);
    expect(await stash.enabled(MEMORY, () => 2)).to.equal(2);
    expect(await stash.enabled(MEMORY, () => stash.isInstalled())).to.equal(true);
    expect(await stash.disabled(async () => 3)).to.equal(3);
    expect(await stash.disabled(() => 4)).to.equal(4);
  });

  it('restores on throw, sync or async, and rejects with that very error', async () => {
    const { axios, stash } = bench;
    const original = axios.defaults.adapter;
    const boom = new Error('boom');
    const throwing = [
      () => {
        throw boom;
      },
      async () => {
        await Promise.resolve();
        throw boom;
      },
    ];
    for (const fn of throwing) {
      for (const run of [() => stash.enabled(MEMORY, fn), () => stash.disabled(fn)]) {
        expect(await run().catch((error: unknown) => error)).to.equal(boom);
        expect(axios.defaults.adapter).to.equal(original);
        expect(stash.isInstalled()).to.equal(false);
      }
    }
  });

  it('hands on what the function returns although its store fails to close', async () => {
    const { stash } = bench;
    class Stubborn extends stash.MemoryBackend {
      override close(): never {
        throw new Error('not now');
      }
    }
    expect(await stash.enabled({ backend: Stubborn }, () => 'done')).to.equal('done');
    const error = await stash
      .enabled({ backend: Stubborn }, () => Promise.reject(new RangeError('own')))
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(RangeError);
  });

  it('rejects bad arguments and changes nothing', async () => {
    const { axios, stash } = bench;
    const original = axios.defaults.adapter;
    const bad: (() => Promise<unknown>)[] = [
      () => stash.enabled({ backend: 'sqlight' } as never, () => 1),
      () => stash.enabled({} as never, undefined as never),
      () => stash.enabled(undefined as never),
      () => stash.disabled(undefined as never),
    ];
    for (const call of bad) {
      expect(await call().catch((error: unknown) => error)).to.be.instanceOf(stash.CacheOptionError);
      expect(axios.defaults.adapter).to.equal(original);
    }
  });

  it('nests: the innermost decides, and each gives way to the one around it', async () => {
    const { axios, stash, url } = bench;
    const states: boolean[] = [];
    const seen: string[] = [];
    const note = async () => {
      states.push(stash.isInstalled());
      seen.push(...sources(await axios.get(url)));
    };
    stash.installCache(MEMORY);
    await note();
    await stash.enabled(MEMORY, async () => {
      await note();
      await stash.disabled(async () => {
        await note();
        await stash.enabled(MEMORY, note);
        await note();
      });
      await note();
    });
    await note();
    expect(states).to.deep.equal([true, true, false, true, false, true, true]);
    expect(seen).to.deep.equal(['network', 'network', 'past', 'network', 'past', 'cache', 'cache']);
  });

  it('gives getCache, clear and removeExpiredResponses its own cache', async () => {
    const { axios, stash, url } = bench;
    const outer = stash.installCache(MEMORY).cache;
    await axios.get(url);
    await stash.enabled(MEMORY, async () => {
      const inner = stash.getCache();
      expect(inner).to.not.equal(outer);
      await axios.get(url);
      await stash.clear();
      expect(await inner?.count()).to.equal(0);
    });
    await stash.disabled(async () => {
      expect(stash.getCache()).to.equal(undefined);
      await stash.clear();
      expect(await stash.removeExpiredResponses({ expireAfter: -2 })).to.equal(0);
    });
    expect(stash.getCache()).to.equal(outer);
    expect(await outer.count()).to.equal(1);
  });

  it('caches instances created in it while inside; outside they pass through', async () => {
    const { axios, stash, url } = bench;
    const before = axios.create();
    let http: AxiosInstance | undefined;
    await stash.enabled(MEMORY, async () => {
      const made = axios.create();
      http = made;
      expect(await twice(() => made.get(url))).to.deep.equal(['network', 'cache']);
      expect(await twice(() => before.get(url)), 'made before').to.deep.equal(['past', 'past']);
    });
    const outside = http ?? expect.fail('no instance');
    expect(await twice(() => outside.get(url))).to.deep.equal(['past', 'past']);
  });

  it('patches the copies that it names, and leaves the others to what is around it', async () => {
    const { axios, stash, url } = bench;
    const other = axios.create();
    stash.installCache(MEMORY);
    await axios.get(url);
    await stash.enabled({ ...MEMORY, axios: other }, async () => {
      expect(await twice(() => other.get(url))).to.deep.equal(['network', 'cache']);
      expect((await axios.get(url)).fromCache).to.equal(true);
    });
    expect((await other.get(url)).fromCache).to.equal(undefined);
  });

  it('leaves uninstallCache and installCache inside of it to what is around it', async () => {
    const { axios, stash, url } = bench;
    const original = axios.defaults.adapter;
    stash.installCache(MEMORY);
    await stash.enabled(MEMORY, async () => {
      await axios.get(url);
      await stash.uninstallCache();
      expect((await axios.get(url)).fromCache).to.equal(true);
      expect(stash.isInstalled()).to.equal(true);
    });
    expect(axios.defaults.adapter).to.equal(original);
    await stash.enabled(MEMORY, () => {
      stash.installCache(MEMORY);
    });
    expect(stash.isInstalled()).to.equal(true);
    expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
  });
});

describeOnBoth('disabled', (bench: Bench) => {
  it('makes requests go past the cache, which neither gives nor takes', async () => {
    const { axios, stash, url } = bench;
    const { cache } = stash.installCache(MEMORY);
    expect(await stash.disabled(() => twice(() => axios.get(url)))).to.deep.equal(['past', 'past']);
    expect(await cache.count()).to.equal(0);
    await axios.get(url);
    expect(await stash.disabled(() => twice(() => axios.get(url)))).to.deep.equal(['past', 'past']);
    expect((await axios.get(url)).fromCache).to.equal(true);
  });

  it('is harmless when nothing is installed, and holds for what is installed inside of it', async () => {
    const { axios, stash, url } = bench;
    await stash.disabled(async () => {
      expect(await twice(() => axios.get(url))).to.deep.equal(['past', 'past']);
      stash.installCache(MEMORY);
      expect(await twice(() => axios.get(url))).to.deep.equal(['past', 'past']);
    });
    expect(await twice(() => axios.get(url))).to.deep.equal(['network', 'cache']);
  });
});

describeOnBoth('two async contexts at once', (bench: Bench) => {
  it('one disabled, one not: neither notices the other', async () => {
    const { axios, stash, url } = bench;
    stash.installCache(MEMORY);
    await axios.get(url);
    const inside = gate();
    const outside = gate();
    const off = stash.disabled(async () => {
      inside.open();
      await outside.opened;
      return sources(await axios.get(url));
    });
    await inside.opened;
    expect(sources(await axios.get(url)), 'while another is disabled').to.deep.equal(['cache']);
    outside.open();
    expect(await off).to.deep.equal(['past']);
  });

  it('each enabled has a cache of its own, and they end in any order', async () => {
    const { axios, stash, url } = bench;
    const original = axios.defaults.adapter;
    const started = [gate(), gate()];
    const finish = [gate(), gate()];
    const runs = [0, 1].map((at) =>
      stash.enabled(MEMORY, async () => {
        const seen = await twice(() => axios.get(url));
        started[at]?.open();
        await finish[at]?.opened;
        seen.push(...sources(await axios.get(url)));
        return seen;
      }),
    );
    await Promise.all(started.map(({ opened }) => opened));
    expect(await twice(() => axios.get(url)), 'in no enabled').to.deep.equal(['past', 'past']);
    finish[0]?.open();
    expect(await runs[0]).to.deep.equal(['network', 'cache', 'cache']);
    expect(axios.defaults.adapter, 'the second is still there').to.not.equal(original);
    finish[1]?.open();
    expect(await runs[1]).to.deep.equal(['network', 'cache', 'cache']);
    expect(axios.defaults.adapter).to.equal(original);
  });

  it('an instance made elsewhere while one is enabled is not cached', async () => {
    const { axios, stash, url } = bench;
    const started = gate();
    const finish = gate();
    const run = stash.enabled(MEMORY, async () => {
      started.open();
      await finish.opened;
    });
    await started.opened;
    const http = axios.create();
    expect(await twice(() => http.get(url))).to.deep.equal(['past', 'past']);
    finish.open();
    await run;
    expect(await twice(() => http.get(url))).to.deep.equal(['past', 'past']);
  });

  it('work that outlives its enabled goes by what is installed then', async () => {
    const { axios, stash, url } = bench;
    const ended = gate();
    const installed = gate();
    let later: Promise<string[][]> | undefined;
    await stash.enabled(MEMORY, () => {
      later = (async () => {
        await ended.opened;
        expect(stash.isInstalled()).to.equal(false);
        expect(stash.getCache()).to.equal(undefined);
        const first = await twice(() => axios.get(url));
        stash.installCache(MEMORY);
        installed.open();
        return [first, await twice(() => axios.get(url))];
      })();
    });
    ended.open();
    await installed.opened;
    expect(await later).to.deep.equal([
      ['past', 'past'],
      ['network', 'cache'],
    ]);
  });
});
