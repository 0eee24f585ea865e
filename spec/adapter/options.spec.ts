import { inspect } from 'node:util';
import axios from 'axios';
import { expect } from 'chai';
import {
  CacheOptionError,
  type CacheOptions,
  cacheAdapter,
  DEFAULT_REDACTED,
  isCacheError,
  MemoryBackend,
  SQLiteBackend,
  type StoreRecord,
} from '../../lib/index.js';
import { answer, RemoteStore, recordEvents, rejection, using } from './support.js';

/** What constructing with these options throws. */
function refusal(options: unknown): CacheOptionError {
  let adapter: ReturnType<typeof cacheAdapter>;
  try {
    adapter = cacheAdapter(options as CacheOptions);
  } catch (error) {
    expect(isCacheError(error), String(error)).to.equal(true);
    expect(error).to.be.instanceOf(CacheOptionError);
    return error as CacheOptionError;
  }
  void adapter.close();
  return expect.fail(`nothing thrown for ${String(options)}`);
}

const memory = { backend: 'memory' } as const;

describe('options: what is refused', () => {
  const bad: [string, unknown[]][] = [
    [
      'expireAfter',
      [
        '60',
        Number.NaN,
        Number.POSITIVE_INFINITY,
        {},
        true,
        { day: 1 },
        { days: '1' },
        new Date(Number.NaN),
        [],
        Symbol('x'),
      ],
    ],
    ['urlsExpireAfter', ['x', 5, { 'a.com': '60' }, [['a.com']], [[5, 60]], { 'a.com': {} }]],
    ['allowableMethods', ['GET', [5], [''], null]],
    ['allowableCodes', [200, ['200'], [99], [1000], [200.5], null]],
    ['ignoredParameters', ['x', [5], [''], null]],
    ['redact', ['x', [5], [''], null]],
    ['matchHeaders', ['Accept', [5], 1, null]],
    ['includeGetHeaders', ['Accept', [5], 1, null]],
    ['keyFn', ['x', {}, null]],
    ['filterFn', ['x', {}, null]],
    ['cacheControl', ['true', 1, 0, null]],
    ['shared', ['true', 1, null]],
    [
      'staleIfError',
      ['true', -1, Number.NaN, Number.POSITIVE_INFINITY, {}, { hour: 1 }, { hours: -1 }, null],
    ],
    ['oldDataOnError', ['true', -1, {}]],
    ['staleWhileRevalidate', ['true', -1, {}, null]],
    ['alwaysRevalidate', ['true', 1, null]],
    ['onlyIfCached', ['true', 1, null]],
    ['readOnly', ['true', 1, null]],
    ['coalesce', ['true', 1, null]],
    ['secretKey', ['', [], 5, [''], [5], Buffer.alloc(0), null]],
    ['encryptionKey', ['x'.repeat(32), Buffer.alloc(31), Buffer.alloc(33), [], [Buffer.alloc(5)], 5, null]],
    [
      'compression',
      [
        'zip',
        true,
        {},
        { algorithm: 'zip' },
        { algorithm: 'gzip', threshold: -1 },
        { algorithm: 'gzip', treshold: 1 },
        5,
        null,
      ],
    ],
    ['serializer', ['xml', {}, { encode: () => {} }, 5, null]],
    ['maxEntries', [0, -1, 1.5, '10', Number.POSITIVE_INFINITY, null]],
    ['maxBytes', [0, -1, 1.5, '10', Number.NaN, null]],
    ['maxEntryBytes', [-1, 1.5, '10', null]],
    ['hotBytes', [-1, 1.5, '10', null]],
    ['frozen', ['true', 1, null]],
    ['adapter', [5, {}, [], [5], '', null]],
    ['storeTimeout', [0, -1, '2', Number.NaN, Number.POSITIVE_INFINITY, null]],
    ['cacheStatusHeader', ['', 5, 'a\nb', 'ü', null]],
    ['clock', [5, 'now', new Date(), null]],
    ['cacheName', ['', 5, null]],
    ['backend', ['sqlit', 5, {}, () => {}, true, null]],
  ];
  for (const [name, values] of bad) {
    it(`${name}: values of the wrong type or out of range`, () => {
      for (const value of values) {
        const error = refusal({ ...memory, [name]: value });
        expect(error, String(value?.toString())).to.include({
          name: 'CacheOptionError',
          code: 'ERR_CACHE_OPTION',
        });
        expect(error.option.split(/[.[]/)[0], error.message).to.equal(name);
        expect(error.message)
          .to.include(name)
          .and.match(/got .+; .+/s);
      }
    });
  }

  it('says what it got and what it takes', () => {
    expect(refusal({ ...memory, maxEntries: -3 }).message).to.equal(
      'Option maxEntries: got -3; allowed: responses, a whole number from 1',
    );
  });

  it('never prints a secret', () => {
    for (const secretKey of [
      [5, 'hunter22'],
      ['hunter22', ''],
    ])
      expect(refusal({ ...memory, secretKey }).message).not.to.include('hunter22');
    expect(refusal({ ...memory, encryptionKey: 'hunter22hunter22' }).message).not.to.include('hunter22');
  });

  const mistaken: [string, object, string][] = [
    ['a mistyped secretKey', { ...memory, sekretKey: 'hunter22' }, 'did you mean secretKey?'],
    ['several of them', { ...memory, secretkey: ['hunter22'] }, 'did you mean secretKey?'],
    ['an option of another backend', { ...memory, url: 'redis://ann:hunter22@h' }, 'known: '],
    ['a number', { ...memory, pin: 11122233 }, 'known: '],
    ['a URL for a backend', { backend: 'redis://ann:hunter22@h' }, "got 'redis://***'; allowed: 'sqlite'"],
    ['a URL without a scheme', { backend: 'ann:hunter22@h' }, "got '***@h'; allowed: 'sqlite'"],
    [
      'options for a backend',
      { backend: { host: 'h', password: 'hunter22' } },
      'an object with host, password',
    ],
    ['a URL elsewhere', { ...memory, expireAfter: 'http://ann:hunter22@h' }, '//***@h'],
    ['a long one', { ...memory, expireAfter: `http://ann:hunter22${'x'.repeat(99)}@h` }, '//***@h'],
  ];
  for (const [what, options, told] of mistaken) {
    it(`never prints what may be a secret: ${what}`, () => {
      const error = refusal(options);
      expect(error.message).to.include(told).and.to.include(error.option);
      expect(error.message).not.to.match(/hunter22|11122233/);
      // What a logger prints of an error has its properties too. Of a known option, the value is as it was given.
      if (error.option !== 'expireAfter') expect(inspect(error)).not.to.match(/hunter22|11122233/);
    });
  }

  const unknown: [string, string][] = [
    ['expireAfer', 'expireAfter'],
    ['expire_after', 'expireAfter'],
    ['expireafter', 'expireAfter'],
    ['urlExpireAfter', 'urlsExpireAfter'],
    ['allowableMethod', 'allowableMethods'],
    ['staleIfErrors', 'staleIfError'],
    ['cachename', 'cacheName'],
    ['readonly', 'readOnly'],
  ];
  for (const [name, meant] of unknown) {
    it(`an unknown option ${name}: did you mean ${meant}?`, () => {
      const error = refusal({ ...memory, [name]: 5 });
      expect(error.option).to.equal(name);
      expect(error.message).to.include(`did you mean ${meant}?`);
    });
  }

  it('an unknown option that resembles none is named, with those there are', () => {
    const error = refusal({ ...memory, zzzzzzzz: 5 });
    expect(error.message).to.include('zzzzzzzz').and.not.include('did you mean');
    expect(error.message).to.include('expireAfter').and.include('cacheName');
  });

  it('names of Object.prototype are no options', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty'])
      expect(refusal({ ...memory, [name]: 5 }).option).to.equal(name);
  });

  it('an option of another backend is unknown', () => {
    expect(refusal({ ...memory, busyTimeout: 5 }).option).to.equal('busyTimeout');
    expect(refusal({ backend: new MemoryBackend(), busyTimeout: 5 }).option).to.equal('busyTimeout');
  });

  it('an alias beside what it means', () => {
    expect(refusal({ ...memory, staleIfError: true, oldDataOnError: true }).message).to.match(
      /oldDataOnError.*alias of staleIfError/s,
    );
    expect(refusal({ ...memory, matchHeaders: true, includeGetHeaders: false }).message).to.match(
      /includeGetHeaders.*alias of matchHeaders/s,
    );
  });

  it('what is no options object', () => {
    for (const options of [null, 'sqlite', 5, [], () => {}])
      expect(refusal(options).option).to.equal('options');
  });

  it('bounds that the store cannot keep', () => {
    for (const name of ['maxEntries', 'maxBytes']) {
      expect(refusal({ backend: new RemoteStore(), [name]: 10 }).message)
        .to.include(name)
        .and.include('RemoteStore');
    }
  });

  it('takes undefined for not given, everywhere', async () => {
    const options = Object.fromEntries(bad.map(([name]) => [name, undefined]));
    await cacheAdapter({ ...options, ...memory } as CacheOptions).close();
  });

  for (const config of [
    { expireAfter: '60' },
    { expireAfter: {} },
    { staleIfError: -1 },
    { staleWhileRevalidate: 'x' },
    { refresh: 1 },
    { forceRefresh: 'yes' },
    { onlyIfCached: 0 },
    { cache: 'no' },
  ]) {
    it(
      `a request with ${JSON.stringify(config)} rejects with CacheOptionError, unsent`,
      using({}, async ({ http, origin }) => {
        const error = await rejection(http.get('/r', config as never));
        expect(error).to.include({
          name: 'CacheOptionError',
          code: 'ERR_CACHE_OPTION',
          option: Object.keys(config)[0],
        });
        expect(origin.count).to.equal(0);
      }),
    );
  }
});

