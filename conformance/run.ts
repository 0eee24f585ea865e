/**
 * npm run conformance [-- --update] [--alone] [--verbose]
 * Puts this cache and two others to the tests of http-cache-tests, on loopback. Fails when a test that passed before
 * fails, or when a required or optimal one fails and exclusions.json does not say why. --update: what is found becomes
 * what is expected. --alone: without the others. --verbose: every test of ours that does not pass.
 */
import { parseArgs } from 'node:util';
import { compare, readExclusions, readExpected, writeExpected } from './expectations.js';
import { line, scores } from './report.js';
import { OURS, PEERS, PROFILES } from './subjects.js';
import { runPatiently, runTrial, type Trial } from './trial.js';

const { values: options } = parseArgs({
  options: {
    update: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

const exclusionOf = await readExclusions();
let expected = await readExpected();
const subjects = options.alone ? [OURS] : [OURS, ...PEERS];
// The suite mostly waits, so all of them run at the same time.
const trials = await Promise.all(
  PROFILES.flatMap((profile) =>
    subjects.map(({ name }) =>
      name === OURS.name
        ? runPatiently(name, profile, (trial) => {
            const { broken, unexplained } = compare(trial, expected, exclusionOf);
            return [...new Set([...broken, ...unexplained])];
          })
        : runTrial(name, profile),
    ),
  ),
);
const own = trials.filter(({ subject }) => subject === OURS.name);
if (options.update) {
  await writeExpected(own);
  expected = await readExpected();
}

// What is out of our reach is so by our own contract: it says nothing about the others.
const isExcluded = (trial: Trial, id: string): boolean =>
  trial.subject === OURS.name && exclusionOf(trial, id) !== undefined;
const out: string[] = [scores(trials, isExcluded)];
let isBroken = false;
for (const trial of own) {
  const { broken, changed, unexplained, needless } = compare(trial, expected, exclusionOf);
  isBroken ||= broken.length > 0 || unexplained.length > 0;
  const lists = {
    'passed before, not now': broken,
    'fails, and exclusions.json does not say why': unexplained,
    'otherwise than expected (--update)': changed,
    'passes: needs no exclusion': needless,
    'does not pass': options.verbose ? trial.results.filter(({ outcome }) => outcome !== 'pass') : [],
  };
  for (const [title, results] of Object.entries(lists))
    if (results.length > 0) out.push(`${trial.profile}: ${title}`, ...results.map(line));
}
process.stdout.write(`${out.join('\n')}\n`);
process.exitCode = isBroken ? 1 : 0;
