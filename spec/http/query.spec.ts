import { METHODS } from 'node:http';
import { expect } from 'chai';
import { Resource, using } from '../adapter/support.js';
import type { Handler } from '../support/origin.js';

const options = { cacheControl: true, allowableMethods: ['GET', 'HEAD', 'QUERY'] };
const fresh = { 'cache-control': 'max-age=10' };
const echo: Handler = (req, res) => {
  res.writeHead(200, fresh);
  res.end(`${req.method} ${String(req.body)}`);
};
const query = (data: unknown, headers: Record<string, string> = {}) => ({
  method: 'QUERY',
  url: '/r',
  data,
  headers: { 'Content-Type': 'text/plain', ...headers },
});

describe('QUERY with cacheControl', () => {
  before(function () {
    if (!METHODS.includes('QUERY')) this.skip(); // before Node 22 its server does not know the method
  });

  it(
    'is kept by its body and the type of that, apart from GET',
    using(options, async ({ http, origin }) => {
      origin.on('/r', echo);
      expect((await http.request(query('a'))).data).to.equal('QUERY a');
      expect(await http.request(query('a'))).to.include({ fromCache: true, data: 'QUERY a' });
      expect(await http.request(query('b'))).to.include({ fromCache: false, data: 'QUERY b' });
      expect((await http.request(query('a', { 'Content-Type': 'text/x' }))).fromCache).to.equal(false);
      expect((await http.get('/r')).fromCache).to.equal(false);
      expect(origin.count).to.equal(4);
    }),
  );

  it(
    'is revalidated with its body',
    using(options, async ({ http, origin, clock }) => {
      origin.on('/r', Object.assign(new Resource(), { headers: fresh }).handler);
      await http.request(query('a'));
      clock.tick(11);
      expect(await http.request(query('a'))).to.include({ revalidated: true, data: 'v1' });
      expect(origin.last).to.include({ method: 'QUERY' });
      expect(String(origin.last?.body)).to.equal('a');
    }),
  );

  it(
    'is safe: it makes nothing outdated; what an unsafe method changes takes it along',
    using(options, async ({ http, origin }) => {
      origin.on('/r', echo);
      await http.get('/r');
      await http.request(query('a'));
      expect((await http.get('/r')).fromCache).to.equal(true);
      await http.post('/r');
      expect((await http.request(query('a'))).fromCache).to.equal(false);
    }),
  );

  it(
    'is not kept unless allowableMethods has it',
    using({ cacheControl: true }, async ({ http, origin }) => {
      origin.on('/r', echo);
      await http.request(query('a'));
      expect((await http.request(query('a'))).cacheStatus).to.include({ hit: false, fwd: 'method' });
    }),
  );
});
