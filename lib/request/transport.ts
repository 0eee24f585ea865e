/** The parts of a config that change which bytes come back, besides what is sent. */
import { randomUUID } from 'node:crypto';
import { userinfoAuthorization } from './credentials.js';
import { part, sha256 } from './digest.js';
import { isObject, own } from './own.js';

/** Empty for the usual request. Not: responseType, timeout, and what else only changes how bytes are handed over. */
export function transportKey(config: object): string {
  let key = '';
  if (own(config, 'decompress') === false) key += 'raw;';
  if (own(config, 'maxRedirects') === 0 || refusesRedirects(own(config, 'fetchOptions'))) key += 'hop;';
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

function agentKey(name: string, agent: unknown): string {
  if (!isObject(agent)) return '';
  // Agents that go over a proxy (https-proxy-agent, hpagent) keep its URL here, and what is for TLS in `connectOpts`.
  const user = proxyUser(own(agent, 'proxy'));
  const options = optionsKey(name, own(agent, 'options')) + optionsKey(`${name}.`, own(agent, 'connectOpts'));
  return user === undefined ? options : `${options}${name}.proxy=${part(user)};`;
}

function proxyUser(proxy: unknown): string | undefined {
  if (!isObject(proxy)) return undefined;
  // A URL's parts are its class' getters.
  const { username, password } = proxy as { username?: unknown; password?: unknown };
  return userinfoAuthorization(String(username ?? ''), String(password ?? ''));
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
  const cert = own(options, 'cert');
  if (cert) key += `cert=${materialDigest(cert)};`;
  const pfx = own(options, 'pfx');
  if (pfx) key += `pfx=${materialDigest(pfx)};`;
  const socket = own(options, 'socketPath');
  if (socket) key += `socket=${part(String(socket))};`;
  return key === '' ? '' : `${name}(${key})`;
}

const identities = new WeakMap<object, string>();

/** Native, and perhaps with a certificate in it: nobody else's, in no other process. */
function identityOf(context: object): string {
  const known = identities.get(context) ?? randomUUID();
  identities.set(context, known);
  return known;
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
