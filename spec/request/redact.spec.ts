import { expect } from 'chai';
import fc from 'fast-check';
import NodeFormData from 'form-data';
import { DEFAULT_REDACTED, Redactor } from '../../lib/request/redact.js';
import type { CacheRequest } from '../../lib/request/request.js';
import { type Given, keyOf, post, request } from './requests.js';

const redactor = new Redactor({ redact: DEFAULT_REDACTED, ignoredParameters: ['Session'] });
const data = (given: Given) => redactor.request(request(given)).data;
const stored = (given: Given) => redactor.request(request(given));
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

describe('DEFAULT_REDACTED', () => {
  it('can not be changed', () => expect(Object.isFrozen(DEFAULT_REDACTED)).to.equal(true));
});

describe('Redactor.url', () => {
  const rows: [string, string][] = [
    ['http://h/a?b=c&d', 'http://h/a?b=c&d'],
    ['HTTP://H:80', 'http://h/'],
    ['http://u:p@h/', 'http://h/'],
    ['http://h/#access_token=x', 'http://h/'],
    ['http://h/?token=x&a=1', 'http://h/?token=REDACTED&a=1'],
    ['http://h/?a=1&TOKEN=x', 'http://h/?a=1&TOKEN=REDACTED'],
    ['http://h/?%74oken=x', 'http://h/?%74oken=REDACTED'],
    ['http://h/?token=x&token=y', 'http://h/?token=REDACTED&token=REDACTED'],
    ['http://h/?token', 'http://h/?token'],
    ['http://h/?token=', 'http://h/?token='],
    ['http://h/?mytoken=x', 'http://h/?mytoken=x'],
    ['http://h/?grant_type=password', 'http://h/?grant_type=password'],
    ['http://h/?user[password]=x', 'http://h/?user[password]=REDACTED'],
    ['http://h/?user%5Bpassword%5D=x', 'http://h/?user%5Bpassword%5D=REDACTED'],
    ['http://h/?user.password=x', 'http://h/?user.password=REDACTED'],
    ['http://h/?a=1;token=x;y&b=2', 'http://h/?a=1;token=REDACTED&b=2'],
    ['http://h/a;token=x/b', 'http://h/a;token=REDACTED/b'],
    ['http://h/token=x/b', 'http://h/token=REDACTED/b'],
    ['http://h/v1/token:refresh', 'http://h/v1/token:refresh'],
    ['http://h/?next=http%3A%2F%2Fi%2F%3Ftoken%3Dx', 'http://h/?next=REDACTED'],
    ['http://h/?next=http://u:p@i/', 'http://h/?next=REDACTED'],
    ['http://h/?http://u:p@i/', 'http://h/?REDACTED'],
    ['http://h/?next=http%253A%252F%252Fi%253Ftoken%253Dx', 'http://h/?next=REDACTED'],
    ['http://h/?filter={"token":"x"}', 'http://h/?filter=REDACTED'],
    ['http://h/?next=http%3A%2F%2Fi%2F', 'http://h/?next=http%3A%2F%2Fi%2F'],
    ['http://h/http://u:p@i/', 'http://h/http://i/'],
    ['http://h/?session=x&Session=x', 'http://h/?session=x&Session=REDACTED'],
    ['/a?token=x#b', '/a?token=REDACTED'],
    ['//u:p@h/a', '//h/a'],
    ['http://u:p@[bad/?token=x', 'REDACTED'],
    ['http://u:p@h:99999/', 'REDACTED'],
    ['mailto:a@b?token=x', 'mailto:a@b?token=REDACTED'],
  ];
  for (const [url, wanted] of rows) {
    it(`makes ${wanted} of ${url}`, () => expect(redactor.url(url)).to.equal(wanted));
  }

  it('is its own fixed point', () => {
    for (const [, wanted] of rows) if (wanted !== 'REDACTED') expect(redactor.url(wanted)).to.equal(wanted);
  });

  it('redacts nothing but userinfo and fragment when no name is secret', () => {
    const none = new Redactor({ redact: [], ignoredParameters: [] });
    expect(none.url('http://u:p@h/?token=x&a={"token":1}#f')).to.equal('http://h/?token=x&a={%22token%22:1}');
  });

  it('takes names that look like patterns as they are', () => {
    const odd = new Redactor({ redact: ['a.*(b', '[', 'x-y/z'], ignoredParameters: [] });
    expect(odd.url('http://h/?a.*(b=1&axb=1&x-y/z=1')).to.equal(
      'http://h/?a.*(b=REDACTED&axb=1&x-y/z=REDACTED',
    );
  });
});

