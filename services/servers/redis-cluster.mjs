import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../installing.mjs';
import { isRedis, redisCommand } from '../probes.mjs';
import { ServerProcess } from '../server-process.mjs';
import { argumentsFor } from './redis.mjs';

export { answers, install, missing } from './redis.mjs';

export const variable = 'REDIS_CLUSTER_URLS';
export const defaultPort = undefined;
export const portsNeeded = 3; // masters: fewer make no cluster

export function urlOf(ports) {
  return ports.map((port) => `redis://127.0.0.1:${port}`).join(',');
}

export async function launch(directory, ports) {
  const isNew = !existsSync(configuration(directory, ports[0]));
  const nodes = ports.map((port) => launchNode(directory, port));
  try {
    await Promise.all(nodes.map((node, at) => node.untilReady(() => isRedis(ports[at]))));
    if (isNew) await create(ports);
    await Promise.all(nodes.map((node, at) => node.untilReady(() => isWhole(ports[at]))));
    return nodes;
  } catch (error) {
    await Promise.all(nodes.map((node) => node.kill()));
    await Promise.all(nodes.map((node) => node.release()));
    throw error;
  }
}

/** Written by the node, which knows its cluster from it after a restart. */
function configuration(directory, port) {
  return join(directory, `${port}.conf`);
}

function launchNode(directory, port) {
  const cluster = ['--cluster-enabled', 'yes', '--cluster-config-file', configuration(directory, port)];
  return new ServerProcess('redis-server', [...argumentsFor(port), ...cluster], directory, `${port}.log`);
}

async function create(ports) {
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes']);
}

async function isWhole(port) {
  return (await redisCommand(port, 'CLUSTER INFO')).includes('cluster_state:ok');
}