describe('options: what they do', () => {
  it('backend: names in any case, classes, instances, maps', async () => {
    const backends = [
      'memory',
      'MEMORY',
      'Memory',
      MemoryBackend,
      new MemoryBackend(),
      new Map(),
      new RemoteStore(),
    ];
    for (const backend of backends) {
      await using({ backend } as CacheOptions, async ({ http }) => {
        await http.get('/r');
        expect((await http.get('/r')).fromCache).to.equal(true);
      })();
    }
  });

  it('backend: SQLite by default, with its own options beside it', async () => {
    const adapter = cacheAdapter({ cacheName: ':memory:', busyTimeout: 1 });
    expect(adapter.settings.backend).to.equal('sqlite');
    expect(adapter.settings.cacheName).to.equal(':memory:');
    await adapter.close();
    const other = cacheAdapter({ backend: SQLiteBackend, cacheName: ':memory:' });
    expect(await other.cache.count()).to.equal(0);
    await other.close();
  });

  it('expireAfter: for ever by default; request before pattern before adapter', async () => {
    await using({}, async ({ http, clock }) => {
      await http.get('/r');
      clock.tick(1e9);
      expect((await http.get('/r')).fromCache).to.equal(true);
    })();
    await using({ expireAfter: 10, urlsExpireAfter: { '*/p': 20, '*/null': null } }, async ({ http }) => {
      const ttl = async (url: string, config = {}) => (await http.get(url, config)).cacheStatus?.ttl;
      expect(await ttl('/a')).to.equal(10);
      expect(await ttl('/p')).to.equal(20);
      expect(await ttl('/null')).to.equal(10);
      expect(await ttl('/p?1', { expireAfter: 30 })).to.equal(30);
      expect(await ttl('/p?2', { expireAfter: null })).to.equal(20);
      expect(await ttl('/p?3', { expireAfter: { minutes: 1 } })).to.equal(60);
    })();
  });

  it('allowableMethods: GET and HEAD by default, replaced as a whole, in any case', async () => {
    const cached = async (options: CacheOptions) => {
      const result: string[] = [];
      await using(options, async ({ http }) => {
        for (const method of ['get', 'head', 'post', 'put', 'delete']) {
          await http.request({ url: '/r', method });
          if ((await http.request({ url: '/r', method })).fromCache) result.push(method);
        }
      })();
      return result;
    };
    expect(await cached({})).to.deep.equal(['get', 'head']);
    expect(await cached({ allowableMethods: ['post', 'Put'] })).to.deep.equal(['post', 'put']);
    expect(await cached({ allowableMethods: [] })).to.deep.equal([]);
  });

  it('allowableCodes: 200 by default, replaced as a whole', async () => {
    const stored = async (options: CacheOptions) => {
      const result: number[] = [];
      await using(options, async ({ http, origin }) => {
        for (const status of [200, 201, 203, 301, 404, 500]) {
          origin.on(`/${status}`, answer('x', {}, status));
          const config = { validateStatus: null, maxRedirects: 0 };
          await http.get(`/${status}`, config);
          if ((await http.get(`/${status}`, config)).fromCache) result.push(status);
        }
      })();
      return result;
    };
    expect(await stored({})).to.deep.equal([200]);
    expect(await stored({ allowableCodes: [404, 500] })).to.deep.equal([404, 500]);
    expect(await stored({ cacheControl: true, allowableCodes: [404], expireAfter: 10 })).to.deep.equal([404]);
  });

  it(
    'ignoredParameters: out of the key in query, body and headers, and redacted',
    using(
      {
        ignoredParameters: ['sid', 'X-Sid'],
        matchHeaders: ['x-sid', 'x-a'],
        allowableMethods: ['GET', 'POST'],
      },
      async ({ http, adapter }) => {
        await http.get('/r?a=1&sid=1');
        for (const url of ['/r?a=1&sid=2', '/r?a=1', '/r?sid=&a=1'])
          expect((await http.get(url)).fromCache, url).to.equal(true);
        expect((await http.get('/r?a=1', { headers: { 'x-SID': '5' } })).fromCache).to.equal(true);
        expect((await http.get('/r?a=1', { headers: { 'X-A': '5' } })).fromCache).to.equal(false);
        expect((await http.get('/r?a=1&SID=1')).fromCache).to.equal(false);
        await http.post('/p', { a: [{ sid: 1, b: 2 }] });
        expect((await http.post('/p', { a: [{ b: 2 }] })).fromCache).to.equal(true);
        expect((await http.post('/p', { a: [{ b: 3 }] })).fromCache).to.equal(false);
        expect((await adapter.cache.urls()).join()).to.match(/sid=REDACTED/);
      },
    ),
  );

  it('redact: the defaults, or what is given, and the values still separate', async () => {
    expect(DEFAULT_REDACTED).to.include.members([
      'authorization',
      'cookie',
      'api_key',
      'access_token',
      'password',
    ]);
    for (const [redact, name] of [
      [undefined, 'api_key'],
      [['Mine'], 'mine'],
    ] as const) {
      await using({ redact } as CacheOptions, async ({ http, adapter }) => {
        await http.get(`/r?${name}=first`);
        expect((await http.get(`/r?${name}=second`)).fromCache).to.equal(false);
        expect((await http.get(`/r?${name}=first`)).fromCache).to.equal(true);
        expect((await adapter.cache.urls()).join())
          .to.match(/=REDACTED/)
          .and.not.match(/first|second/);
      })();
    }
  });

  it('matchHeaders and its alias: none, some, all', async () => {
    for (const name of ['matchHeaders', 'includeGetHeaders']) {
      for (const [value, separates] of [
        [false, []],
        [['X-A'], ['x-a']],
        [true, ['x-a', 'x-b']],
        [[], []],
      ] as const) {
        await using({ [name]: value } as CacheOptions, async ({ http }) => {
          const ask = async (headers: Record<string, string>) =>
            (await http.get('/r', { headers })).fromCache;
          await ask({ 'x-a': '1', 'x-b': '1' });
          expect(await ask({ 'x-a': '2', 'x-b': '1' })).to.equal(
            !(separates as readonly string[]).includes('x-a'),
          );
          expect(await ask({ 'x-a': '1', 'x-b': '2' })).to.equal(
            !(separates as readonly string[]).includes('x-b'),
          );
        })();
      }
    }
  });

  it(
    'filterFn: false is not stored, and deletes what is met',
    using({ filterFn: (response) => response.text() !== 'bad' }, async ({ http, origin, adapter }) => {
      origin.on('/r', answer('bad'));
      const response = await http.get('/r');
      expect(response).to.include({ data: 'bad', fromCache: false });
      expect(response.cacheStatus).to.include({ stored: false, detail: 'filterFn' });
      origin.on('/r', answer('good'));
      await http.get('/r');
      expect((await http.get('/r')).fromCache).to.equal(true);
      adapter.settings.filterFn = (stored) => stored.text() !== 'good';
      expect((await http.get('/r')).fromCache).to.equal(false);
      expect(await adapter.cache.count()).to.equal(0);
    }),
  );

  it('filterFn: sees what will be stored', async () => {
    const seen: unknown[] = [];
    await using(
      {
        expireAfter: 10,
        filterFn: (r) => {
          seen.push([r.status, r.url, r.request.method, r.json(), r.headers['x-a'], r.isExpired, r.size]);
          return true;
        },
      },
      async ({ http, origin }) => {
        origin.on('/r', answer('{"a":1}', { 'x-a': '1' }));
        await http.get('/r');
        expect(seen).to.deep.equal([[200, `${origin.url}/r`, 'GET', { a: 1 }, '1', false, 7]]);
      },
    )();
  });

  it(
    'filterFn: one that throws hands the response on, unstored, with an event',
    using(
      {
        filterFn: () => {
          throw new Error('boom');
        },
      },
      async ({ http, errors, adapter }) => {
        expect((await http.get('/r')).data.n).to.equal(1);
        expect((await http.get('/r')).data.n).to.equal(2);
        expect(errors).to.have.length(2);
        expect(errors[0]?.error).to.have.property('message', 'boom');
        expect(await adapter.cache.count()).to.equal(0);
      },
    ),
  );

  it(
    'cacheControl: the origin decides, the adapter only where it is silent',
    using({ cacheControl: true }, async ({ http, origin, clock }) => {
      origin
        .on('/age', answer('x', { 'cache-control': 'max-age=10' }))
        .on('/no', answer('x', { 'cache-control': 'no-store' }))
        .on('/silent', answer('x'));
      for (const path of ['/age', '/no', '/silent']) await http.get(path);
      const hit = await http.get('/age');
      expect(hit.fromCache).to.equal(true);
      expect(hit.headers.age).to.equal('0');
      expect((await http.get('/no')).fromCache).to.equal(false);
      expect((await http.get('/silent')).fromCache).to.equal(false);
      clock.tick(10);
      expect((await http.get('/age')).fromCache).to.equal(false);
    }),
  );

  it('shared: private is not stored, s-maxage counts', async () => {
    for (const shared of [false, true]) {
      await using({ cacheControl: true, shared }, async ({ http, origin }) => {
        origin
          .on('/private', answer('x', { 'cache-control': 'private, max-age=10' }))
          .on('/s', answer('x', { 'cache-control': 'max-age=10, s-maxage=99' }));
        expect((await http.get('/private')).cacheStatus?.stored).to.equal(!shared);
        expect((await http.get('/s')).cacheStatus?.ttl).to.equal(shared ? 99 : 10);
      })();
    }
  });

  it(
    'readOnly: reads, and changes nothing that is stored',
    using({ expireAfter: 10 }, async ({ http, origin, adapter, clock }) => {
      origin.on('/etag', answer('x', { etag: '"1"' }));
      await http.get('/r');
      await http.get('/etag');
      const before = await adapter.cache.get({ url: `${origin.url}/etag` });
      adapter.settings.readOnly = true;
      expect((await http.get('/r')).fromCache).to.equal(true);
      expect((await http.get('/new')).cacheStatus).to.include({ stored: false, detail: 'readOnly' });
      clock.tick(11);
      origin.on('/etag', answer('', {}, 304));
      const confirmed = await http.get('/etag');
      expect(confirmed).to.include({ revalidated: true, data: 'x' });
      expect(confirmed.cacheStatus).to.include({ stored: false });
      expect((await http.get('/r', { forceRefresh: true })).cacheStatus).to.include({ stored: false });
      adapter.settings.filterFn = () => false;
      await http.get('/r');
      expect(await adapter.cache.count()).to.equal(2);
      expect((await adapter.cache.get({ url: `${origin.url}/etag` }))?.expires).to.deep.equal(
        before?.expires,
      );
    }),
  );

  it('maxEntries and maxBytes: the least recently used go first, with an event', async () => {
    for (const bounds of [{ maxEntries: 2 }, { maxBytes: 2500 }]) {
      await using(bounds, async (own) => {
        const { http, origin, adapter } = own;
        const events = recordEvents(own, ['evicted']);
        for (const path of ['/a', '/b', '/c']) origin.on(path, answer('x'.repeat(700)));
        const keys = [(await http.get('/a')).cacheKey, (await http.get('/b')).cacheKey];
        await http.get('/a');
        await http.get('/c');
        expect(await adapter.cache.count()).to.equal(2);
        expect(await adapter.cache.has({ url: `${origin.url}/a` })).to.equal(true);
        expect(await adapter.cache.has({ url: `${origin.url}/b` })).to.equal(false);
        expect((await http.get('/b')).fromCache).to.equal(false);
        expect(events[0]?.[1]).to.include({ key: keys[1] });
      })();
    }
  });

  it(
    'maxEntryBytes: a larger response passes through unstored; 64 MiB by default',
    using({ maxEntryBytes: 10 }, async ({ http, origin, another }) => {
      origin.on('/ten', answer('x'.repeat(10))).on('/eleven', answer('x'.repeat(11)));
      expect((await http.get('/ten')).cacheStatus).to.include({ stored: true });
      const large = await http.get('/eleven');
      expect(large.data).to.have.length(11);
      expect(large.cacheStatus).to.include({ stored: false, detail: 'over maxEntryBytes' });
      expect(another().adapter.settings.maxEntryBytes).to.equal(64 * 1024 * 1024);
    }),
  );

  it('hotBytes: 0 reads the store each time', async () => {
    for (const [hotBytes, reads] of [
      [0, 3],
      [undefined, 1],
    ] as const) {
      const backend = new MemoryBackend();
      let gets = 0;
      const get = backend.get.bind(backend);
      backend.get = (key) => {
        gets += 1;
        return get(key);
      };
      await using({ backend, hotBytes } as CacheOptions, async ({ http }) => {
        for (let i = 0; i < 3; i++) await http.get('/r');
        expect(gets).to.equal(reads);
      })();
    }
  });

  it(
    'frozen: one shared object, deeply frozen, for plain JSON hits only',
    using({ frozen: true }, async ({ http, origin }) => {
      origin.on('/r', answer('{"a":{"b":1}}', { 'content-type': 'application/json' }));
      const miss = await http.get('/r');
      miss.data.a.b = 2;
      const [a, b] = [await http.get('/r'), await http.get('/r')];
      expect(a.data).to.deep.equal({ a: { b: 1 } });
      expect(a.data).to.equal(b.data);
      expect(Object.isFrozen(a.data) && Object.isFrozen(a.data.a)).to.equal(true);
      const own = await http.get('/r', { transformResponse: (text: string) => JSON.parse(text) });
      expect(Object.isFrozen(own.data)).to.equal(false);
    }),
  );

  it('adapter: a name, a function, or several of which the first that works is taken', async () => {
    let called = 0;
    const own = axios.getAdapter('http');
    const adapters = [
      'http',
      'fetch',
      ['xhr', 'http'],
      (config: never) => {
        called += 1;
        return own(config);
      },
      ['xhr', 'http', 'fetch'],
    ];
    for (const adapter of adapters) {
      await using({ adapter } as CacheOptions, async ({ http }) => {
        await http.get('/r');
        expect((await http.get('/r')).fromCache).to.equal(true);
      })();
    }
    expect(called).to.equal(1);
  });

  it('adapter: a name that axios does not know is refused at once; known ones in any case', () => {
    for (const adapter of ['nope', ['http', 'nope'], '', [], 5] as unknown[]) {
      expect(() => cacheAdapter({ backend: 'memory', adapter: adapter as 'http' }))
        .to.throw(CacheOptionError, /adapter/)
        .with.property('option', 'adapter');
    }
    cacheAdapter({ backend: 'memory', adapter: ['XHR', 'Fetch'] as string[] });
  });
  it('clock: decides what time it is', async () => {
    let now = 1_000_000;
    await using({ expireAfter: 10, clock: () => now }, async ({ http }) => {
      expect((await http.get('/r')).createdAt?.getTime()).to.equal(1_000_000);
      now += 9_999;
      expect((await http.get('/r')).fromCache).to.equal(true);
      now += 1;
      expect((await http.get('/r')).fromCache).to.equal(false);
    })();
  });
});

