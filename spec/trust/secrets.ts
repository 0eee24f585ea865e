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
  ['path parameter', (s) => ({ url: `${origin}/a;token=${s}/b` })],
  ['userinfo within the path', (s) => ({ url: `${origin}/http://ann:${s}@h/` })],
  ['fragment', (s) => ({ url: `${origin}/f#access_token=${s}` })],
  ['form', (s) => post(new URLSearchParams({ a: '1', client_secret: s }))],
  ['form as text', (s) => post(`a=1&refresh_token=${s}`, FORM_TYPE)],
  ['form, JSON in a value', (s) => post(`a=${encodeURIComponent(JSON.stringify({ secret: s }))}`, FORM_TYPE)],
  ['JSON', (s) => post({ password: s })],
  ['JSON, in other letters', (s) => post({ PassWord: s })],
  ['JSON, 40 levels down', (s) => post(deep({ id_token: s }, 20))],
  ['JSON, an object under a secret name', (s) => post({ secret: { a: [s] } })],
  ['JSON, an escaped name', (s) => post(`{"tok\\u0065n":"${s}"}`, JSON_TYPE)],
  ['JSON in JSON', (s) => post({ a: JSON.stringify({ token: s }) })],
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