describe('Redactor.request', () => {
  it('keeps method, redacted URL and headers', () => {
    const made = stored({
      url: 'http://u:p@h/?token=x#f',
      headers: {
        AUTHORIZATION: 'x',
        'proxy-authorization': 'x',
        Cookie: 'x',
        'X-API-KEY': 'x',
        SESSION: 'x',
        Accept: 'text/*;q=0.5',
        Referer: 'http://u:p@h/?token=x',
        'X-Original-URL': '/a?token=x',
        Origin: 'http://h',
        'X-Debug': 'a=1; token=x',
      },
    });
    expect(made.method).to.equal('GET');
    expect(made.url).to.equal('http://h/?token=REDACTED');
    expect(Object.fromEntries(made.headers)).to.deep.equal({
      authorization: 'REDACTED',
      'proxy-authorization': 'REDACTED',
      cookie: 'REDACTED',
      'x-api-key': 'REDACTED',
      session: 'REDACTED',
      accept: 'text/*;q=0.5',
      referer: 'http://h/?token=REDACTED',
      'x-original-url': '/a?token=REDACTED',
      origin: 'http://h',
      'x-debug': 'REDACTED',
    });
    expect(made).not.to.have.property('data');
  });

  it('redacts each value of a header that came several times', () => {
    expect(
      redactor.headers([
        ['Cookie', ['a', 'b']],
        ['X', ['a', 'b']],
      ]),
    ).to.deep.equal([
      ['Cookie', ['REDACTED', 'REDACTED']],
      ['X', ['a', 'b']],
    ]);
  });

  const bodies: [string, Given, string | undefined][] = [
    ['JSON without secrets, as it is', post('{ "a": 1.0 }', JSON_TYPE), '{ "a": 1.0 }'],
    [
      'JSON at any depth',
      post('{"a":[{"Password":"x"}],"token":{"b":"x"},"n":1.0}', JSON_TYPE),
      '{"a":[{"Password":"REDACTED"}],"token":"REDACTED","n":1.0}',
    ],
    ['an escaped JSON name', post('{"tok\\u0065n":"x"}', JSON_TYPE), '{"tok\\u0065n":"REDACTED"}'],
    ['JSON lists', post('[{"token":"x"},["token"]]', JSON_TYPE), '[{"token":"REDACTED"},["token"]]'],
    [
      'JSON within JSON',
      post(JSON.stringify({ a: JSON.stringify({ token: 'x' }) }), JSON_TYPE),
      '{"a":"REDACTED"}',
    ],
    [
      'URLs within JSON',
      post('{"a":"http://u:x@h/","b":"http://h/"}', JSON_TYPE),
      '{"a":"REDACTED","b":"http://h/"}',
    ],
    ['+json', post('{"token":"x"}', 'application/vnd.a+json'), '{"token":"REDACTED"}'],
    ['text/json', post('{"token":"x"}', 'text/json'), '{"token":"REDACTED"}'],
    ['graphql+json', post('{"token":"x"}', 'application/graphql+json;charset=utf-8'), '{"token":"REDACTED"}'],
    ['JSON bytes', post(Buffer.from('{"token":"x"}'), JSON_TYPE), '{"token":"REDACTED"}'],
    ['invalid JSON: nothing', post('{"token":"x"', JSON_TYPE), undefined],
    ['lines of JSON: nothing', post('{"token":"x"}\n{"token":"x"}', 'application/x-ndjson'), undefined],
    ['huge JSON: nothing', post(JSON.stringify({ a: 'x'.repeat(3_000_000) }), JSON_TYPE), undefined],
    ['deep JSON: nothing', post('['.repeat(5000) + ']'.repeat(5000), JSON_TYPE), undefined],
    ['a form', post('a=1&client_secret=x&b', FORM_TYPE), 'a=1&client_secret=REDACTED&b'],
    ['a form with charset', post('token=x', `${FORM_TYPE};charset=utf-8`), 'token=REDACTED'],
    ['JSON within a form', post('a=%7B%22token%22%3A%22x%22%7D', FORM_TYPE), 'a=REDACTED'],
    ['JSON that is called a form: nothing', post('{"token":"x"}', FORM_TYPE), undefined],
    ['text that is called a form', post('hello world', FORM_TYPE), 'hello world'],
    ['text', post('hello', 'text/plain'), 'hello'],
    ['text that names a secret: nothing', post('my password is x', 'text/plain'), undefined],
    ['XML that names a secret: nothing', post('<Password>x</Password>', 'application/soap+xml'), undefined],
    ['GraphQL that names a secret: nothing', post('{ login(token: "x") }', 'application/graphql'), undefined],
    ['text with userinfo: nothing', post('see http://u:x@h/', 'text/plain'), undefined],
    ['an unknown type: nothing', post('hello', 'application/x-thing'), undefined],
    ['no type: nothing', post('hello'), undefined],
    ['bytes that are no text: nothing', post(Buffer.from([255, 0]), 'text/plain'), undefined],
    ['a Blob: nothing', post(new Blob(['a'])), undefined],
    ['no body: nothing', {}, undefined],
  ];
  for (const [what, given, wanted] of bodies) {
    it(`keeps of ${what}`, () => expect(data(given)).to.equal(wanted));
  }

  it('redacts fields of multipart bodies by name, whatever made them', () => {
    const node = new NodeFormData();
    node.append('password', 'hidden1');
    node.append('a', '1');
    const spec = new FormData();
    spec.append('password', 'hidden1');
    spec.append('a', '1');
    const raw = post(node.getBuffer(), node.getHeaders()['content-type']);
    for (const given of [post(node), post(spec), raw]) {
      const text = data(given) ?? '';
      expect(text).to.contain('name="password"\r\n\r\nREDACTED\r\n');
      expect(text).to.contain('name="a"\r\n\r\n1\r\n');
      expect(text).not.to.contain('hidden1');
    }
  });

  it('leaves a multipart body with a file of bytes out', () => {
    const node = new NodeFormData();
    node.append('f', Buffer.from([255]), 'f.bin');
    expect(data(post(node))).to.equal(undefined);
    const spec = new FormData();
    spec.append('f', new Blob(['a']));
    expect(data(post(spec))).to.equal(undefined);
  });

  it('keeps what is needed to make the same key again when there was no secret', () => {
    const node = new NodeFormData();
    node.append('é', '1');
    const spec = new FormData();
    spec.append('a', 'one\ntwo');
    const kept: Given[] = [
      { url: 'http://h/?b=2&a=1', headers: { Accept: 'a' } },
      post('{"b":1.0,"a":[2,1]}', JSON_TYPE),
      post('b=2&a=%C3%A9', FORM_TYPE),
      post('text', 'text/plain'),
      post(node),
      post(spec),
      post(node.getBuffer(), node.getHeaders()['content-type']),
    ];
    for (const given of kept) {
      const { method, url, headers, data: text } = stored(given);
      const again: CacheRequest = request({ method, url, headers: Object.fromEntries(headers), data: text });
      expect(keyOf(again), JSON.stringify(headers)).to.equal(keyOf(given));
    }
  });

  it('never lets a secret through and never throws', () => {
    const SECRET = 'hunter2';
    const name = fc
      .tuple(fc.constantFrom(...DEFAULT_REDACTED), fc.nat())
      .map(([text, mask]) =>
        [...text].map((char, at) => ((mask >> (at % 20)) & 1 ? char.toUpperCase() : char)).join(''),
      );
    const escaped = fc
      .tuple(name, fc.nat())
      .map(([text, mask]) =>
        [...text]
          .map((char, at) => ((mask >> (at % 20)) & 1 ? `%${char.charCodeAt(0).toString(16)}` : char))
          .join(''),
      );
    const noise = fc.webQueryParameters();
    const given: fc.Arbitrary<Given> = fc.oneof(
      fc.tuple(escaped, noise, noise).map(([key, a, b]) => ({
        url: `http://${SECRET}:${SECRET}@h/?${a}&${key}=${SECRET}&${b}#${SECRET}`,
      })),
      fc.tuple(escaped, noise).map(([key, a]) => ({
        url: `http://h/?next=${encodeURIComponent(`http://i/?${a}&${key}=${SECRET}`)}`,
      })),
      name.map((key) => ({ headers: { [key]: SECRET, Referer: `https://h/?${key}=${SECRET}` } })),
      fc
        .tuple(name, fc.jsonValue())
        .map(([key, value]) =>
          post(JSON.stringify([value, { a: { [key]: { b: SECRET } }, value }]), JSON_TYPE),
        ),
      fc.tuple(name, fc.string()).map(([key, junk]) => post(`{"${key}":"${SECRET}"${junk}`, JSON_TYPE)),
      fc.tuple(escaped, noise).map(([key, a]) => post(`${a}&${key}=${SECRET}`, FORM_TYPE)),
      fc
        .tuple(name, fc.string(), fc.constantFrom('text/plain', 'text/xml', FORM_TYPE, 'application/graphql'))
        .map(([key, junk, type]) => post(`${junk} ${key} ${junk} ${SECRET}`, type)),
      fc.tuple(name, fc.string()).map(([key, junk]) => {
        const form = new FormData();
        form.append('a', junk);
        form.append(key, SECRET);
        return post(form);
      }),
    );
    fc.assert(
      fc.property(given, (one) => {
        expect(JSON.stringify(stored(one))).not.to.contain(SECRET);
      }),
      { numRuns: 2000 },
    );
  });

  it('stands hostile text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        redactor.url(text);
        redactor.url(`http://h/${text}`);
        redactor.headers([['x', text]]);
        for (const type of [JSON_TYPE, FORM_TYPE, 'text/plain', 'multipart/form-data; boundary=a'])
          data(post(text, type));
      }),
      { numRuns: 500 },
    );
    for (const long of [
      '/'.repeat(1_000_000),
      `?${'a&'.repeat(100_000)}`,
      `?a=${'//'.repeat(200_000)}=`,
      `?a=${'%25'.repeat(100_000)}`,
      `?${'token'.repeat(100_000)}=`,
      `//${'http://'.repeat(50_000)}`,
    ]) {
      redactor.url(`http://h/${long}`);
      redactor.headers([['x', long]]);
      data(post(long, 'text/plain'));
    }
  });
});