describe('options: what is stored, through SQLite', () => {
  /** Two caches, one after the other, over one database. */
  async function twice(
    first: CacheOptions,
    second: CacheOptions,
  ): Promise<{ hit: boolean; data: unknown; codes: unknown[]; raw: string }> {
    const backend = new SQLiteBackend({ cacheName: ':memory:' });
    let outcome: { hit: boolean; data: unknown; codes: unknown[]; raw: string } | undefined;
    await using({ ...first, backend }, async ({ http, origin, another }) => {
      const body = JSON.stringify({ secret: 'plain to see', filler: 'x'.repeat(5000) });
      origin.on('/r', answer(body, { 'content-type': 'application/json' }));
      const config = { headers: { 'x-note': 'noted' } };
      await http.get('/r?q=inquiry', config);
      const raw: string[] = [];
      for await (const key of backend.keys())
        raw.push(Buffer.from((await backend.get(key)) ?? []).toString('latin1'));
      const other = another({ ...second, backend });
      const codes: unknown[] = [];
      other.adapter.cache.on('error', ({ error }) => codes.push((error as { code?: string }).code));
      const response = await other.http.get('/r?q=inquiry', config);
      expect(response.data.filler).to.have.length(5000);
      outcome = { hit: response.fromCache, data: response.data.secret, codes, raw: raw.join() };
    })();
    await backend.close();
    return outcome ?? expect.fail();
  }
  const key = (byte: number) => Buffer.alloc(32, byte);

  for (const compression of ['gzip', 'brotli', { algorithm: 'gzip', threshold: 10 }, false] as const) {
    it(`compression ${JSON.stringify(compression)}: a hit for whoever reads, however it writes`, async () => {
      for (const other of [compression, undefined, 'gzip', 'brotli'] as const) {
        const { hit, data, raw } = await twice({ compression }, { compression: other } as CacheOptions);
        expect({ hit, data }).to.deep.equal({ hit: true, data: 'plain to see' });
        if (compression) expect(raw.length).to.be.lessThan(2500);
        else expect(raw.length).to.be.greaterThan(5000);
      }
    });
  }

  it('encryptionKey: nothing readable, rotated keys decrypt, a wrong key misses', async () => {
    const same = await twice({ encryptionKey: key(1) }, { encryptionKey: key(1) });
    expect(same.hit).to.equal(true);
    expect(same.raw).not.to.match(/plain to see|inquiry|noted|127\.0\.0\.1|application\/json/);
    expect((await twice({ encryptionKey: key(1) }, { encryptionKey: [key(2), key(1)] })).hit).to.equal(true);
    expect((await twice({ encryptionKey: [key(2), key(1)] }, { encryptionKey: key(2) })).hit).to.equal(true);
    for (const second of [{ encryptionKey: key(2) }, {}]) {
      expect(await twice({ encryptionKey: key(1) }, second)).to.deep.include({
        hit: false,
        codes: ['ERR_CACHE_RECORD'],
      });
    }
    expect((await twice({}, { encryptionKey: key(1) })).hit).to.equal(false);
  });

  it('secretKey: rotated keys verify, a wrong one or none misses', async () => {
    expect((await twice({ secretKey: 'a' }, { secretKey: 'a' })).hit).to.equal(true);
    expect((await twice({ secretKey: 'a' }, { secretKey: ['b', 'a'] })).hit).to.equal(true);
    expect((await twice({ secretKey: Buffer.from('a') }, { secretKey: 'a' })).hit).to.equal(true);
    expect((await twice({ secretKey: ['b', 'a'] }, { secretKey: 'a' })).hit).to.equal(false);
    expect(await twice({}, { secretKey: 'a' })).to.deep.include({ hit: false, codes: ['ERR_CACHE_RECORD'] });
    expect(await twice({ secretKey: 'a' }, { secretKey: 'b' })).to.deep.include({
      hit: false,
      codes: ['ERR_CACHE_RECORD'],
    });
  });

  it('serializer: json is readable, one’s own is used, and one that fails is an event', async () => {
    const json = await twice({ serializer: 'json' }, { serializer: 'json' });
    expect(json).to.include({ hit: true });
    expect(json.raw).to.include('"noted"').and.include('inquiry');
    let kept: StoreRecord | undefined;
    const own = {
      encode: (record: StoreRecord): Uint8Array => {
        kept = record;
        return Buffer.from('kept');
      },
      decode: (): StoreRecord => kept ?? expect.fail(),
    };
    expect(await twice({ serializer: own }, { serializer: own })).to.include({
      hit: true,
      data: 'plain to see',
    });
    const broken = {
      encode: () => {
        throw new Error('no');
      },
      decode: () => {
        throw new Error('no');
      },
    };
    expect(await twice({ serializer: broken }, { serializer: broken })).to.deep.include({ hit: false });
  });

  it('all at once', async () => {
    const options = {
      compression: 'gzip',
      encryptionKey: key(1),
      secretKey: 's',
      serializer: 'json',
    } as const;
    const { hit, data, raw } = await twice(options, options);
    expect({ hit, data }).to.deep.equal({ hit: true, data: 'plain to see' });
    expect(raw).not.to.match(/plain to see|inquiry/);
  });
});
