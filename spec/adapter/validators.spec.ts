import { expect } from 'chai';
import type { CacheOptions } from '../../lib/index.js';
import { answer, Resource, rejection, using } from './support.js';

const monday = 'Mon, 05 Jan 2026 10:00:00 GMT';
const modes: [string, CacheOptions][] = [
  ['cacheControl: false', { expireAfter: 10 }],
  ['cacheControl: true', { expireAfter: 10, cacheControl: true }],
];

for (const [mode, options] of modes) {
  describe(`validators, ${mode}`, () => {
    const cases: [string, Partial<Resource>, Record<string, string | undefined>][] = [
      ['ETag', { etag: '"1"' }, { 'if-none-match': '"1"', 'if-modified-since': undefined }],
      ['a weak ETag', { etag: 'W/"1"' }, { 'if-none-match': 'W/"1"', 'if-modified-since': undefined }],
      [
        'Last-Modified',
        { etag: undefined, lastModified: monday },
        { 'if-none-match': undefined, 'if-modified-since': monday },
      ],
      [
        'both',
        { etag: '"1"', lastModified: monday },
        { 'if-none-match': '"1"', 'if-modified-since': monday },
      ],
    ];
    for (const [name, given, sent] of cases) {
      it(
        `asks whether an expired entry still holds, by ${name}`,
        using(options, async ({ http, origin, clock }) => {
          const resource = Object.assign(new Resource(), given);
          origin.on('/r', resource.handler);
          await http.get('/r');
          clock.tick(11);
          const again = await http.get('/r');
          for (const [header, value] of Object.entries(sent))
            expect(origin.last?.headers[header]).to.equal(value);
          expect(again).to.include({
            fromCache: true,
            revalidated: true,
            isExpired: false,
            status: 200,
            statusText: 'OK',
            data: 'v1',
          });
          expect(again.cacheStatus).to.include({ hit: false, fwd: 'stale', fwdStatus: 304, stored: true });
          expect(again.config.headers.has('if-none-match')).to.equal(false);
          clock.tick(9);
          expect(await http.get('/r')).to.include({ fromCache: true, revalidated: false });
          clock.tick(2);
          expect((await http.get('/r')).revalidated).to.equal(true);
          expect(origin.count).to.equal(3);
        }),
      );
    }

    it(
      'keeps createdAt on a 304, and fixes expires anew',
      using(options, async ({ http, origin, clock }) => {
        origin.on('/r', new Resource().handler);
        const first = await http.get('/r');
        clock.tick(11);
        const again = await http.get('/r');
        expect(again.createdAt).to.deep.equal(first.createdAt);
        expect(again.expires?.getTime()).to.equal(clock.now() + 10_000);
      }),
    );

    it(
      'takes the headers of a 304 over, but not what describes the body',
      using(options, async ({ http, origin, clock }) => {
        const resource = new Resource();
        resource.headers = { 'x-n': '1', 'content-type': 'text/plain', 'x-old': 'stays' };
        origin.on('/r', resource.handler);
        await http.get('/r');
        clock.tick(11);
        resource.headers = { 'x-n': '2', 'content-encoding': 'gzip', 'x-new': 'comes' };
        for (const response of [await http.get('/r'), await http.get('/r')]) {
          expect(response.headers).to.include({
            'x-n': '2',
            'x-old': 'stays',
            'x-new': 'comes',
            'content-type': 'text/plain',
          });
          expect(response.headers['content-encoding']).to.equal(undefined);
          expect(response.data).to.equal('v1');
        }
      }),
    );

    it(
      'replaces the entry by a 200',
      using(options, async ({ http, origin, clock, adapter }) => {
        const resource = new Resource();
        origin.on('/r', resource.handler);
        await http.get('/r');
        clock.tick(11);
        Object.assign(resource, { body: 'v2', etag: '"2"' });
        expect(await http.get('/r')).to.include({ fromCache: false, revalidated: false, data: 'v2' });
        expect(await http.get('/r')).to.include({ fromCache: true, data: 'v2' });
        expect(await adapter.cache.count()).to.equal(1);
      }),
    );

    it(
      'asks anew, without condition, when a 304 is about another ETag',
      using(options, async ({ http, origin, clock }) => {
        origin.on('/r', answer('v1', { etag: '"1"' }));
        await http.get('/r');
        clock.tick(11);
        origin.on('/r', (req, res) => {
          const isConditional = req.headers['if-none-match'] !== undefined;
          res.writeHead(isConditional ? 304 : 200, { etag: '"2"' });
          res.end(isConditional ? undefined : 'v2');
        });
        expect(await http.get('/r')).to.include({
          status: 200,
          data: 'v2',
          revalidated: false,
          fromCache: false,
        });
        expect(origin.count).to.equal(3);
        expect(await http.get('/r')).to.include({ fromCache: true, data: 'v2' });
      }),
    );

    it('takes a 304 whose ETag differs in weakness only, or that has none', async () => {
      for (const headers of [{ etag: 'W/"1"' }, {}]) {
        await using(options, async ({ http, origin, clock }) => {
          origin.on('/r', answer('v1', { etag: '"1"' }));
          await http.get('/r');
          clock.tick(11);
          origin.on('/r', answer('', headers, 304));
          expect(await http.get('/r')).to.include({ status: 200, data: 'v1', revalidated: true });
        })();
      }
    });

    it(
      'asks anew where a 304 has no ETag and another Last-Modified: it is about something else',
      using(options, async ({ http, origin, clock }) => {
        const modified = (day: number) => `Thu, 0${day} Jan 2026 00:00:00 GMT`;
        origin.on('/r', answer('v1', { 'last-modified': modified(1) }));
        await http.get('/r');
        clock.tick(11);
        origin.on('/r', (req, res) => {
          res.writeHead(req.headers['if-modified-since'] ? 304 : 200, { 'last-modified': modified(2) });
          res.end(req.headers['if-modified-since'] ? undefined : 'v2');
        });
        expect(await http.get('/r')).to.include({ data: 'v2', revalidated: false });
      }),
    );

    it(
      'leaves the entry when the origin answers 5xx, and hands on that answer',
      using(options, async ({ http, origin, clock }) => {
        const resource = new Resource();
        origin.on('/r', resource.handler);
        await http.get('/r');
        clock.tick(11);
        for (const status of [500, 501, 503]) {
          origin.on('/r', answer('down', { 'cache-control': 'max-age=100', etag: '"x"' }, status));
          const error = await rejection(http.get('/r'));
          expect(error.response).to.include({ status, data: 'down', fromCache: false, revalidated: false });
        }
        origin.on('/r', resource.handler);
        expect(await http.get('/r')).to.include({ revalidated: true, data: 'v1' });
      }),
    );

    it(
      'fetches whole where there is no validator, or no entry',
      using(options, async ({ http, origin, clock }) => {
        origin.on('/r', answer('v1'));
        await http.get('/r', { refresh: true });
        expect(origin.last?.headers['if-none-match']).to.equal(undefined);
        clock.tick(11);
        expect(await http.get('/r')).to.include({ fromCache: false, data: 'v1' });
        expect(origin.last?.headers['if-none-match']).to.equal(undefined);
        expect(origin.last?.headers['if-modified-since']).to.equal(undefined);
      }),
    );

    it(
      'stores what expires at once only if it can be revalidated',
      using({ ...options, expireAfter: 0 }, async ({ http, origin, adapter }) => {
        origin.on('/with', new Resource().handler).on('/without', answer('x'));
        await http.get('/with');
        await http.get('/without');
        expect(await adapter.cache.urls()).to.deep.equal([`${origin.url}/with`]);
        expect(await http.get('/with')).to.include({ revalidated: true, data: 'v1' });
      }),
    );

    it(
      'leaves a condition of the caller to the caller',
      using(options, async ({ http, origin, clock }) => {
        origin.on('/r', new Resource().handler);
        await http.get('/r');
        clock.tick(11);
        const own = await http.get('/r', { headers: { 'If-None-Match': '"1"' }, validateStatus: null });
        expect(own).to.include({ status: 304, revalidated: false });
        expect(await http.get('/r')).to.include({ status: 200, data: 'v1' });
      }),
    );

    it(
      'sends the validator only, and adds nothing else',
      using(options, async ({ http, origin, clock }) => {
        origin.on('/r', new Resource().handler);
        await http.get('/r');
        const before = Object.keys(origin.last?.headers ?? {});
        clock.tick(11);
        await http.get('/r');
        expect(
          Object.keys(origin.last?.headers ?? {}).filter((name) => !before.includes(name)),
        ).to.deep.equal(['if-none-match']);
      }),
    );
  });

  describe(`refresh, forceRefresh, alwaysRevalidate, ${mode}`, () => {
    it(
      'refresh asks by condition while the entry is fresh',
      using(options, async ({ http, origin }) => {
        origin.on('/r', new Resource().handler);
        await http.get('/r');
        const response = await http.get('/r', { refresh: true });
        expect(response).to.include({ fromCache: true, revalidated: true, data: 'v1' });
        expect(response.cacheStatus).to.include({ fwd: 'request', fwdStatus: 304 });
        expect(origin.last?.headers['if-none-match']).to.equal('"1"');
      }),
    );

    it(
      'refresh fetches whole where there is no validator, and stores that',
      using(options, async ({ http, origin }) => {
        await http.get('/r');
        expect(await http.get('/r', { refresh: true })).to.include({ fromCache: false });
        expect((await http.get('/r')).data.n).to.equal(2);
        expect(origin.count).to.equal(2);
      }),
    );

    it(
      'forceRefresh asks without condition, with no-cache, and stores the answer',
      using(options, async ({ http, origin }) => {
        const resource = new Resource();
        origin.on('/r', resource.handler);
        await http.get('/r');
        resource.body = 'v2';
        const response = await http.get('/r', { forceRefresh: true });
        expect(response).to.include({ fromCache: false, data: 'v2' });
        expect(response.cacheStatus).to.include({ fwd: 'request', fwdStatus: 200, stored: true });
        expect(origin.last?.headers['if-none-match']).to.equal(undefined);
        expect(origin.last?.headers['cache-control']).to.equal('no-cache');
        expect(await http.get('/r')).to.include({ fromCache: true, data: 'v2' });
      }),
    );

    it(
      'forceRefresh leaves a Cache-Control of the caller as it is',
      using(options, async ({ http, origin }) => {
        await http.get('/r', { forceRefresh: true, headers: { 'Cache-Control': 'max-age=0' } });
        expect(origin.last?.headers['cache-control']).to.equal('max-age=0');
      }),
    );

    it(
      'alwaysRevalidate asks each time there is a validator, else serves',
      using({ ...options, alwaysRevalidate: true }, async ({ http, origin }) => {
        origin.on('/with', new Resource().handler);
        await http.get('/with');
        expect((await http.get('/with')).revalidated).to.equal(true);
        expect((await http.get('/with')).revalidated).to.equal(true);
        await http.get('/without');
        expect(await http.get('/without')).to.include({ fromCache: true, revalidated: false });
        expect(origin.count).to.equal(4);
      }),
    );

    it(
      'work as defaults of an instance too',
      using(options, async ({ another, origin }) => {
        const { http } = another(options, { refresh: true });
        origin.on('/r', new Resource().handler);
        await http.get('/r');
        expect((await http.get('/r')).revalidated).to.equal(true);
        expect((await http.get('/r', { refresh: false })).revalidated).to.equal(false);
      }),
    );
  });
}

