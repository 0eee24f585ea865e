/** Requests with a secret in every place that a request has for one. */
import type { AxiosRequestConfig } from 'axios';
import NodeFormData from 'form-data';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const FORM_TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' };

function form(fields: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

function nodeForm(fields: Record<string, string>): NodeFormData {
  const data = new NodeFormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

type Place = [where: string, request: (secret: string) => AxiosRequestConfig];

const post = (data: unknown, headers: Record<string, string> = {}): AxiosRequestConfig => ({
  method: 'post',
  data,
  headers,
});
const MULTIPART_TYPE = { 'Content-Type': 'multipart/form-data; boundary=b' };
const DISPOSITION = 'Content-Disposition: form-data';
const multipart = (head: string, value: string, boundary = 'b'): string =>
  `--${boundary}\r\n${head === '' ? '' : `${head}\r\n`}\r\n${value}\r\n--${boundary}--\r\n`;
const escaped = (text: string, times: number): string =>
  times === 0 ? text : escaped(encodeURIComponent(text), times - 1);
const nested = (value: unknown, times: number): string =>
  times === 0 ? JSON.stringify(value) : nested({ a: JSON.stringify(value) }, times - 1);
const deep = (value: unknown, depth: number): unknown =>
  depth === 0 ? value : { a: [deep(value, depth - 1)] };

/** `origin` is where the requests go; below `/hop`, `/location` and `/cookie` it redirects. */
export const places = (origin: string): readonly Place[] => [
  ['header Authorization', (s) => ({ headers: { Authorization: `Bearer ${s}` } })],
  ['header authorization, in lower case', (s) => ({ headers: { authorization: s } })],
  ['config.auth', (s) => ({ auth: { username: 'ann', password: s } })],
  ['config.auth, as user name', (s) => ({ auth: { username: s, password: '' } })],
  ['userinfo', (s) => ({ url: `${origin.replace('://', `://ann:${s}@`)}/userinfo` })],
  ['userinfo, as user name', (s) => ({ url: `${origin.replace('://', `://${s}@`)}/username` })],
  ['header Cookie', (s) => ({ headers: { Cookie: `session=${s}; a=b` } })],
  ['header Proxy-Authorization', (s) => ({ headers: { 'Proxy-Authorization': `Basic ${s}` } })],
  ['header X-API-KEY, in upper case', (s) => ({ headers: { 'X-API-KEY': s } })],
  ['header of several values', (s) => ({ headers: { 'x-auth-token': ['a', s] } as never })],
  ['header X-CSRF-Token', (s) => ({ headers: { 'X-CSRF-Token': s } })],
  ['a URL in Referer', (s) => ({ headers: { Referer: `http://h/?access_token=${s}` } })],
  ['userinfo in Referer', (s) => ({ headers: { Referer: `http://ann:${s}@h/` } })],
  ['name=value in another header', (s) => ({ headers: { 'X-Debug': `a=1; token=${s}` } })],
  ['an ignored header', (s) => ({ headers: { 'x-nonce': s } })],
  ['query', (s) => ({ params: { api_key: s } })],
  ['query, in other letters', (s) => ({ params: { Access_Token: s } })],
  ['query, escaped name', (s) => ({ url: `${origin}/q?%74oken=${s}` })],
  ['query, in brackets', (s) => ({ params: { user: { password: s } } })],
  ['query, a list', (s) => ({ params: { token: ['a', s] } })],
  ['query, an ignored parameter', (s) => ({ params: { nonce: s } })],
  ['query, a URL in a value', (s) => ({ params: { next: `http://h/?token=${s}` } })],
  [
    'query, a URL in a URL in a value',
    (s) => ({ params: { next: `http://h/?n=${encodeURIComponent(`http://i/?token=${s}`)}` } }),
  ],
  ['query, JSON in a value', (s) => ({ params: { filter: JSON.stringify({ token: s }) } })],
  ['query, a URL as the whole of it', (s) => ({ url: `${origin}/p?http://api/x?api_key=${s}` })],
  [
    'query, a URL with userinfo as the whole of it',
    (s) => ({ url: `${origin}/p?http://ann:${s}@api/x?a=1` }),
  ],
  ['query, JSON as the whole of it', (s) => ({ url: `${origin}/p?{"token":"${s}","a":"b=c"}` })],
  ['query, in braces', (s) => ({ url: `${origin}/q?user{token}=${s}` })],
  ['query, another sign than =', (s) => ({ url: `${origin}/q?filter=token|${s}` })],
  ['query, XML in a value', (s) => ({ params: { xml: `<password>${s}</password>` } })],
  ['query, an escaped name in JSON', (s) => ({ params: { a: `{"tok\\u0065n":"${s}"}` } })],
  ['query, escaped six times', (s) => ({ params: { a: escaped(`http://h/?token=${s}`, 6) } })],
  ['query, name and value apart', (s) => ({ params: { name: 'token', value: s } })],
  ['a URL in a URL in Referer', (s) => ({ headers: { Referer: `http://h/?http://i/?token=${s}` } })],
  ['prose in another header', (s) => ({ headers: { 'X-Forwarded': `Authorization Bearer ${s}` } })],
  ['XML in another header', (s) => ({ headers: { 'X-Debug': `<password>${s}</password>` } })],
  ['many blanks in another header', (s) => ({ headers: { 'X-Debug': `token${' '.repeat(99)}= ${s}` } })],
  ['path parameter', (s) => ({ url: `${origin}/a;token=${s}/b` })],
  ['path parameter, in brackets', (s) => ({ url: `${origin}/Users(apikey='${s}')` })],
  ['path parameter, after a comma', (s) => ({ url: `${origin}/a,token=${s}/` })],
  ['path parameter, after a colon', (s) => ({ url: `${origin}/token:${s}/` })],
  ['path parameter, escaped', (s) => ({ url: `${origin}/a%3Btoken%3D${s}/` })],
  ['userinfo within the path, escaped', (s) => ({ url: `${origin}/http%3A%2F%2Fann%3A${s}%40h/` })],
  ['userinfo within the path', (s) => ({ url: `${origin}/http://ann:${s}@h/` })],
  ['fragment', (s) => ({ url: `${origin}/f#access_token=${s}` })],
  ['form', (s) => post(new URLSearchParams({ a: '1', client_secret: s }))],
  ['form as text', (s) => post(`a=1&refresh_token=${s}`, FORM_TYPE)],
  ['form, JSON in a value', (s) => post(`a=${encodeURIComponent(JSON.stringify({ secret: s }))}`, FORM_TYPE)],
  ['form, XML in a value', (s) => post(new URLSearchParams({ a: `<secret>${s}</secret>` }))],
  ['form, a URL as the whole of it', (s) => post(`http://h/?token=${s}`, FORM_TYPE)],
  ['form, name and value apart', (s) => post(new URLSearchParams({ field: 'token', is: s }))],
  ['JSON', (s) => post({ password: s })],
  ['JSON, in other letters', (s) => post({ PassWord: s })],
  ['JSON, 40 levels down', (s) => post(deep({ id_token: s }, 20))],
  ['JSON, an object under a secret name', (s) => post({ secret: { a: [s] } })],
  ['JSON, an escaped name', (s) => post(`{"tok\\u0065n":"${s}"}`, JSON_TYPE)],
  ['JSON in JSON', (s) => post({ a: JSON.stringify({ token: s }) })],
  ['JSON in JSON, an escaped name', (s) => post({ a: `{"tok\\u0065n":"${s}"}` })],
  ['JSON in JSON in JSON, ten times', (s) => post({ a: nested({ token: s }, 10) })],
  ['JSON, XML in a value', (s) => post({ xml: `<password>${s}</password>` })],
  ['JSON, a URL as a name', (s) => post({ [`http://h/?token=${s}`]: 1 })],
  ['JSON, name and value apart', (s) => post([{ name: 'password', value: s }])],
  ['JSON, columns and rows', (s) => post({ columns: ['user', 'password'], rows: [['ann', s]] })],
  ['JSON that is none', (s) => post(`{"token":"${s}"`, JSON_TYPE)],
  ['lines of JSON', (s) => post(`{"a":1}\n{"token":"${s}"}`, { 'Content-Type': 'application/x-ndjson' })],
  ['+json', (s) => post(`{"token":"${s}"}`, { 'Content-Type': 'application/vnd.api+json' })],
  [
    'JSON deeper than is looked into',
    (s) => post(`${'['.repeat(300)}{"token":"${s}"}${']'.repeat(300)}`, JSON_TYPE),
  ],
  ['multipart field (FormData)', (s) => post(form({ a: '1', password: s }))],
  ['multipart field (form-data)', (s) => post(nodeForm({ a: '1', token: s }))],
  ['multipart, JSON in another field', (s) => post(form({ a: JSON.stringify({ token: s }) }))],
  ['multipart, XML in another field', (s) => post(form({ a: `<password>${s}</password>` }))],
  ['multipart, a URL as a name', (s) => post(form({ [`http://h/?token=${s}`]: '1' }))],
  [
    'multipart, a name without quotes',
    (s) => post(multipart(`${DISPOSITION}; name=password`, s), MULTIPART_TYPE),
  ],
  [
    'multipart, an encoded name',
    (s) => post(multipart(`${DISPOSITION}; name*=UTF-8''password`, s), MULTIPART_TYPE),
  ],
  ['multipart, blanks in it', (s) => post(multipart(`${DISPOSITION}; name = "password"`, s), MULTIPART_TYPE)],
  [
    'multipart, another name before',
    (s) =>
      post(
        multipart(`Content-Type: text/plain; name="x"\r\n${DISPOSITION}; name="password"`, s),
        MULTIPART_TYPE,
      ),
  ],
  [
    'multipart, headers of a part',
    (s) => post(multipart(`${DISPOSITION}; name="a"\r\nX-Api-Key: ${s}`, 'x'), MULTIPART_TYPE),
  ],
  [
    'multipart, a file name',
    (s) => post(multipart(`${DISPOSITION}; name="a"; filename="token=${s}"`, 'x'), MULTIPART_TYPE),
  ],
  ['multipart, no headers', (s) => post(multipart('', `<password>${s}</password>`), MULTIPART_TYPE)],
  [
    'multipart, the boundary',
    (s) =>
      post(multipart(`${DISPOSITION}; name="a"`, 'x', `token=${s}`), {
        'Content-Type': `multipart/form-data; boundary="token=${s}"`,
      }),
  ],
  [
    'a file in multipart',
    (s) => {
      const data = new FormData();
      data.append('file', new Blob([Buffer.from([0, 255]), s]), 'file.bin');
      return post(data);
    },
  ],
  ['XML', (s) => post(`<login><password>${s}</password></login>`, { 'Content-Type': 'application/xml' })],
  ['text', (s) => post(`my password is ${s}`, { 'Content-Type': 'text/plain' })],
  ['JSON as text, an escaped name', (s) => post(`{"tok\\u0065n":"${s}"}`, { 'Content-Type': 'text/plain' })],
  [
    'HTML, an escaped name',
    (s) => post(`<input name="pass&#119;ord" value="${s}">`, { 'Content-Type': 'text/html' }),
  ],
  [
    'XML in UTF-16',
    (s) =>
      post(Buffer.from(`<password>${s}</password>`, 'utf16le'), {
        'Content-Type': 'text/xml; charset=utf-16',
      }),
  ],
  [
    'bytes',
    (s) =>
      post(Buffer.concat([Buffer.from([0, 255]), Buffer.from(s)]), {
        'Content-Type': 'application/octet-stream',
      }),
  ],
  ['query of a redirect hop', (s) => ({ url: `${origin}/hop?to=1&token=${s}` })],
  ['Location of a redirect', (s) => ({ url: `${origin}/location`, params: { password: s } })],
  ['userinfo of a Location', (s) => ({ url: `${origin}/user-location`, headers: { 'x-api-token': s } })],
  ['Set-Cookie of a redirect', (s) => ({ url: `${origin}/cookie`, headers: { 'x-api-token': s } })],
  ['Authorization along a redirect', (s) => ({ url: `${origin}/hop`, headers: { Authorization: s } })],
];
