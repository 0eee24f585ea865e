import { expect } from 'chai';
import { answer, RemoteStore, rejection, using } from '../adapter/support.js';
import type { Handler } from '../support/origin.js';

const LATER = 'Fri, 02 Jan 2026 00:00:00 GMT';
const MODIFIED = 'Thu, 01 Jan 2026 00:00:00 GMT';
const options = { cacheControl: true };

const stored = {
  'cache-control': 'max-age=10',
  etag: '"1"',
  'last-modified': MODIFIED,
  'content-type': 'text/plain',
};

/** The body for GET; each method with its own headers. */
const byMethod =
  (get: Record<string, string>, head: Record<string, string>, headStatus = 200): Handler =>
  (req, res) => {
    const isHead = req.method === 'HEAD';
    res.writeHead(isHead ? headStatus : 200, isHead ? head : get);
    res.end(isHead ? undefined : 'body');
  };

describe('HEAD with cacheControl', () => {
  for (const [what, own] of [
    ['a synchronous store', () => options],
    ['a store that answers with promises', () => ({ ...options, backend: new RemoteStore(), hotBytes: 0 })],
  ] as const) {
    it(`is answered by a fresh GET, without its body: ${what}`, () =>
      using(own(), async ({ http, origin, clock }) => {
        origin.on('/r', answer('body', stored));
        const get = await http.get('/r');
        clock.tick(5);
        for (const responseType of [undefined, 'arraybuffer', 'json'] as const) {
          const head = await http.head('/r', responseType && { responseType });
          expect(head).to.include({ status: 200, statusText: 'OK', fromCache: true, isExpired: false });
          expect(String(head.data)).to.equal('');
          expect(head.headers).to.include({ etag: '"1"', 'content-type': 'text/plain', age: '5' });
          expect(head.cacheStatus).to.include({ hit: true, ttl: 5 });
          expect(head.cacheKey).to.equal(get.cacheKey);
        }
        const stream = await http.head('/r', { responseType: 'stream' });
        let size = 0;
        for await (const chunk of stream.data) size += chunk.length;
        expect(size).to.equal(0);
        expect(await http.get('/r')).to.include({ fromCache: true, data: 'body' });
        expect(origin.count).to.equal(1);
      })());
  }

  it(
    'is answered offline too, and by 304 where its own condition holds',
    using(options, async ({ http, origin }) => {
      origin.on('/r', answer('body', stored));
      await http.get('/r');
      expect(await http.head('/r', { onlyIfCached: true })).to.include({ status: 200, fromCache: true });
      const own = { headers: { 'If-None-Match': '"1"' }, validateStatus: null };
      expect(await http.head('/r', own)).to.include({ status: 304, fromCache: true });
      expect(origin.count).to.equal(1);
    }),
  );

  it(
    'is answered by the variant that it selects, and by where a redirect ended',
    using(options, async ({ http, origin }) => {
      origin.on('/v', (req, res) => {
        res.writeHead(200, { ...stored, etag: `"${req.headers.accept}"`, vary: 'accept' });
        res.end('body');
      });
      const asking = (accept: string) => ({ headers: { accept } });
      for (const accept of ['a', 'b']) await http.get('/v', asking(accept));
      expect((await http.head('/v', asking('a'))).headers.etag).to.equal('"a"');
      expect(origin.count).to.equal(2);
      origin.on('/from', answer('', { location: '/v', 'cache-control': 'max-age=10' }, 301));
      await http.get('/from', asking('a'));
      const head = await http.head('/from', asking('a'));
      expect(head).to.include({ status: 200, fromCache: true });
      expect(head.redirects).to.deep.equal([`${origin.url}/from`]);
    }),
  );

  it(
    'is not answered by a GET that other credentials brought, or that the request does not want',
    using(options, async ({ http, origin }) => {
      origin.on('/r', answer('body', stored));
      await http.get('/r');
      for (const wish of [
        { headers: { Authorization: 'x' } },
        { headers: { 'Cache-Control': 'no-cache' } },
        { headers: { 'Cache-Control': 'max-age=0' } },
        { refresh: true },
        { forceRefresh: true },
        { cache: false },
      ] as const)
        expect(await http.head('/r', wish), JSON.stringify(wish)).to.include({ fromCache: false });
    }),
  );

  it(
    'is not answered by a GET that has expired, not even where that might stand in for an error',
    using({ ...options, staleIfError: true, staleWhileRevalidate: true }, async ({ http, origin, clock }) => {
      origin.on('/r', answer('body', stored));
      await http.get('/r');
      clock.tick(11);
      expect(await http.head('/r', { onlyIfCached: true, validateStatus: null })).to.include({ status: 504 });
      origin.on('/r', (_req, _res, raw) => void raw.socket.destroy());
      expect(await rejection(http.head('/r'))).to.include({ code: 'ECONNRESET' });
    }),
  );

  it(
    'has an entry of its own where there is no GET, and never answers one',
    using(options, async ({ http, origin }) => {
      origin.on('/r', answer('body', stored));
      await http.head('/r');
      expect(await http.head('/r')).to.include({ fromCache: true, data: '' });
      expect(await http.get('/r')).to.include({ fromCache: false, data: 'body' });
      expect(origin.count).to.equal(2);
    }),
  );

  it('costs a GET no read more, and a HEAD one at the most', async () => {
    const backend = new RemoteStore();
    await using({ ...options, backend, hotBytes: 0 }, async ({ http, origin, adapter }) => {
      origin.on('/r', answer('body', stored)).on('/h', answer('', stored));
      const reads = async (ask: () => Promise<unknown>): Promise<number> => {
        await adapter.cache.flush();
        backend.calls.length = 0;
        await ask();
        return backend.calls.filter((call) => call === 'get').length;
      };
      expect(await reads(() => http.get('/r'))).to.equal(1);
      expect(await reads(() => http.get('/r'))).to.equal(1);
      expect(await reads(() => http.head('/r'))).to.equal(1);
      expect(await reads(() => http.head('/h'))).to.equal(2);
      expect(await reads(() => http.head('/h'))).to.equal(2);
    })();
  });
});

