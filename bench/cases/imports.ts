/** What importing the package costs over importing axios, and that it loads no driver. */
import { ok } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { AXIOS, COMMONJS_BUILD, ESM_BUILD } from '../built.js';
import { estimate, type Figure, type Survey } from '../harness.js';

/** From where programs find axios. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MOST_MS = 30;

/** `import` or `require`, as programs. */
interface Way {
  name: string;
  /** node's `--input-type`. */
  type: 'module' | 'commonjs';
  axios: string;
  /** Its exports go to a variable `stash`. */
  stash: string;
}

const ways: Way[] = [
  {
    name: 'import',
    type: 'module',
    axios: "await import('axios');",
    stash: `const stash = await import(${JSON.stringify(ESM_BUILD.href)});`,
  },
  {
    name: 'require',
    type: 'commonjs',
    axios: `require(${JSON.stringify(AXIOS)});`,
    stash: `const stash = require(${JSON.stringify(COMMONJS_BUILD)});`,
  },
];

export const importCases: Survey[] = [
  {
    name: 'import',
    what: 'processes that import axios, then this package; CPU time, and wall time beside it',
    async survey(_scratch, { isSmoke }) {
      const seen = ways.map((way) => ({ way, readings: [] as Reading[] }));
      for (let round = 0; round < (isSmoke ? 2 : 15); round++) {
        for (const { way, readings } of seen) readings.push(await read(way));
      }
      // Else none would be found because none can be.
      for (const way of ways)
        ok((await read(way, USE)).drivers > 0, `${way.name}: a driver in use is not seen`);
      return seen.flatMap(({ way, readings }) => figuresOf(way, readings));
    },
  },
];

/**
 * Of one process, since the differences between two are larger than what the package takes. Times in ms: from the start
 * until axios was there, and from then until the package was.
 */
interface Reading {
  axios: { cpu: number; wall: number };
  stash: { cpu: number; wall: number };
  /** How many packages of drivers are loaded with the package; `node:sqlite` counts as one. */
  drivers: number;
}

function figuresOf({ name }: Way, readings: readonly Reading[]): Figure[] {
  const median = (what: 'axios' | 'stash', time: 'cpu' | 'wall'): number =>
    estimate(readings.map((reading) => reading[what][time])).median;
  const drivers = Math.max(...readings.map((reading) => reading.drivers));
  return [
    { name: `${name}: node and axios`, value: median('axios', 'cpu'), unit: 'ms' },
    { name: `${name}: node and axios, wall`, value: median('axios', 'wall'), unit: 'ms' },
    { name: `${name}: over axios itself`, value: median('stash', 'cpu'), unit: 'ms', atMost: MOST_MS },
    { name: `${name}: over axios itself, wall`, value: median('stash', 'wall'), unit: 'ms' },
    { name: `${name}: drivers loaded`, value: drivers, unit: '', atMost: 0 },
  ];
}

/** A use of the package, for which it loads a driver. */
const USE = "stash.cacheAdapter({ cacheName: ':memory:' });";

const DRIVERS = String.raw`[\\/]node_modules[\\/](@aws-sdk|@keyv|@redis|better-sqlite3|mongodb|redis|sqlite3)[\\/]`;

/** CommonJS packages that ESM has imported are in that cache too, and all drivers come down to such. */
const FUNCTIONS = `
const now = () => ({ ...process.cpuUsage(), at: performance.now() });
const between = (a, b) => ({ cpu: (b.user + b.system - a.user - a.system) / 1000, wall: b.at - a.at });
const START = { user: 0, system: 0, at: 0 };
const drivers = () => {
  const { cache } = process.getBuiltinModule('node:module').createRequire(${JSON.stringify(ROOT)});
  const found = Object.keys(cache).flatMap((path) => new RegExp(${JSON.stringify(DRIVERS)}).exec(path)?.[1] ?? []);
  return new Set(found).size + (process.moduleLoadList.includes('NativeModule sqlite') ? 1 : 0);
};`;

async function read({ type, axios, stash }: Way, use = ''): Promise<Reading> {
  const program = `${FUNCTIONS}
    ${axios} const withAxios = now();
    ${stash} const withStash = now();
    ${use}
    process.stdout.write(JSON.stringify({
      axios: between(START, withAxios), stash: between(withAxios, withStash), drivers: drivers()
    }));`;
  const options = [`--input-type=${type}`, '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, options, { cwd: ROOT });
  return JSON.parse(stdout) as Reading;
}
