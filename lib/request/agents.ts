/** What an agent means for whose response it is: which user of a proxy, which connection, or what it puts into requests. */
import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { parseUrl } from '../parse-url.js';
import { basicAuthorization, userinfoAuthorization } from './credentials.js';
import { part } from './digest.js';
import { isFunction, isObject, own } from './own.js';

/**
 * Agents of known packages by the names of their classes: all that tells one user from another is read from their
 * fields. https-proxy-agent, http-proxy-agent, hpagent, socks-proxy-agent, tunnel and tunnel-agent, agentkeepalive.
 */
const KNOWN = new Set([
  'HttpProxyAgent',
  'HttpsProxyAgent',
  'SocksProxyAgent',
  'TunnelingAgent',
  'HttpAgent',
  'HttpsAgent',
]);
const SEEING = ['addRequest'];
const CONNECTING = ['createConnection', 'createSocket', 'connect', 'callback'];

/**
 * Whether an agent of unknown make is handed each request, and so may put into it what the cache can't see: the cookies
 * of a jar, a signature, a login.
 */
export function seesRequests(agent: unknown): boolean {
  return isObject(agent) && overrides(agent, SEEING) && !isKnown(agent);
}

/** Empty for an agent that makes plain connections. Each request with an agent passes here. */
export function agentUser(name: string, agent: object): string {
  const options = own(agent, 'options');
  let key = userKey(name, own(agent, 'proxy')) + userKey(name, own(agent, 'proxyOptions'));
  if (isObject(options)) key += userKey(name, own(options, 'proxy')) + environmentKey(name, options);
  const requestOptions = own(agent, 'proxyRequestOptions');
  const headers =
    own(agent, 'proxyHeaders') ?? (isObject(requestOptions) ? own(requestOptions, 'headers') : undefined);
  const sent = headersKey(headers);
  if (sent !== '') key += `${name}.headers=${part(sent)};`;
  // Where it connects to, and as whom, is code of its own.
  if (overrides(agent, CONNECTING) && !isKnown(agent)) key += `${name}.agent=${identityOf(agent)};`;
  return key;
}

function userKey(name: string, proxy: unknown): string {
  const user = proxyUser(proxy);
  return user === '' ? '' : `${name}.proxy=${part(user)};`;
}

function isKnown(agent: object): boolean {
  const made: unknown = agent.constructor;
  return isFunction(made) && KNOWN.has(made.name);
}

/** On the agent itself, or by a class other than Node's own. */
function overrides(agent: object, names: readonly string[]): boolean {
  for (let at: unknown = agent; isObject(at); at = Object.getPrototypeOf(at)) {
    if (at === Agent.prototype || at === TlsAgent.prototype || at === Object.prototype) return false;
    for (const name of names) if (Object.hasOwn(at, name)) return true;
  }
  return false;
}

/** A URL, or an object as these packages take it; empty where nobody logs in. */
function proxyUser(proxy: unknown): string {
  if (!isObject(proxy)) return '';
  // A URL's parts are its class' getters.
  const { username, userId, password, auth, proxyAuth } = proxy as Record<string, unknown>;
  const login = userinfoAuthorization(String(username ?? userId ?? ''), String(password ?? '')) ?? '';
  const given = auth ?? proxyAuth;
  const basic = typeof given === 'string' && given !== '' ? basicAuthorization(given) : '';
  return login + basic + (proxy instanceof URL ? '' : headersKey(own(proxy, 'headers')));
}

/** Of headers for a proxy: all of them, since any may be a login. */
function headersKey(headers: unknown): string {
  if (isFunction(headers)) return identityOf(headers);
  if (!isObject(headers)) return '';
  return Object.entries(headers)
    .map(([name, value]) => part(name.toLowerCase()) + part(String(value)))
    .sort()
    .join('');
}

/** Node's own way to a proxy (`proxyEnv`, from Node 24 on): URLs in variables. */
function environmentKey(name: string, options: object): string {
  const environment = own(options, 'proxyEnv');
  let key = '';
  if (!isObject(environment)) return key;
  for (const variable of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY']) {
    const url = own(environment, variable);
    const user = typeof url === 'string' ? proxyUser(parseUrl(url)) : '';
    if (user !== '') key += `${name}.${variable}=${part(user)};`;
  }
  return key;
}

const identities = new WeakMap<object, string>();

/** Of what can't be looked into, and perhaps has somebody's login in it: nobody else's, in no other process. */
export function identityOf(thing: object): string {
  const known = identities.get(thing) ?? randomUUID();
  identities.set(thing, known);
  return known;
}
