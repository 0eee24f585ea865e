/** The parts of a config that change which bytes come back, besides what is sent. */
import { agentUser, identityOf } from './agents.js';
import { part, sha256 } from './digest.js';
import { isObject, own } from './own.js';

/** Empty for the usual request. Not: responseType, timeout, and what else only changes how bytes are handed over. */
export function transportKey(config: object): string {
  let key = '';
  if (own(config, 'decompress') === false) key += 'raw;';
  if (own(config, 'maxRedirects') === 0 || refusesRedirects(own(config, 'fetchOptions'))) key += 'hop;';
  // axios before 1.21 lets them stand over the request's own.
  const fetchOptions = own(config, 'fetchOptions');
  const fetchHeaders = isObject(fetchOptions) ? own(fetchOptions, 'headers') : undefined;
  if (isObject(fetchHeaders)) key += `fetch=${fetchHeadersKey(fetchHeaders)};`;
  const socket = own(config, 'socketPath');
  if (socket) key += `socket=${part(String(socket))};`;
  const httpAgent = own(config, 'httpAgent');
  if (httpAgent !== undefined) key += agentKey('http', httpAgent);
  const httpsAgent = own(config, 'httpsAgent');
  if (httpsAgent !== undefined) key += agentKey('https', httpsAgent);
  const http2Options = own(config, 'http2Options');
  if (http2Options !== undefined) key += optionsKey('http2', http2Options);
  return key;
}

function refusesRedirects(fetchOptions: unknown): boolean {
  if (!isObject(fetchOptions)) return false;
  const redirect = own(fetchOptions, 'redirect');
  return redirect !== undefined && redirect !== 'follow';
}

/** Of a Headers, a list of pairs, or an object. */
function fetchHeadersKey(headers: object): string {
  const pairs: unknown[] =
    Symbol.iterator in headers ? [...(headers as Iterable<unknown>)] : Object.entries(headers);
  return pairs
    .map((pair) => (Array.isArray(pair) ? part(String(pair[0]).toLowerCase()) + part(String(pair[1])) : ''))
    .sort()
    .join('');
}

function agentKey(name: string, agent: unknown): string {
  if (!isObject(agent)) return '';
  // Agents that go over a proxy keep here what is for TLS.
  const options = optionsKey(name, own(agent, 'options')) + optionsKey(`${name}.`, own(agent, 'connectOpts'));
  return options + agentUser(name, agent);
}

/** Unverified TLS, a client certificate, another name and a socket make it another origin, or another user. */
function optionsKey(name: string, options: unknown): string {
  if (!isObject(options)) return '';
  let key = '';
  if (own(options, 'rejectUnauthorized') === false) key += 'insecure;';
  // What a function accepts can't be told: it is an origin of its own.
  if (typeof own(options, 'checkServerIdentity') === 'function') key += 'identity;';
  const ca = own(options, 'ca');
  if (ca) key += `ca=${materialDigest(ca)};`;
  const serverName = own(options, 'servername');
  if (serverName) key += `name=${part(String(serverName))};`;
  const context = own(options, 'secureContext');
  if (isObject(context)) key += `context=${identityOf(context)};`;
  const psk = own(options, 'pskCallback');
  if (typeof psk === 'function') key += `psk=${identityOf(psk)};`;
  const cert = own(options, 'cert');
  if (cert) key += `cert=${materialDigest(cert)};`;
  const pfx = own(options, 'pfx');
  if (pfx) key += `pfx=${materialDigest(pfx)};`;
  const socket = own(options, 'socketPath');
  if (socket) key += `socket=${part(String(socket))};`;
  return key === '' ? '' : `${name}(${key})`;
}

/** Of a PEM text, bytes, `{ buf, passphrase }`, or a list of these, as Node's tls takes them. */
function materialDigest(material: unknown): string {
  if (typeof material === 'string') return sha256(material);
  if (ArrayBuffer.isView(material)) {
    return sha256(new Uint8Array(material.buffer, material.byteOffset, material.byteLength));
  }
  if (Array.isArray(material)) return sha256(material.map(materialDigest).join(','));
  return isObject(material) ? materialDigest(own(material, 'buf') ?? own(material, 'pem') ?? '') : '';
}