describe('request Cache-Control, cacheControl: false', () => {
  const table: [string, Record<string, string>, { asks: boolean; stored: boolean }][] = [
    ['no-store is neither read nor written', { 'Cache-Control': 'no-store' }, { asks: true, stored: false }],
    ['no-cache asks the origin', { 'Cache-Control': 'no-cache' }, { asks: true, stored: true }],
    ['Pragma: no-cache asks the origin', { Pragma: 'no-cache' }, { asks: true, stored: true }],
    ['max-age below the age asks the origin', { 'Cache-Control': 'max-age=4' }, { asks: true, stored: true }],
    ['max-age above the age is served', { 'Cache-Control': 'max-age=6' }, { asks: false, stored: true }],
    ['max-age=0 asks the origin', { 'Cache-Control': 'max-age=0' }, { asks: true, stored: true }],
  ];
  for (const [name, headers, { asks, stored }] of table) {
    it(
      name,
      using({ expireAfter: 100 }, async ({ http, origin, clock, adapter }) => {
        await http.get('/r');
        clock.tick(5);
        const response = await http.get('/r', { headers });
        expect(response.fromCache).to.equal(!asks);
        expect(origin.count).to.equal(asks ? 2 : 1);
        if (asks) expect(response.cacheStatus).to.include({ fwd: 'request', stored });
        await adapter.clear();
        await http.get('/r', { headers });
        expect(await adapter.cache.count()).to.equal(stored ? 1 : 0);
      }),
    );
  }

  it(
    'only-if-cached never sends a request',
    using({}, async ({ http, origin }) => {
      const headers = { 'Cache-Control': 'only-if-cached' };
      expect((await rejection(http.get('/r', { headers }))).response).to.include({
        status: 504,
        statusText: 'Gateway Timeout',
      });
      await http.get('/r');
      expect((await http.get('/r', { headers })).fromCache).to.equal(true);
      expect(origin.count).to.equal(1);
    }),
  );

  it(
    'passes the caller’s own header on as it is',
    using({}, async ({ http, origin }) => {
      await http.get('/r', { headers: { 'Cache-Control': 'no-cache, x-own=1' } });
      expect(origin.last?.headers['cache-control']).to.equal('no-cache, x-own=1');
    }),
  );
});
