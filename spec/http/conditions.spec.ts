import { expect } from 'chai';
import { answer, recordEvents, rejection, using } from '../adapter/support.js';
import { itOnCurrentAxios } from '../support/axios-version.js';

const ETAG = '"1"';
const MODIFIED = 'Thu, 01 Jan 2026 00:00:00 GMT';
const LATER = 'Fri, 02 Jan 2026 00:00:00 GMT';
const EARLIER = 'Wed, 31 Dec 2025 00:00:00 GMT';

const stored = {
  'cache-control': 'max-age=100',
  etag: ETAG,
  'last-modified': MODIFIED,
  'content-type': 'text/plain',
  'content-language': 'en',
  'content-location': '/there',
  vary: 'accept',
  'x-other': 'kept',
};

const any = { validateStatus: () => true };

describe('a condition of the caller (RFC 9111 4.3.2)', () => {
  const rows: [what: string, condition: Record<string, string>, status: number][] = [
    ['If-None-Match with the ETag', { 'If-None-Match': ETAG }, 304],
    ['If-None-Match with the ETag among others', { 'If-None-Match': '"0", W/"1"' }, 304],
    ['If-None-Match: *', { 'If-None-Match': '*' }, 304],
    ['If-None-Match with another ETag', { 'If-None-Match': '"2"' }, 200],
    ['If-Modified-Since the same moment', { 'If-Modified-Since': MODIFIED }, 304],
    ['If-Modified-Since a later moment', { 'If-Modified-Since': LATER }, 304],
    ['If-Modified-Since an earlier moment', { 'If-Modified-Since': EARLIER }, 200],
    ['If-None-Match before If-Modified-Since', { 'If-None-Match': '"2"', 'If-Modified-Since': LATER }, 200],
  ];
  for (const [what, headers, status] of rows) {
    it(
      `is answered ${status} from a fresh entry: ${what}`,
      using({ cacheControl: true }, async ({ http, origin }) => {
        origin.on('/r', answer('body', stored));
        await http.get('/r');
        const hit = await http.get('/r', { headers, ...any });
        expect(hit).to.include({ status, fromCache: true, data: status === 304 ? '' : 'body' });
        expect(origin.count).to.equal(1);
      }),
    );
  }

  it(
    'gets of the headers what guides a cache, not what describes the body that is not there (RFC 9110 15.4.5)',
    using({ cacheControl: true }, async ({ http, origin, clock }) => {
      origin.on('/r', answer('body', { ...stored, date: new Date(clock.now()).toUTCString() }));
      await http.get('/r');
      clock.tick(7);
      const { headers, statusText } = await http.get('/r', { headers: { 'If-None-Match': ETAG }, ...any });
      expect(statusText).to.equal('Not Modified');
      expect(headers).to.include({
        'cache-control': 'max-age=100',
        etag: ETAG,
        'content-location': '/there',
        vary: 'accept',
        'x-other': 'kept',
        age: '7',
      });
      for (const name of ['content-type', 'content-language', 'content-length', 'last-modified'])
        expect(headers, name).not.to.have.property(name);
    }),
  );

  it(
    'keeps Last-Modified on the 304 where there is no ETag',
    using({ cacheControl: true }, async ({ http, origin }) => {
      origin.on('/r', answer('body', { 'cache-control': 'max-age=100', 'last-modified': MODIFIED }));
      await http.get('/r');
      const hit = await http.get('/r', { headers: { 'If-Modified-Since': MODIFIED }, ...any });
      expect(hit).to.include({ status: 304, fromCache: true });
      expect(hit.headers).to.include({ 'last-modified': MODIFIED });
    }),
  );

  it(
    'leaves the entry whole: who asks without condition gets the body, also as a stream',
    using({ cacheControl: true }, async ({ http, origin }) => {
      origin.on('/r', answer('body', stored));
      await http.get('/r');
      await http.get('/r', { headers: { 'If-None-Match': ETAG }, responseType: 'stream', ...any });
      expect(await http.get('/r')).to.include({ status: 200, fromCache: true, data: 'body' });
    }),
  );

  itOnCurrentAxios(
    'is judged by validateStatus, as the origin’s own 304 is',
    using({ cacheControl: true }, async ({ http, origin }) => {
      origin.on('/r', answer('body', stored));
      await http.get('/r');
      origin.on('/r', answer('', {}, 304));
      const headers = { 'If-None-Match': ETAG };
      const plain = await rejection(http.get('/r', { headers, cache: false }));
      const error = await rejection(http.get('/r', { headers }));
      expect(error).to.include({ code: plain.code, message: plain.message, name: plain.name });
      expect(error.response).to.include({ status: 304, fromCache: true });
    }),
  );

  it(
    'counts as a hit, and says so',
    using({ cacheControl: true }, async (own) => {
      const { http, origin, adapter } = own;
      origin.on('/r', answer('body', stored));
      await http.get('/r');
      const events = recordEvents(own, ['hit']);
      const { cacheStatus } = await http.get('/r', { headers: { 'If-None-Match': ETAG }, ...any });
      expect(cacheStatus).to.include({ hit: true, ttl: 100 });
      expect(events).to.have.length(1);
      expect(adapter.cache.stats()).to.include({ hits: 1 });
    }),
  );

  it(
    'goes to the origin when the entry has expired, or there is none',
    using({ cacheControl: true }, async ({ http, origin, clock }) => {
      origin.on('/r', answer('', {}, 304));
      const headers = { 'If-None-Match': ETAG };
      expect(await http.get('/r', { headers, ...any })).to.include({ status: 304, fromCache: false });
      origin.on('/r', answer('body', stored));
      await http.get('/r');
      clock.tick(101);
      origin.on('/r', answer('', {}, 304));
      expect(await http.get('/r', { headers, ...any })).to.include({ status: 304, fromCache: false });
      expect(origin.last?.headers).to.include({ 'if-none-match': ETAG });
    }),
  );

  it(
    'on another method than GET and HEAD is no matter of the cache',
    using({ cacheControl: true, allowableMethods: ['POST'] }, async ({ http, origin }) => {
      origin.on('/r', answer('body', stored));
      await http.post('/r', 'x');
      const hit = await http.post('/r', 'x', { headers: { 'If-None-Match': ETAG }, ...any });
      expect(hit).to.include({ status: 200, data: 'body' });
    }),
  );

  for (const name of ['If-Match', 'If-Unmodified-Since', 'If-Range']) {
    it(
      `is the origin's alone when it is ${name}: nothing stored answers it`,
      using({ cacheControl: true }, async ({ http, origin, adapter }) => {
        origin.on('/r', answer('body', stored));
        await http.get('/r');
        const value = name === 'If-Unmodified-Since' ? MODIFIED : ETAG;
        const response = await http.get('/r', { headers: { [name]: value } });
        expect(response).to.include({ fromCache: false, data: 'body' });
        expect(response.cacheStatus).to.include({ fwd: 'bypass' });
        expect(origin.last?.headers).to.include({ [name.toLowerCase()]: value });
        expect(await adapter.cache.count()).to.equal(1);
      }),
    );
  }

  it(
    'is not looked at without cacheControl: an entry that has not expired is served whole',
    using({ expireAfter: 100 }, async ({ http, origin }) => {
      origin.on('/r', answer('body', stored));
      await http.get('/r');
      for (const headers of [{ 'If-None-Match': ETAG }, { 'If-Match': ETAG }])
        expect(await http.get('/r', { headers })).to.include({ status: 200, fromCache: true, data: 'body' });
      expect(origin.count).to.equal(1);
    }),
  );
});

