/** The copies of axios that patching is specified on, each with the axios-stash that goes with it. */
import { createRequire } from 'node:module';
import axios, { type AxiosAdapter, type AxiosResponse, type AxiosStatic } from 'axios';
import { expect } from 'chai';
import * as stash from '../../lib/index.js';
import { build } from '../support/built.js';
import { Origin } from '../support/origin.js';

const require = createRequire(import.meta.url);

export interface Copy {
  axios: AxiosStatic;
  stash: typeof stash;
}

export const esmCopy: Copy = { axios, stash };
/** What a program of CommonJS gets: other code, other defaults, and state of its own. */
const cjsAxios = require('axios') as AxiosStatic;

/** One bench a copy: an origin, and the promise that each spec leaves axios as it found it. */
export interface Bench extends Copy {
  origin: Origin;
  url: string;
}

/** Runs the same specs on the copy that `import` gives and on the one that `require` gives. */
export function describeOnBoth(title: string, specs: (bench: Bench) => void): void {
  describe(`${title} (import)`, () => {
    specs(prepare(async () => esmCopy));
  });
  describe(`${title} (require)`, () => {
    specs(prepare(async () => ({ axios: cjsAxios, stash: require((await build()).cjs) as typeof stash })));
  });
}

function prepare(load: () => Promise<Copy>): Bench {
  const bench = {} as Bench;
  let original: unknown;
  before(async () => {
    Object.assign(bench, await load());
    original = bench.axios.defaults.adapter;
  });
  beforeEach(async () => {
    bench.origin = await Origin.start();
    bench.url = bench.origin.url;
  });
  afterEach(async () => {
    await bench.stash.uninstallCache();
    await bench.origin.close();
    const left = bench.axios.defaults.adapter;
    bench.axios.defaults.adapter = original as AxiosAdapter; // a spec that fails here fails alone
    expect(left).to.equal(original);
    expect(bench.stash.isInstalled()).to.equal(false);
  });
  return bench;
}

/** Where responses came from; `past`: from no cache of ours, for then nothing is said of it. */
export function sources(...responses: AxiosResponse[]): string[] {
  const names = new Map<unknown, string>([
    [true, 'cache'],
    [false, 'network'],
    [undefined, 'past'],
  ]);
  return responses.map(({ fromCache }) => names.get(fromCache) ?? `fromCache: ${String(fromCache)}`);
}

/** The same request twice, one after the other. */
export async function twice(get: () => Promise<AxiosResponse>): Promise<string[]> {
  return sources(await get(), await get());
}

/** Something to wait for and somebody to say that it has come. */
export function gate(): { open(): void; opened: Promise<void> } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}
