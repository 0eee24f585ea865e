import { expect } from 'chai';
import { Gate, until, using } from '../adapter/support.js';
import type { Handler } from '../support/origin.js';

/** 200 with the language asked for; 304 to whoever has that. `vary`: by status. */
const translated =
  (vary: Partial<Record<200 | 304, string>>): Handler =>
  (req, res) => {
    const language = String(req.headers['accept-language']);
    const etag = `"${language}"`;
    const status = req.headers['if-none-match']?.includes(etag) ? 304 : 200;
    const names = vary[status];
    res.writeHead(status, {
      'cache-control': 'max-age=10',
      etag,
      ...(names !== undefined && { vary: names }),
    });
    res.end(status === 304 ? undefined : language);
  };

const language = (value: string) => ({ headers: { 'Accept-Language': value } });

for (const cacheControl of [false, true]) {
  describe(`a 304 whose Vary is another than that of the stored response, cacheControl: ${cacheControl}`, () => {
    const options = cacheControl ? { cacheControl } : { expireAfter: 10 };

    it(
      'narrows the entry to the requests that are like the one it answered',
      using(options, async ({ http, origin, clock, adapter }) => {
        const vary: Partial<Record<200 | 304, string>> = {};
        origin.on('/r', translated(vary));
        expect((await http.get('/r', language('de'))).data).to.equal('de');
        Object.assign(vary, { 200: 'Accept-Language', 304: 'Accept-Language' });
        clock.tick(11);
        expect(await http.get('/r', language('de'))).to.include({ revalidated: true, data: 'de' });
        expect(await http.get('/r', language('en'))).to.include({ fromCache: false, data: 'en' });
        expect(await http.get('/r', language('de'))).to.include({ fromCache: true, data: 'de' });
        expect(await http.get('/r', language('en'))).to.include({ fromCache: true, data: 'en' });
        expect(await adapter.cache.count()).to.equal(2);
      }),
    );

    it(
      'is not kept when it says Vary: *',
      using(options, async ({ http, origin, clock, adapter }) => {
        origin.on('/r', translated({ 304: '*' }));
        await http.get('/r', language('de'));
        clock.tick(11);
        expect(await http.get('/r', language('de'))).to.include({ revalidated: true, data: 'de' });
        expect(await adapter.cache.count()).to.equal(0);
        expect(await http.get('/r', language('en'))).to.include({ fromCache: false, data: 'en' });
      }),
    );

    it(
      'moves a variant when other headers count from now on',
      using(options, async ({ http, origin, clock, adapter }) => {
        origin.on('/r', translated({ 200: 'Accept-Language', 304: 'Accept-Language, X-Tenant' }));
        await http.get('/r', language('de'));
        clock.tick(11);
        const tenant = (name: string) => ({ headers: { 'Accept-Language': 'de', 'X-Tenant': name } });
        expect(await http.get('/r', tenant('a'))).to.include({ revalidated: true, data: 'de' });
        expect(await http.get('/r', tenant('a'))).to.include({ fromCache: true, revalidated: false });
        // By RFC 9111 the origin is asked whether what is stored of the other tenant will do, and says so.
        expect(await http.get('/r', tenant('b'))).to.include({ fromCache: cacheControl, data: 'de' });
        expect(await adapter.cache.count()).to.equal(2);
      }),
    );

    it(
      'changes nothing when it has none, or the same in other words',
      using(options, async ({ http, origin, clock, adapter }) => {
        for (const again of [undefined, 'accept-language', 'ACCEPT-LANGUAGE, Accept-Language']) {
          await adapter.clear();
          origin.on('/r', translated({ 200: 'Accept-Language', ...(again !== undefined && { 304: again }) }));
          for (const one of ['de', 'en']) await http.get('/r', language(one));
          clock.tick(11);
          for (const one of ['de', 'en'])
            expect(await http.get('/r', language(one))).to.include({ revalidated: true, data: one });
          for (const one of ['de', 'en'])
            expect(await http.get('/r', language(one))).to.include({ fromCache: true, data: one });
          expect(await adapter.cache.count()).to.equal(2);
        }
      }),
    );

    it(
      'gives each of two variants that have one validator its own body when both are confirmed at the same time',
      using(options, async ({ http, origin, clock }) => {
        const modified = 'Thu, 01 Jan 2026 00:00:00 GMT';
        const gate = new Gate();
        origin.on('/r', async (req, res) => {
          const isKnown = req.headers['if-modified-since'] === modified;
          if (isKnown) await gate.opened;
          const head = { 'cache-control': 'max-age=10', 'last-modified': modified };
          res.writeHead(isKnown ? 304 : 200, isKnown ? head : { ...head, vary: 'Accept-Language' });
          res.end(isKnown ? undefined : String(req.headers['accept-language']));
        });
        for (const one of ['de', 'en']) await http.get('/r', language(one));
        clock.tick(11);
        const both = ['de', 'en'].map((one) => http.get('/r', language(one)));
        await until(() => origin.count > 2);
        gate.open();
        expect((await Promise.all(both)).map(({ data }) => data)).to.deep.equal(['de', 'en']);
      }),
    );
  });
}