describe('the answer to a HEAD and a stored GET (RFC 9111 4.3.5)', () => {
  type Row = [
    what: string,
    head: Record<string, string>,
    status: number,
    then: 'updated' | 'left' | 'outdated',
  ];
  const fresh = { 'cache-control': 'max-age=100', 'x-new': '1' };
  const rows: Row[] = [
    ['the same ETag', { ...fresh, etag: '"1"' }, 200, 'updated'],
    ['the same Last-Modified', { ...fresh, 'last-modified': MODIFIED }, 200, 'updated'],
    ['the same length and ETag', { ...fresh, etag: '"1"', 'content-length': '4' }, 200, 'updated'],
    ['another ETag', { ...fresh, etag: '"2"' }, 200, 'outdated'],
    ['an ETag of other strength', { ...fresh, etag: 'W/"1"' }, 200, 'outdated'],
    [
      'the same ETag, another Last-Modified',
      { ...fresh, etag: '"1"', 'last-modified': LATER },
      200,
      'outdated',
    ],
    ['the same ETag, another length', { ...fresh, etag: '"1"', 'content-length': '5' }, 200, 'outdated'],
    ['nothing to compare', fresh, 200, 'left'],
    ['the same ETag, and no-store', { 'cache-control': 'no-store', etag: '"1"' }, 200, 'left'],
    ['another status', { ...fresh, etag: '"2"' }, 404, 'left'],
  ];
  for (const [what, head, status, then] of rows) {
    it(
      `${then}: ${what}`,
      using(options, async ({ http, origin, clock }) => {
        origin.on('/r', byMethod({ ...stored, 'content-length': '4' }, head, status));
        await http.get('/r');
        clock.tick(5);
        await http.head('/r', { headers: { 'Cache-Control': 'no-cache' }, validateStatus: null });
        expect(origin.last?.headers).not.to.have.property('if-none-match');
        clock.tick(1);
        const soon = await http.get('/r');
        expect(soon.fromCache, 'at once').to.equal(then !== 'outdated');
        if (then === 'outdated') {
          expect(origin.last?.headers).to.include({ 'if-none-match': '"1"' });
          return;
        }
        expect(soon).to.include({ data: 'body' });
        expect(soon.headers['x-new']).to.equal(then === 'updated' ? '1' : undefined);
        expect(soon.headers['content-length']).to.equal('4');
        clock.tick(30);
        expect((await http.get('/r')).fromCache, 'after its own lifetime').to.equal(then === 'updated');
      }),
    );
  }

  it(
    'freshens a GET that has expired, which answers the next HEAD',
    using(options, async ({ http, origin, clock }) => {
      origin.on('/r', byMethod(stored, { ...stored, 'x-new': '1' }));
      await http.get('/r');
      clock.tick(11);
      await http.head('/r');
      expect(await http.get('/r')).to.include({ fromCache: true, data: 'body' });
      expect((await http.head('/r')).headers).to.include({ 'x-new': '1' });
      expect(origin.count).to.equal(2);
    }),
  );

  it(
    'says nothing of it with readOnly, nor without cacheControl',
    using(options, async ({ http, origin, clock, adapter }) => {
      origin.on('/r', byMethod(stored, { ...fresh, etag: '"2"' }));
      await http.get('/r');
      adapter.settings.readOnly = true;
      await http.head('/r', { headers: { 'Cache-Control': 'no-cache' } });
      expect((await http.get('/r')).fromCache).to.equal(true);
      clock.tick(11);
      await http.head('/r');
      expect((await http.get('/r')).data).to.equal('body');
    }),
  );

  it(
    'is nothing to the entry of the GET by the user’s expiry alone',
    using({ expireAfter: 10 }, async ({ http, origin }) => {
      origin.on('/r', byMethod(stored, { ...fresh, etag: '"2"' }));
      await http.get('/r');
      expect((await http.head('/r')).fromCache).to.equal(false);
      expect((await http.get('/r')).fromCache).to.equal(true);
      expect(origin.count).to.equal(2);
    }),
  );
});
