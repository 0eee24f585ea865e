import { isOnPath, run, tell } from '../installing.mjs';
import { isRedis } from '../probes.mjs';
import { ServerProcess } from '../server-process.mjs';

export const variable = 'REDIS_URL';
export const defaultPort = 6379;
export const portsNeeded = 1;

let installed;

/** Once a process: the cluster asks for the same. */
export function install() {
  installed ??= installNow();
  return installed;
}

async function installNow() {
  if (isOnPath('redis-server')) return;
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) {
    throw new Error(
      'redis-server is not on PATH: install Redis 6.2 or newer (Debian: apt-get install redis-server)',
    );
  }
  tell('installing redis-server');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = ['-o', 'DPkg::Lock::Timeout=300'];
  await run('apt-get', [...options, 'update'], { env });
  await run('apt-get', [...options, 'install', '-y', '--no-install-recommends', 'redis-server'], { env });
}

export function missing(environment) {
  return isOnPath('redis-server', environment) ? undefined : 'redis-server is not on PATH';
}

export function urlOf([port], { password } = {}) {
  const user = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  return `redis://${user}127.0.0.1:${port}`;
}

export function answers(port) {
  return isRedis(port);
}

export async function launch(directory, [port], { password }) {
  const secret = password === undefined ? [] : ['--requirepass', password];
  const server = new ServerProcess('redis-server', [...argumentsFor(port), ...secret], directory);
  await server.untilReady(() => isRedis(port, password));
  return [server];
}

export function argumentsFor(port) {
  const inMemory = ['--save', '', '--appendonly', 'no'];
  return ['--bind', '127.0.0.1', '--port', `${port}`, ...inMemory];
}
