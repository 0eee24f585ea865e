/** One cache put to the whole suite, in a process of its own: the suite keeps its results in its modules. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { getResults, runTests } from 'http-cache-tests/client/runner.mjs';
import { fetchOver } from './fetch.js';
import { startOrigin } from './origin.js';
import { OURS, PEERS, type Profile } from './subjects.js';
import { classify, type Result, suites } from './suite.js';

export interface Trial {
  subject: string;
  profile: Profile;
  results: Result[];
}

export async function runTrial(subject: string, profile: Profile): Promise<Trial> {
  const child = fork(fileURLToPath(import.meta.url), [subject, profile], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'], // the suite's server talks
  });
  return new Promise((resolve, reject) => {
    child.once('message', (results) => resolve({ subject, profile, results: results as Result[] }));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${subject}, ${profile}: ended early, code ${code}`)));
  });
}

async function main(name: string, profile: Profile): Promise<void> {
  const subject = [OURS, ...PEERS].find((one) => one.name === name);
  if (subject === undefined) throw new TypeError(`no subject ${name}`);
  const origin = await startOrigin();
  await runTests(suites, fetchOver(subject.client(profile)), profile === 'private', origin.url);
  origin.close();
  process.send?.(classify(getResults()), () => process.exit());
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(process.argv[2] ?? '', process.argv[3] as Profile);
}
