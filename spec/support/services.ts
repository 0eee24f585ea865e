/**
 * Real servers for the specs of remote stores:
 *
 *     const redis = await findService('redis');
 *     describeService(redis, 'RedisBackend', (url) => { ... });
 *
 * The server of the environment (REDIS_URL, REDIS_CLUSTER_URLS, MONGODB_URL, DYNAMODB_ENDPOINT; none: without it), else
 * the one on its default port, else one that is started for this process. It is shared: use names of your own in it.
 */
import { isDynamodb } from '../../services/probes.mjs';
import {
  type RunningServer,
  type ServerName,
  type StartOptions,
  servers,
  start,
} from '../../services/servers.mjs';

export type ServiceName = ServerName;
export type PrivateServer = RunningServer;
export type PrivateServerOptions = StartOptions;

export interface FoundService {
  name: ServiceName;
  /** For the cluster: those of some nodes, comma separated. */
  url: string;
}

export interface MissingService {
  name: ServiceName;
  /** Why there is none. */
  missing: string;
}

export type Service = FoundService | MissingService;

const CONNECT_MS = 2000;
const ANSWER_MS = 5000;
/** A server that someone named is expected to be there: on a busy machine it may only be slow. */
const ATTEMPTS = 3;

const found = new WeakMap<NodeJS.ProcessEnv, Map<ServiceName, Promise<Service>>>();

/** Looked for once a process. */
export function findService(
  name: ServiceName,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Service> {
  const known = found.get(environment) ?? new Map<ServiceName, Promise<Service>>();
  found.set(environment, known);
  const service = known.get(name) ?? lookFor(name, environment);
  known.set(name, service);
  return service;
}

/** `describe`, with the server's URL; without a server one test that is pending, or fails if REQUIRE_SERVICES is 1. */
export function describeService(service: Service, title: string, body: (url: string) => void): void {
  describe(title, () => {
    if ('url' in service) return body(service.url);
    const reason = `needs ${service.name}: ${service.missing}`;
    if (!isRequired()) return void it(reason);
    it(reason, () => {
      throw new Error(reason);
    });
  });
}

/**
 * A server that only the caller has, to be paused, killed and restarted; `stop()` it in the end. `undefined` where it
 * cannot be started here, or an error if REQUIRE_SERVICES is 1.
 */
export async function startPrivate(
  name: ServiceName,
  options: PrivateServerOptions = {},
): Promise<PrivateServer | undefined> {
  const reason = servers[name].missing(process.env);
  if (reason === undefined) return start(name, options);
  if (isRequired()) throw new Error(`needs ${name}: ${reason}`);
  return undefined;
}

function isRequired(): boolean {
  return process.env.REQUIRE_SERVICES === '1';
}

async function lookFor(name: ServiceName, environment: NodeJS.ProcessEnv): Promise<Service> {
  const { variable, defaultPort, ...server } = servers[name];
  const given = environment[variable];
  if (given === 'none') return { name, missing: `${variable} is none` };
  if (given !== undefined && given !== '') {
    let silence: string | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      silence = await silenceOf(name, given);
      if (silence === undefined) break;
    }
    return silence === undefined
      ? { name, url: given }
      : { name, missing: `${variable} is set, but ${silence}` };
  }
  if (defaultPort !== undefined && (await server.answers(defaultPort).catch(() => false))) {
    return { name, url: server.urlOf([defaultPort]) };
  }
  const cannotStart = server.missing(environment);
  if (cannotStart !== undefined) {
    const elsewhere = defaultPort === undefined ? '' : `, none answers on port ${defaultPort}`;
    return { name, missing: `${variable} is not set${elsewhere}, ${cannotStart}` };
  }
  try {
    return { name, url: (await start(name)).url };
  } catch (error) {
    return { name, missing: messageOf(error) };
  }
}

/** Why a server that someone named is of no use, if so. */
async function silenceOf(name: ServiceName, url: string): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not answer within ${ANSWER_MS} ms`)), ANSWER_MS);
  });
  try {
    await Promise.race([ASK[name](url), silence]);
    return undefined;
  } catch (error) {
    return messageOf(error);
  } finally {
    clearTimeout(timer);
  }
}

// By the drivers, loaded only here: such a URL may ask for TLS, a user, several hosts.
const ASK: Record<ServiceName, (url: string) => Promise<void>> = {
  redis: (url) => askRedis(url, async (send) => void (await send(['PING']))),
  'redis-cluster': async (urls) => {
    for (const url of urls.split(',')) {
      await askRedis(url, async (send) => {
        const info = String(await send(['CLUSTER', 'INFO']));
        if (!info.includes('cluster_state:ok')) throw new Error('the cluster is not whole');
      });
    }
  },
  mongodb: askMongodb,
  dynamodb: async (endpoint) => {
    if (!(await isDynamodb(endpoint))) throw new Error('what answers there is not DynamoDB');
  },
};

async function askRedis(
  url: string,
  ask: (send: (command: string[]) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const { createClient } = await import('redis');
  const client = createClient({ url, socket: { connectTimeout: CONNECT_MS, reconnectStrategy: false } });
  client.on('error', () => {}); // it also rejects
  // Later than our own answer is given, so that its reason is told.
  const giveUp = setTimeout(() => client.destroy(), 2 * ANSWER_MS).unref();
  try {
    await client.connect();
    await ask((command) => client.sendCommand(command));
  } finally {
    clearTimeout(giveUp);
    if (client.isOpen) client.destroy();
  }
}

async function askMongodb(url: string): Promise<void> {
  const { MongoClient } = await import('mongodb');
  const timeouts = {
    serverSelectionTimeoutMS: CONNECT_MS,
    connectTimeoutMS: CONNECT_MS,
    socketTimeoutMS: ANSWER_MS,
  };
  const client = new MongoClient(url, timeouts);
  try {
    await client.db().command({ ping: 1 });
  } finally {
    await client.close();
  }
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
