import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildOnce, CACHE, isOnPath, run, SERVICES, tell } from '../installing.mjs';
import { isDynamodb } from '../probes.mjs';
import { ServerProcess } from '../server-process.mjs';

export const variable = 'DYNAMODB_ENDPOINT';
export const defaultPort = 8000;
export const portsNeeded = 1;

const pom = join(SERVICES, 'dynamodb/pom.xml');
const jars = join(CACHE, 'dynamodb');

export async function install() {
  if (!isOnPath('java'))
    throw new Error('java is not on PATH: install Java 17 or newer, which runs DynamoDB Local');
  await buildOnce(jars, [pom], async (temporary) => {
    if (!isOnPath('mvn')) throw new Error('mvn is not on PATH: install Maven, which fetches DynamoDB Local');
    tell('fetching DynamoDB Local');
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${temporary}`];
    await run('mvn', ['--batch-mode', '--quiet', '--file', pom, ...goal]);
  });
}

export function missing(environment) {
  if (!existsSync(jars)) return 'DynamoDB Local is not fetched (node services/install.mjs)';
  return isOnPath('java', environment) ? undefined : 'java is not on PATH';
}

export function urlOf([port]) {
  return `http://127.0.0.1:${port}`;
}

export function answers(port) {
  return isDynamodb(urlOf([port]));
}

// Little memory and the quick compiler: it is here for minutes.
const JAVA = ['-Xmx256m', '-XX:TieredStopAtLevel=1', `-Djava.library.path=${jars}`, '-cp', join(jars, '*')];
const LOCAL = ['software.amazon.dynamodb.services.local.main.ServerRunner', '-inMemory', '-disableTelemetry'];

export async function launch(directory, [port]) {
  const server = new ServerProcess('java', [...JAVA, ...LOCAL, '-port', `${port}`], directory);
  await server.untilReady(() => answers(port));
  return [server];
}
