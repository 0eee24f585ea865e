import { expect } from 'chai';
import { Gate, RemoteStore, rejection, until, using } from '../adapter/support.js';
import type { Handler } from '../support/origin.js';

/** Speaks two languages, whatever else is asked for; each has its entity tag. `about`: changes what a 304 carries. */
const bilingual =
  (about: (etag: string) => Record<string, string> = (etag) => ({ etag })): Handler =>
  (req, res) => {
    const body = String(req.headers['accept-language']).startsWith('de') ? 'de' : 'en';
    const etag = `"${body}"`;
    const isKnown = req.headers['if-none-match']?.includes(etag) === true;
    const head = { 'cache-control': 'max-age=10', vary: 'Accept-Language' };
    res.writeHead(isKnown ? 304 : 200, isKnown ? { ...head, ...about(etag) } : { ...head, etag });
    res.end(isKnown ? undefined : body);
  };

const language = (value: string, headers: Record<string, string> = {}) => ({
  headers: { 'Accept-Language': value, ...headers },
});
const options = { cacheControl: true };

describe('a request that no stored variant answers (RFC 9111 4.1, 4.3.1)', () => {
  it(
    'does not ask with weak tags: all variants may have the same one (RFC 9110 8.8.1)',
    using(options, async ({ http, origin }) => {
      origin.on('/r', (req, res) => {
        const isKnown = req.headers['if-none-match'] !== undefined;
        const head = { 'cache-control': 'max-age=10', vary: 'Accept-Language', etag: 'W/"v1"' };
        res.writeHead(isKnown ? 304 : 200, head);
        res.end(isKnown ? undefined : `in ${req.headers['accept-language']}`);
      });
      for (const one of ['de', 'en'])
        expect((await http.get('/r', language(one))).data).to.equal(`in ${one}`);
    }),
  );

  it(
    'asks with the entity tags of all of them, and takes the one that the 304 names',
    using(options, async ({ http, origin, adapter }) => {
      origin.on('/r', bilingual());
      for (const one of ['de', 'en']) await http.get('/r', language(one));
      const again = await http.get('/r', language('de-AT'));
      expect(origin.last?.headers['if-none-match']?.split(', ')).to.have.members(['"de"', '"en"']);
      expect(origin.last?.headers['accept-language']).to.equal('de-AT');
      expect(again).to.include({ status: 200, data: 'de', fromCache: true, revalidated: true });
      expect(again.cacheStatus).to.include({ hit: false, fwd: 'vary-miss', fwdStatus: 304, stored: true });
      expect(again.config.headers.has('if-none-match')).to.equal(false);
      expect(origin.count).to.equal(3);
      for (const one of ['de', 'en', 'de-AT'])
        expect(await http.get('/r', language(one)), one).to.include({ fromCache: true, revalidated: false });
      expect(await adapter.cache.count()).to.equal(3);
    }),
  );

  it(
    'takes the headers of the 304 over, for itself alone',
    using(options, async ({ http, origin, clock }) => {
      origin.on(
        '/r',
        bilingual((etag) => ({ etag, 'cache-control': 'max-age=99', 'x-n': '2' })),
      );
      await http.get('/r', language('de'));
      clock.tick(4);
      const again = await http.get('/r', language('de-AT'));
      expect(again.headers).to.include({ 'cache-control': 'max-age=99', 'x-n': '2', etag: '"de"' });
      expect(again.expires?.getTime()).to.equal(clock.now() + 99_000);
      expect((await http.get('/r', language('de'))).headers).not.to.have.property('x-n');
    }),
  );

  it(
    'is fetched where the origin has another one',
    using(options, async ({ http, origin }) => {
      origin.on('/r', bilingual());
      await http.get('/r', language('de'));
      const other = await http.get('/r', language('en'));
      expect(origin.last?.headers['if-none-match']).to.equal('"de"');
      expect(other).to.include({ status: 200, data: 'en', fromCache: false, revalidated: false });
      expect(other.cacheStatus).to.include({ fwd: 'vary-miss', fwdStatus: 200, stored: true });
      expect(origin.count).to.equal(2);
    }),
  );

  for (const [what, about] of [
    ['names none', () => ({})],
    ['names one that is not stored', () => ({ etag: '"fr"' })],
  ] as const) {
    it(
      `is asked for again, without condition, when the 304 ${what}`,
      using(options, async ({ http, origin }) => {
        origin.on('/r', bilingual(about));
        await http.get('/r', language('de'));
        const again = await http.get('/r', language('de-AT'));
        expect(again).to.include({ status: 200, data: 'de', fromCache: false, revalidated: false });
        expect(origin.last?.headers['if-none-match']).to.equal(undefined);
        expect(origin.count).to.equal(3);
      }),
    );
  }

  it('is asked for again when the variant that the 304 names is gone', async () => {
    const backend = new RemoteStore();
    await using({ ...options, backend }, async ({ http, origin, adapter }) => {
      origin.on('/r', bilingual());
      const { cacheKey = '' } = await http.get('/r', language('de'));
      await adapter.cache.flush();
      backend.map.delete(cacheKey);
      expect(await http.get('/r', language('de-AT'))).to.include({
        status: 200,
        data: 'de',
        fromCache: false,
      });
      expect(origin.count).to.equal(3);
    })();
  });

  it(
    'works for a stream as well',
    using(options, async ({ http, origin }) => {
      origin.on('/r', bilingual());
      await http.get('/r', language('de'));
      const again = await http.get('/r', { ...language('de-AT'), responseType: 'stream' });
      expect(again).to.include({ status: 200, fromCache: true, revalidated: true });
      let text = '';
      for await (const chunk of again.data) text += String(chunk);
      expect(text).to.equal('de');
    }),
  );

  it(
    'gives each of several that ask at once its own answer, though the 304 says nothing of Vary',
    using(options, async ({ http, origin }) => {
      const gate = new Gate();
      const answer = bilingual();
      origin.on('/r', async (req, res, raw) => {
        if (origin.count > 2) await gate.opened;
        if (req.headers['if-none-match'] !== undefined) res.removeHeader('vary');
        await answer(req, res, raw);
      });
      for (const one of ['de', 'en']) await http.get('/r', language(one));
      const asked = ['de-AT', 'en-GB', 'de-AT', 'fr'];
      const all = asked.map((one) => http.get('/r', language(one)));
      await until(() => origin.count === 3);
      gate.open();
      expect((await Promise.all(all)).map(({ data }) => data)).to.deep.equal(['de', 'en', 'de', 'en']);
    }),
  );

  it('is not conditional by us where that is not asked for', async () => {
    const rows = [
      [{ cacheControl: false, expireAfter: 10 }, {}],
      [options, { 'If-None-Match': '"own"' }],
      [options, { 'If-Modified-Since': 'Thu, 01 Jan 2026 00:00:00 GMT' }],
      [options, { 'Cache-Control': 'no-store' }],
    ] as const;
    for (const [own, headers] of rows) {
      await using(own, async ({ http, origin }) => {
        origin.on('/r', bilingual());
        await http.get('/r', language('de'));
        await http.get('/r', { ...language('en', headers), validateStatus: null });
        expect(origin.last?.headers['if-none-match']).to.equal(
          'If-None-Match' in headers ? '"own"' : undefined,
        );
      })();
    }
  });

  it(
    'offers no entity tag that would spoil the list, and not endlessly many',
    using(options, async ({ http, origin }) => {
      origin.on('/r', (req, res) => {
        const n = Number(req.headers.accept);
        res.writeHead(200, {
          etag: n < 3 ? `unquoted ${n}` : `"${n}"`,
          vary: 'accept',
          'cache-control': 'max-age=9',
        });
        res.end('x');
      });
      for (let n = 0; n < 3; n++) await http.get('/r', { headers: { accept: String(n) } });
      await http.get('/r', { headers: { accept: '3' } });
      expect(origin.last?.headers['if-none-match']).to.equal(undefined);
      for (let n = 4; n < 40; n++) await http.get('/r', { headers: { accept: String(n) } });
      expect(origin.last?.headers['if-none-match']?.split(', ')).to.have.length(20);
    }),
  );

  it(
    'fails with the network’s own error where the origin can’t be reached: no variant stands in for another',
    using({ ...options, staleIfError: true }, async ({ http, origin }) => {
      origin.on('/r', bilingual());
      await http.get('/r', language('de'));
      origin.on('/r', (_req, _res, raw) => void raw.socket.destroy());
      expect(await rejection(http.get('/r', language('en')))).to.include({ code: 'ECONNRESET' });
    }),
  );

  it(
    'keeps the variant that the request does select to its own entity tag',
    using(options, async ({ http, origin, clock }) => {
      origin.on('/r', bilingual());
      for (const one of ['de', 'en']) await http.get('/r', language(one));
      clock.tick(11);
      expect(await http.get('/r', language('de'))).to.include({ revalidated: true, data: 'de' });
      expect(origin.last?.headers['if-none-match']).to.equal('"de"');
    }),
  );
});