for (const cacheControl of [false, true]) {
  describe(`a 304 that nobody asked for, cacheControl: ${cacheControl}`, () => {
    it(
      'is handed on as it is, neither stored nor taken for what is',
      using({ cacheControl, expireAfter: 100 }, async ({ http, origin, adapter, clock }) => {
        const fresh = { 'cache-control': 'max-age=100' };
        origin.on('/r', answer('', { ...fresh, etag: ETAG }, 304));
        for (let n = 0; n < 2; n++) {
          const response = await http.get('/r', any);
          expect(response).to.include({ status: 304, fromCache: false, revalidated: false });
          expect(response.cacheStatus).to.include({ stored: false, detail: 'status' });
        }
        expect(await adapter.cache.count()).to.equal(0);
        // What is stored has no validator, so that no condition was sent.
        origin.on('/r', answer('body', fresh));
        await http.get('/r');
        clock.tick(101);
        origin.on('/r', answer('', { ...fresh, etag: ETAG }, 304));
        expect(await http.get('/r', any)).to.include({ status: 304, fromCache: false, revalidated: false });
        expect(origin.last?.headers).not.to.have.property('if-none-match');
        expect((await http.get('/r', { ...any, onlyIfCached: true })).status, 'not refreshed').to.equal(504);
      }),
    );
  });
}
