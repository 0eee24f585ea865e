// All servers by name, and how one is started.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './ports.mjs';
import * as dynamodb from './servers/dynamodb.mjs';
import * as mongodb from './servers/mongodb.mjs';
import * as redis from './servers/redis.mjs';
import * as redisCluster from './servers/redis-cluster.mjs';

export const servers = { redis, 'redis-cluster': redisCluster, mongodb, dynamodb };

/** Installs for all that are named, at the same time; resolves with why for those that cannot be had. */
export async function installAll(names) {
  const results = await Promise.allSettled(names.map((name) => servers[name].install()));
  return results.flatMap(({ reason }, at) => (reason ? [`${names[at]}: ${reason.message}`] : []));
}

/** A server of our own, its data in a directory of its own. Nothing of it is left after `stop()`, or when we die. */
export async function start(name, options = {}) {
  const server = servers[name];
  const ports = await freePorts(server.portsNeeded, options.port);
  const directory = await mkdtemp(join(tmpdir(), `axios-stash-${name}-`));
  try {
    return new Running(name, options, ports, directory, await server.launch(directory, ports, options));
  } catch (error) {
    await removeDirectory(directory);
    throw error;
  }
}

class Running {
  #server;
  #options;
  #ports;
  #directory;
  #processes;

  constructor(name, options, ports, directory, processes) {
    this.name = name;
    this.#server = servers[name];
    this.#options = options;
    this.#ports = ports;
    this.#directory = directory;
    this.#processes = processes;
  }

  get url() {
    return this.#server.urlOf(this.#ports, this.#options);
  }

  get port() {
    return this.#ports[0];
  }

  get environment() {
    return { [this.#server.variable]: this.url };
  }

  get pids() {
    return this.#processes.filter((each) => each.isRunning).map((each) => each.pid);
  }

  pause() {
    for (const each of this.#processes) each.signal('SIGSTOP');
  }

  resume() {
    for (const each of this.#processes) each.signal('SIGCONT');
  }

  async kill() {
    await Promise.all(this.#processes.map((each) => each.kill()));
  }

  async restart() {
    await this.kill();
    const before = this.#processes;
    this.#processes = await this.#server.launch(this.#directory, this.#ports, this.#options);
    await Promise.all(before.map((each) => each.release()));
  }

  async stop() {
    await this.kill();
    await Promise.all(this.#processes.map((each) => each.release()));
    await removeDirectory(this.#directory);
  }
}

async function removeDirectory(directory) {
  await rm(directory, { recursive: true, force: true });
}
