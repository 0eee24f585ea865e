/** The parts of a config that change which bytes come back, besides what is sent. */
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
  return isObject(agent) ? optionsKey(name, own(agent, 'options')) : '';
}

/** Unverified TLS, a client certificate and a socket make it another origin, or another user. */
function optionsKey(name: string, options: unknown): string {
  if (!isObject(options)) return '';
  let key = '';
  if (own(options, 'rejectUnauthorized') === false) key += 'insecure;';
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
