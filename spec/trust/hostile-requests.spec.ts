/** Requests that are made to hurt, and a process in which somebody has polluted the prototypes. */
import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import { using } from '../adapter/support.js';
import { post } from '../request/requests.js';
import { isFull } from './full.js';

const MANY = isFull ? 1_000_000 : 100_000;

describe('a hostile request', () => {
  it(
    'has up to a million parameters in its URL: it gets a key, in other order the same',
    using({}, async ({ adapter }) => {
      const names = Array.from({ length: MANY }, (_, n) => `p${(n * 7919) % MANY}=1`);
      const key = adapter.cache.createKey({ url: `http://h/?${names.join('&')}` });
      expect(adapter.cache.createKey({ url: `http://h/?${names.reverse().join('&')}` })).to.equal(key);
    }),
  );

  it(
    'has up to a million fields in its form: it is answered and stored',
    using({ allowableMethods: ['POST'] }, async ({ http, origin, errors }) => {
      origin.on('/', (req, res) => void res.end(String(req.body.length)));
      const body = Array.from({ length: MANY }, (_, n) => `p${n}=1`).join('&');
      const { headers } = post('', 'application/x-www-form-urlencoded');
      for (const fromCache of [false, true]) {
        const response = await http.post('/', body, { headers } as AxiosRequestConfig);
        expect([response.data, response.fromCache]).to.deep.equal([body.length, fromCache]);
      }
      expect(errors).to.deep.equal([]);
    }),
  );

  it(
    'has a JSON body a hundred thousand levels deep, or with as many members: answered, stored, told apart',
    using({ allowableMethods: ['POST'] }, async ({ http, origin, errors }) => {
      origin.on('/', (req, res) => void res.end(String(req.body.length)));
      const config = { headers: { 'Content-Type': 'application/json' } };
      const nested = (open: string, close: string) => open.repeat(100_000) + close.repeat(100_000);
      const bodies = [
        nested('[', ']'),
        `${nested('[', ']').slice(0, -1)} ]`,
        nested('{"a":', '}').replace('}', '1}'),
        JSON.stringify(Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`m${n}`, n]))),
        `[${'"a",'.repeat(100_000)}"b"]`,
        `{"token":"${'\\"'.repeat(100_000)}"}`,
      ];
      for (const fromCache of [false, true]) {
        for (const body of bodies) {
          const response = await http.post('/', body, config);
          expect([response.data, response.fromCache]).to.deep.equal([body.length, fromCache]);
        }
      }
      expect(errors).to.deep.equal([]);
    }),
  );

  it(
    'has text that would take a careless expression for ever: it is redacted and stored in no time to speak of',
    using({ allowableMethods: ['POST'] }, async ({ http, errors }) => {
      const long = 50_000;
      const texts = ['%', '%25', '//', '/@', 'token', '[', ';', 'token[', 'a@', '\t', ', ', '=&'].map(
        (text) => text.repeat(long),
      );
      for (const text of texts) {
        await http.post('/', text, { headers: { 'Content-Type': 'text/plain' } });
        await http.post('/', text, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
        await http.post('/', { a: text });
        await http.post('/', new URLSearchParams({ a: text }));
      }
      const multipart = { headers: { 'Content-Type': 'multipart/form-data; boundary=b' } };
      for (const text of [...texts, ' '.repeat(100_000)]) {
        const head = `Content-Disposition: form-data; name="a"\r\nContent-Type: a${text}b`;
        await http.post('/', `--b\r\n${head}\r\n\r\nx\r\n--b--\r\n`, multipart);
      }
      expect(errors).to.deep.equal([]);
    }),
  );
});

describe('polluted prototypes', () => {
  /** Whatever a config, an agent, an option object or a header may be asked for. */
  const NAMES = `auth username password proxy socketPath decompress maxRedirects fetchOptions redirect rejectUnauthorized
    cert pfx ca servername cache refresh forceRefresh onlyIfCached expireAfter staleIfError staleWhileRevalidate keyFn
    filterFn matchHeaders redact shared readOnly frozen ignoredParameters secretKey encryptionKey maxEntryBytes hotBytes
    maxEntries driver useTemp busyTimeout authorization cookie range vary etag kind opaque beforeRedirect host token`;
  const VALUES: readonly unknown[] = ['evil', true, { evil: 'evil' }, () => 'evil'];

  function pollute(name: string, value: unknown): void {
    Object.defineProperty(Object.prototype, name, {
      value,
      configurable: true,
      writable: true,
      enumerable: true,
    });
  }

  for (const value of VALUES) {
    it(
      `change neither key nor answer: ${typeof value === 'object' ? 'an object' : String(value)}`,
      using({}, async ({ http, another, origin, errors }) => {
        origin.on(
          '/',
          (req, res) => void res.setHeader('etag', '"1"').end(`for ${req.headers.authorization}`),
        );
        const url = `${origin.url}/`;
        const ask = async (instance: AxiosInstance, user: string): Promise<unknown> => {
          const { data, fromCache } = await instance.get(url, { headers: { Authorization: user } });
          return [data, fromCache === true];
        };
        await ask(http, 'ann');
        const wrong: unknown[] = [];
        for (const name of NAMES.split(/\s+/)) {
          pollute(name, value);
          try {
            // Some of these change, or break, what axios itself sends.
            const plain = await ask(axios, 'bob').catch(() => undefined);
            const hit = await ask(http, 'ann').catch(String);
            if (hit !== undefined && JSON.stringify(hit) !== '["for ann",true]')
              wrong.push([name, 'hit', hit]);
            if (plain === undefined) continue;
            const made = another();
            const miss = await ask(made.http, 'bob').catch(String);
            if (JSON.stringify(miss) !== JSON.stringify(plain)) wrong.push([name, 'miss', miss]);
            const next = await ask(made.http, 'ann').catch(String);
            if (JSON.stringify(next) !== JSON.stringify(await ask(axios, 'ann')))
              wrong.push([name, 'next', next]);
          } finally {
            Reflect.deleteProperty(Object.prototype, name);
          }
        }
        expect(wrong).to.deep.equal([]);
        expect(errors).to.deep.equal([]);
      }),
    );
  }
});
