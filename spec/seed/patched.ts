/**
 * A process of its own, of ES modules throughout: installs a cache and asks `patched.ts URL` for things. Prints `Patched`.
 * (Mocha loads specs as CommonJS where Node can't require ES modules; then they have the other copy of axios.)
 */
import { createRequire } from 'node:module';
import axios from 'axios';
import { disabled, enabled, installCache, isInstalled, uninstallCache } from '../../lib/index.js';

export interface Patched {
  /** That this is the copy of axios that `import` gives, not the one of `require`. */
  isEsm: boolean;
  /** Whether the second of two requests came from the cache. */
  cached: Record<string, boolean | undefined>;
  isInstalled: boolean[];
  isRestored: boolean;
}

const url = process.argv[2] ?? '';
const before = axios.defaults.adapter;
const older = axios.create();

async function second(what: string, http: { get: typeof axios.get } = axios): Promise<boolean | undefined> {
  await http.get(url, { params: { what } });
  return (await http.get(url, { params: { what } })).fromCache;
}

const states = [isInstalled()];
installCache({ backend: 'memory', expireAfter: 360 });
states.push(isInstalled());
const cached: Patched['cached'] = {
  axios: await second('axios'),
  'a new instance': await second('new', axios.create()),
  'an older instance': await second('old', older),
  'inside disabled': await disabled(() => second('disabled')),
};
await uninstallCache();
states.push(isInstalled());
cached.uninstalled = await second('uninstalled');
cached['inside enabled'] = await enabled({ backend: 'memory' }, () => second('enabled'));
cached['after enabled'] = await second('after');

const outcome: Patched = {
  isEsm: createRequire(import.meta.url)('axios') !== axios,
  cached: Object.fromEntries(Object.entries(cached).map(([name, value]) => [name, value ?? false])),
  isInstalled: states,
  isRestored: axios.defaults.adapter === before,
};
process.stdout.write(JSON.stringify(outcome));
