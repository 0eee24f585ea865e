import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildOnce, CACHE, isOnPath, run, SERVICES, tell } from '../installing.mjs';
import { isMongodb } from '../probes.mjs';
import { ServerProcess } from '../server-process.mjs';

export const variable = 'MONGODB_URL';
export const defaultPort = 27017;
export const portsNeeded = 1;

const sourceDirectory = join(SERVICES, 'mongodb');
const binary = join(CACHE, 'ferretdb');

export async function install() {
  const sources = ['go.mod', 'go.sum', 'main.go'].map((name) => join(sourceDirectory, name));
  await buildOnce(binary, sources, async (temporary) => {
    if (!isOnPath('go'))
      throw new Error('go is not on PATH: install Go 1.22 or newer, which builds FerretDB');
    tell('building FerretDB, which takes a few minutes the first time');
    await run('go', ['build', '-o', temporary, '.'], { cwd: sourceDirectory });
  });
}

export function missing() {
  return existsSync(binary) ? undefined : 'FerretDB is not built (node services/install.mjs)';
}

export function urlOf([port]) {
  return `mongodb://127.0.0.1:${port}/`;
}

export function answers(port) {
  return isMongodb(port);
}

export async function launch(directory, [port]) {
  const server = new ServerProcess(binary, [`127.0.0.1:${port}`, directory], directory);
  await server.untilReady(() => isMongodb(port));
  return [server];
}
