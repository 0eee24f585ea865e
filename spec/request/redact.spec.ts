import axios, { type AxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import fc from 'fast-check';
import NodeFormData from 'form-data';
import { finalUrl } from '../../lib/axios.js';
import { DEFAULT_REDACTED, Redactor } from '../../lib/request/redact.js';
import type { CacheRequest } from '../../lib/request/request.js';
import { snapshotRequest } from '../../lib/request/snapshot.js';
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
    ['http://h/token:x/b', 'http://h/token:REDACTED/b'],
    ['http://h/a,token=x/b', 'http://h/a,token=REDACTED/b'],
    ["http://h/Users(apikey='x')", 'http://h/Users(apikey=REDACTED'],
    ['http://h/a%3Btoken%3Dx/b', 'http://h/REDACTED/b'],
    ['http://h/http%3A%2F%2Fu%3Ap%40i%2F', 'http://h/REDACTED'],
    ['http://h/https:/u:p@i/', 'http://h/https:/i/'],
    ['http://h/The%20Secret%20Garden;token=x', 'http://h/REDACTED'],
    ['http://h/?next=http%3A%2F%2Fi%2F%3Ftoken%3Dx', 'http://h/?next=REDACTED'],
    ['http://h/?next=http://u:p@i/', 'http://h/?next=REDACTED'],
    ['http://h/?http://u:p@i/', 'http://h/?REDACTED'],
    ['http://h/?next=http%253A%252F%252Fi%253Ftoken%253Dx', 'http://h/?next=REDACTED'],
    ['http://h/?filter={"token":"x"}', 'http://h/?filter=REDACTED'],
    ['http://h/?next=http%3A%2F%2Fi%2F', 'http://h/?next=http%3A%2F%2Fi%2F'],
    ['http://h/?http://i/x?api_key=x&b=2', 'http://h/?http://i/x?api_key=REDACTED&b=2'],
    ['http://h/?http://u:p@i/?a=1', 'http://h/?REDACTED'],
    ['http://h/?http://u:p@i/?token=x', 'http://h/?REDACTED'],
    ['http://h/?a=http://u:p@i/?token=x', 'http://h/?a=REDACTED'],
    ['http://h/?{"token":"x","a":"b=c"}', 'http://h/?REDACTED'],
    ['http://h/?user{token}=x', 'http://h/?user{token}=REDACTED'],
    ['http://h/?token:x', 'http://h/?REDACTED'],
    ['http://h/?filter=token|x', 'http://h/?filter=REDACTED'],
    ['http://h/?a=token|x;password=y', 'http://h/?a=REDACTED'],
    ['http://h/?a=<password>x</password>', 'http://h/?a=REDACTED'],
    ['http://h/?a={"tok\\u0065n":"x"}', 'http://h/?a=REDACTED'],
    [`http://h/?a=${'%25'.repeat(9)}`, `http://h/?a=${'%25'.repeat(9)}`],
    [`http://h/?a=%${'25'.repeat(9)}41`, 'http://h/?a=REDACTED'],
    ['http://h/?name=token&value=x', 'http://h/?name=token&value=REDACTED'],
    ['http://h/?f[0][name]=token&f[0][value]=x&b=1', 'http://h/?f[0][name]=token&f[0][value]=REDACTED&b=1'],
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

  const plain = [
    'http://h/oauth/token',
    'http://h/oauth/token/revoke?page_token=x&response_type=token&sort=token.desc',
    'http://h/password/reset?grant_type=password&a=1',
    'http://h/token.json?mytoken=x&user.page_token=x&tokens=1&a=tokens|x',
    'http://h/npm/cookie@0.5.0/cookie.js?q=ann@h&email=from:ann@h',
    'http://h/The%20Secret%20Garden?q=100%25%20a%20b',
    'http://h/a:b;c=d/(e=f)?a;b=c;d&{"e":"f"}&g="h"&i=1%2B1%3D2',
  ];
  for (const url of plain) {
    it(`leaves ${url} as it is: no secret is given a value`, () => {
      expect(redactor.url(url)).to.equal(new URL(url).href);
    });
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

describe('a Redactor and what keys leave out', () => {
  const SECRET = 'hunter2';
  const names: [name: string, sent: string][] = [
    ['pin code', 'pin+code'],
    ['pin code', 'pin%20code'],
    ['pin code', 'PIN+code'.toLowerCase()],
    ['c++ code', 'c%2B%2B+code'],
    [' pin ', '+pin+'],
    [' ', '+'],
    ['größe ü', 'gr%C3%B6%C3%9Fe+%c3%bc'],
    ['\u0130d', '%C4%B0d'],
    ['ids', 'ids[]'],
    ['ids', 'ids%5B0%5D'],
    ['ids', 'ids[%C3%BC]'],
    ['ids', 'ids[a%C3%BC]'],
    ['ids', 'ids[a][b+c]x[d]'],
    ['pin code', 'pin+code[a+b]'],
    ['a;b', 'a;b'],
    ['a?b', 'a?b'],
    ['a%20b', 'a%2520b'],
    ['a\\\\b', 'a%5C%5Cb'],
    ['&#65;', '%26%2365%3B'],
    ['#65', '%2365'],
    ['\0', '%00'],
    ['a=b', 'a%3Db'],
    ['a"b', 'a%22b'],
  ];
  for (const [name, sent] of names) {
    it(`redacts ${JSON.stringify(name)} where it is sent as ${sent}`, () => {
      const given: Given[] = [
        { url: `http://h/?x=1&${sent}=${SECRET}&y=2` },
        post(`x=1&${sent}=${SECRET}&y=2`, FORM_TYPE),
      ];
      for (const option of ['redact', 'ignoredParameters'] as const) {
        const settings = { redact: [], ignoredParameters: [], [option]: [name] };
        for (const one of given) {
          const kept = JSON.stringify(new Redactor(settings).request(request(one)));
          expect(kept).not.to.contain(SECRET);
          expect(kept).to.match(/\?x=1&.*REDACTED.*&y=2|"x=1&.*REDACTED.*&y=2"/);
        }
      }
      const ignoring = { redact: [], ignoredParameters: [name] };
      const others = JSON.parse(JSON.stringify(given).replaceAll(SECRET, 'other')) as Given[];
      for (const [at, one] of given.entries()) {
        expect(keyOf(one, ignoring)).to.equal(keyOf(others[at] ?? {}, ignoring));
      }
    });
  }

  it('finds a name with blanks wherever a name may stand', () => {
    const spaced = new Redactor({ redact: ['pin code'], ignoredParameters: ['t id'] });
    for (const url of [
      'http://h/?a[pin+code]=S',
      'http://h/?next=http%3A%2F%2Fi%2F%3Fpin%2Bcode%3DS',
      'http://h/?next=http://i/?t%2Bid=S',
      'http://h/?q=t%2Bid%5Ba%5D%3DS',
      'http://h/a;pin+code=S/b',
      'http://h/a;pin%20code=S/b',
      'http://h/?name=pin+code&value=S',
    ]) {
      expect(spaced.url(url), url).to.match(/^[^S]*REDACTED[^S]*$/);
    }
    for (const url of [
      'http://h/pin+code',
      'http://h/?q=about+my+t+id',
      'http://h/?pin=1+2&code=1&pincode=1',
    ])
      expect(spaced.url(url)).to.equal(url);
    expect(spaced.headers([['x', 'a=1&pin+code=S']])).to.deep.equal([['x', 'REDACTED']]);
    const signed = new Redactor({ redact: ['c++', 'c++ code'], ignoredParameters: [] });
    for (const value of ['my c++ is S', 'my c++ code is S', 'c+++code: S', 'c%2B%2B+code=S'])
      expect(signed.headers([['x', value]])).to.deep.equal([['x', 'REDACTED']]);
  });

  it('redacts all that keys ignore, whatever its name, as axios sends it', async () => {
    const name = fc
      .oneof(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
        fc.string({ unit: fc.constantFrom(...'a1 +ü"[]\'&#;?%=\\_-.:/@{}\0İ'), minLength: 1, maxLength: 6 }),
        fc.constantFrom(
          'pin code',
          'größe',
          'ids[]',
          'a[0]',
          'it\'s "quoted"',
          'name',
          '%41',
          '\\u0041',
          '&#x41;',
        ),
      )
      .filter(
        (text) =>
          // axios sends the names of an object's members without the blanks round them (toFormData.js).
          text === text.trim() && !SECRET.includes(text) && !['__proto__', 'length'].includes(text),
      );
    const inner = fc.string({ unit: fc.constantFrom(...'a1 +ü"[]&#;?%=\\'), maxLength: 4 });
    const sentBy = async (config: AxiosRequestConfig) => {
      let kept: ReturnType<typeof snapshotRequest> | undefined;
      const adapter = async (ready: Parameters<typeof finalUrl>[0]) => {
        kept = snapshotRequest(ready, finalUrl(ready));
        return { data: '', status: 200, statusText: '', headers: {}, config: ready } as never;
      };
      await axios.request({ url: 'http://h/', adapter, ...config });
      if (kept === undefined) throw new Error('axios sent nothing');
      return kept;
    };
    await fc.assert(
      fc.asyncProperty(name, inner, fc.string({ maxLength: 4 }), async (key, below, other) => {
        const ignoring = new Redactor({ redact: [], ignoredParameters: [key] });
        const noise = other === key ? 'noise' : other;
        const form = new URLSearchParams([
          [noise, '1'],
          [key, SECRET],
          [noise, '2'],
        ]);
        const given: AxiosRequestConfig[] = [
          { params: { [key]: SECRET } },
          { params: form },
          { method: 'post', data: form },
          { method: 'post', data: { [key]: SECRET }, headers: { 'Content-Type': FORM_TYPE } },
          { method: 'post', data: { [noise]: [{ [key]: SECRET }] } },
        ];
        // What is below a name is ignored with it, if the name itself has no bracket.
        if (!key.includes('[')) {
          given.push({ params: { [`${noise}-`]: 1, [key]: [SECRET, { [below]: SECRET }] } });
        }
        for (const config of given) {
          const kept = JSON.stringify(ignoring.request(await sentBy(config)));
          expect(kept, JSON.stringify([key, config])).not.to.contain(SECRET);
        }
      }),
      { numRuns: 500 },
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
    ['JSON lists', post('[{"token":"x"},["a"]]', JSON_TYPE), '[{"token":"REDACTED"},["a"]]'],
    [
      'JSON in which a secret is named by a value: nothing',
      post('[{"value":"x","name":"password"}]', JSON_TYPE),
      undefined,
    ],
    [
      'JSON in which columns are named: nothing',
      post('{"c":["a","token"],"r":[[1,2]]}', JSON_TYPE),
      undefined,
    ],
    [
      'JSON whose secret is the name of one',
      post('{"password":{"a":"token"},"b":1}', JSON_TYPE),
      '{"password":"REDACTED","b":1}',
    ],
    ['JSON with a secret in a name: nothing', post('{"http://h/?token=x":1}', JSON_TYPE), undefined],
    ['XML within JSON', post('{"a":"<password>x</password>"}', JSON_TYPE), '{"a":"REDACTED"}'],
    [
      'JSON within JSON with an escaped name',
      post(JSON.stringify({ a: '{"tok\\u0065n":"x"}' }), JSON_TYPE),
      '{"a":"REDACTED"}',
    ],
    [
      'prose within JSON that names none',
      post('{"a":"tokens, my_tokens"}', JSON_TYPE),
      '{"a":"tokens, my_tokens"}',
    ],
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
    ['a form that is a URL', post('http://h/?token=x', FORM_TYPE), 'http://h/?token=REDACTED'],
    ['XML within a form', post('a=%3Cpassword%3Ex%3C%2Fpassword%3E', FORM_TYPE), 'a=REDACTED'],
    ['a form in which a secret is named by a value: nothing', post('name=token&x=y', FORM_TYPE), undefined],
    ['JSON that is called a form: nothing', post('{"token":"x"}', FORM_TYPE), undefined],
    ['text that is called a form', post('hello world', FORM_TYPE), 'hello world'],
    ['text', post('hello', 'text/plain'), 'hello'],
    ['text that names a secret: nothing', post('my password is x', 'text/plain'), undefined],
    ['XML that names a secret: nothing', post('<Password>x</Password>', 'application/soap+xml'), undefined],
    ['GraphQL that names a secret: nothing', post('{ login(token: "x") }', 'application/graphql'), undefined],
    ['text with userinfo: nothing', post('see http://u:x@h/', 'text/plain'), undefined],
    ['text with an escaped name: nothing', post('{"tok\\u0065n":"x"}', 'text/plain'), undefined],
    ['HTML with an escaped name: nothing', post('<input name="pass&#119;ord">', 'text/html'), undefined],
    ['JavaScript with an escaped name: nothing', post('({ pass\\word: "x" })', 'text/javascript'), undefined],
    ['UTF-16: nothing', post(Buffer.from('<a>x</a>', 'utf16le'), 'text/xml'), undefined],
    ['another charset: nothing', post('<a>x</a>', 'text/xml; charset=utf-7'), undefined],
    ['text in UTF-8', post('<a>x</a>', 'text/xml; charset="UTF-8"'), '<a>x</a>'],
    ['a type with a secret: nothing', post('hello', 'text/plain; token=x'), undefined],
    ['an unknown type: nothing', post('hello', 'application/x-thing'), undefined],
    ['no type: nothing', post('hello'), undefined],
    ['bytes that are no text: nothing', post(Buffer.from([255, 0]), 'text/plain'), undefined],
    ['a Blob: nothing', post(new Blob(['a'])), undefined],
    ['a form object without fields: nothing', post(new FormData()), undefined],
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

  const FIELD = 'Content-Disposition: form-data; name="a"';
  const multipart = (head: string, value = 'x', boundary = 'b') =>
    post(
      `--${boundary}\r\n${head}\r\n\r\n${value}\r\n--${boundary}--\r\n`,
      `multipart/form-data; boundary="${boundary}"`,
    );
  const parts: [string, Given][] = [
    ['a name without quotes', multipart('Content-Disposition: form-data; name=password')],
    ['an encoded name', multipart("Content-Disposition: form-data; name*=UTF-8''password")],
    ['blanks round the equals sign', multipart('Content-Disposition: form-data; name = "password"')],
    ['a backslash in a name', multipart('Content-Disposition: form-data; name="pass\\word"')],
    [
      'a name in an earlier header',
      multipart('Content-Type: text/plain; name="x"\r\nContent-Disposition: form-data; name="password"'),
    ],
    ['two names', multipart('Content-Disposition: form-data; name="a"; name="password"')],
    ['no header', multipart('')],
    ['credentials of a part', multipart(`${FIELD}\r\nAuthorization: x`)],
    ['another encoding', multipart(`${FIELD}\r\nContent-Transfer-Encoding: base64`)],
    ['a continued header', multipart(`${FIELD}\r\nContent-Type: text/plain;\r\n token=x`)],
    ['a secret in a file name', multipart(`${FIELD}; filename="token=x"`)],
    ['a secret in a type', multipart(`${FIELD}\r\nContent-Type: text/plain; token=x`)],
    ['a secret in the boundary', multipart(FIELD, 'x', 'token=x')],
    ['a secret in a name', multipart('Content-Disposition: form-data; name="http://h/?token=x"')],
    ['a value that names a secret', multipart(FIELD, 'password')],
    ['parts of another kind', multipart('Content-Type: text/plain')],
  ];
  for (const [what, given] of parts) {
    it(`leaves a multipart body out for ${what}`, () => expect(data(given)).to.equal(undefined));
  }

  it('keeps a multipart body as browsers and libraries write it, without the secrets in its values', () => {
    const kept = [
      multipart(FIELD),
      multipart(`${FIELD}; filename="a.txt"\r\nContent-Type: text/plain; charset=UTF-8`),
      multipart(`content-disposition:form-data;name="a";filename=""`),
      multipart(`${FIELD}\r\nContent-Type: application/json`, '{"a":1}'),
    ];
    for (const given of kept) expect(data(given)).to.equal(given.data);
    const hidden = multipart(FIELD, '<password>x</password>');
    expect(data(hidden)).to.equal(String(hidden.data).replace('<password>x</password>', 'REDACTED'));
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

  it('lets no secret through, whatever it is wrapped in, however often, and wherever it stands', () => {
    const SECRET = 'hunter2';
    const name = fc.constantFrom('token', 'X-Api-Key', 'Password');
    const given = fc.constantFrom<(name: string) => string>(
      (key) => `${key}=${SECRET}`,
      (key) => `${key}          :    ${SECRET}`,
      (key) => `a=1;\n${key}=${SECRET};b=2`,
      (key) => `${key}|${SECRET}`,
      (key) => `my ${key} is ${SECRET}`,
      (key) => `user[${key}][]=${SECRET}`,
      (key) => `{"a":"b=c","${key}":["${SECRET}"]}`,
      (key) => `[{"value":"${SECRET}","name":"${key}"}]`,
      (key) => `[["${key}","${SECRET}"]]`,
      (key) => `<a ${key}='${SECRET}'/>`,
      (key) => `<${key}>${SECRET}</${key}>`,
      (key) => `http://h/?${key}=${SECRET}`,
      () => `http://ann:${SECRET}@h/`,
    );
    const escapeAll = (text: string, one: (code: number) => string): string =>
      Array.from({ length: text.length }, (_, at) => one(text.charCodeAt(at))).join('');
    const hex = (code: number): string => code.toString(16).padStart(2, '0');
    const wrap = fc.constantFrom<(text: string) => string>(
      (text) => encodeURIComponent(text),
      (text) => escapeAll(text, (code) => `%${hex(code)}`),
      (text) => JSON.stringify({ a: [text] }),
      (text) => `{"a":"${escapeAll(text, (code) => `\\u00${hex(code)}`)}"}`,
      (text) => escapeAll(text, (code) => `&#${code};`),
      (text) => escapeAll(text, (code) => `&#x${hex(code)}`),
      (text) => `http://h/?next=${encodeURIComponent(text)}`,
      (text) => text.replaceAll('/', '\\/'),
    );
    const place = fc.constantFrom<(text: string) => Given>(
      (text) => ({ url: `http://h/?a=${encodeURIComponent(text)}` }),
      (text) => ({ url: `http://h/?${encodeURIComponent(text)}=1` }),
      (text) => ({ url: `http://h/?${text.replace(/[&#+]/g, encodeURIComponent)}` }),
      (text) => ({ headers: { 'X-Debug': text.replaceAll('\n', ' ') } }),
      (text) => ({ headers: { Referer: `http://h/?a=${encodeURIComponent(text)}` } }),
      (text) => post(JSON.stringify({ a: [text] }), JSON_TYPE),
      (text) => post(JSON.stringify({ [text]: 1 }), JSON_TYPE),
      (text) => post(new URLSearchParams({ a: text }), FORM_TYPE),
      (text) => post(new URLSearchParams({ [text]: '1' }), FORM_TYPE),
      (text) => post(text, FORM_TYPE),
      (text) => post(text, 'text/plain'),
      (text) => {
        const form = new FormData();
        form.append('a', text);
        return post(form);
      },
      (text) => {
        const form = new FormData();
        form.append(text, '1');
        return post(form);
      },
    );
    const length = { maxLength: 3 };
    fc.assert(
      fc.property(name, given, fc.array(wrap, length), place, (key, made, wraps, put) => {
        const text = wraps.reduce((inner, one) => one(inner), made(key));
        const kept = JSON.stringify(stored(put(text)));
        // What is still escaped is no less readable.
        for (let read = kept, times = 0; times < 6; times++) {
          expect(read).not.to.contain(SECRET);
          read = read
            .replace(/\\+u00([0-9a-f]{2})/gi, '%$1')
            .replace(/&#x([0-9a-f]{2})/gi, '%$1')
            .replace(/&#([0-9]+);/g, (_, code) => `%${hex(Number(code))}`)
            .replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
        }
      }),
      { numRuns: 3000 },
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
  });

  describe('costs in proportion to what it reads', () => {
    // What is quadratic takes minutes for some of these, what is linear some milliseconds.
    const MANY = 60_000;
    const pieces = [
      ...[
        '/',
        'a&',
        '//',
        '%25',
        '%',
        '%2',
        '%2525',
        'token',
        'token[',
        'token-',
        'token_=',
        '[',
        ' ',
        '\t',
        'a ',
      ],
      ...[
        'http:',
        'http:/',
        'http://',
        '//a',
        '@',
        '\\',
        '\\u',
        '\\u{',
        '\\u{0',
        '\\\\u00',
        '&#',
        '&#1',
        '&#x',
        '\0',
      ],
      ...[
        '=',
        ';',
        ':',
        '=;',
        '=%',
        '=token',
        ';token',
        ':token,',
        'value',
        'value-=',
        '"',
        '{"',
        '\r\n',
        '+',
        ', ',
      ],
    ];
    const texts = pieces.flatMap((piece) => [piece.repeat(MANY), `token${piece.repeat(MANY)}!`]);
    const FIELD = '--b\r\nContent-Disposition: form-data; name="a"';
    const MULTIPART = 'multipart/form-data; boundary=b';
    const places: [string, (text: string) => void][] = [
      ['a path', (text) => redactor.url(`http://h/${text}`)],
      ['a query', (text) => redactor.url(`http://h/?${text}`)],
      ['a value in a query', (text) => redactor.url(`http://h/?a=${text}&name=token`)],
      ['a header', (text) => redactor.headers([['x', text]])],
      ['a content type', (text) => data(post('a', `text/${text}`))],
      ['parameters of a content type', (text) => data(post('a', `text/xml;charset${text}`))],
      ['text', (text) => data(post(text, 'text/plain'))],
      ['a form', (text) => data(post(text, FORM_TYPE))],
      ['a JSON string', (text) => data(post(JSON.stringify([text]), JSON_TYPE))],
      ['a JSON name', (text) => data(post(JSON.stringify({ [text]: 1 }), JSON_TYPE))],
      ['a multipart field', (text) => data(post(`${FIELD}\r\n\r\n${text}\r\n--b--\r\n`, MULTIPART))],
      [
        'a name of one',
        (text) => data(post(`${FIELD.replace('"a"', `"${text}"`)}\r\n\r\na\r\n--b--\r\n`, MULTIPART)),
      ],
      ['a header of one', (text) => data(post(`${FIELD}${text}\r\n\r\na\r\n--b--\r\n`, MULTIPART))],
      [
        'a type of one',
        (text) => data(post(`${FIELD}\r\nContent-Type: a${text}b\r\n\r\na\r\n--b--\r\n`, MULTIPART)),
      ],
    ];
    for (const [where, put] of places) {
      it(`${where}`, () => {
        for (const text of texts) put(text);
      });
    }

    it('takes any length', () => {
      const long = '[a]'.repeat(5_000_000);
      expect(redactor.url(`http://h/?token${long}=x`)).to.equal(`http://h/?token${long}=REDACTED`);
    });
  });
});
