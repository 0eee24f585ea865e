/** One cache put to the whole suite, in a process of its own: the suite keeps its results in its modules. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { getResults, runTests } from 'http-cache-tests/client/runner.mjs';
import { fetchOver } from './fetch.js';
import { startOrigin } from './origin.js';
import { OURS, PEERS, type Profile } from './subjects.js';
import { classify, type Result, suites, suitesOf } from './suite.js';

/** How often tests that fail are tried again: they measure real seconds, and a busy machine loses some. */
const AGAIN = 2;

export interface Trial {
  subject: string;
  profile: Profile;
  results: Result[];
}

/** `ids`: these tests alone. */
export async function runTrial(
  subject: string,
  profile: Profile,
  ids: readonly string[] = [],
): Promise<Trial> {
  const child = fork(fileURLToPath(import.meta.url), [subject, profile, ...ids], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'], // the suite's server talks
  });
  return new Promise((resolve, reject) => {
    child.once('message', (results) => resolve({ subject, profile, results: results as Result[] }));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${subject}, ${profile}: ended early, code ${code}`)));
  });
}

/** A trial in which nothing fails for want of time: what `hasFailed` names is run again, with less beside it. */
export async function runPatiently(
  subject: string,
  profile: Profile,
  hasFailed: (trial: Trial) => readonly Result[],
): Promise<Trial> {
  let trial = await runTrial(subject, profile);
  for (let times = 0; times < AGAIN; times++) {
    const ids = hasFailed(trial).map(({ id }) => id);
    if (ids.length === 0) break;
    const again = await runTrial(subject, profile, ids);
    const anew = new Map(again.results.map((result) => [result.id, result]));
    const results = trial.results.map((result) =>
      ids.includes(result.id) ? (anew.get(result.id) ?? result) : result,
    );
    trial = { ...trial, results };
  }
  return trial;
}

async function main(name: string, profile: Profile, ids: readonly string[]): Promise<void> {
  const subject = [OURS, ...PEERS].find((one) => one.name === name);
  if (subject === undefined) throw new TypeError(`no subject ${name}`);
  const origin = await startOrigin();
  const chosen = ids.length === 0 ? suites : suitesOf(ids);
  await runTests(chosen, fetchOver(subject.client(profile)), profile === 'private', origin.url);
  origin.close();
  process.send?.(classify(getResults()), () => process.exit());
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(process.argv[2] ?? '', process.argv[3] as Profile, process.argv.slice(4));
}
