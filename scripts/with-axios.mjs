// Runs mocha with another axios: node scripts/with-axios.mjs axios-oldest [mocha arguments]
// The alias packages (axios-oldest, axios-newest) are devDependencies. lib and specs both get that copy.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const [alias, ...mochaArguments] = process.argv.slice(2);
if (alias === undefined) throw new Error('usage: node scripts/with-axios.mjs ALIAS [mocha arguments]');
process.stdout.write(`axios ${require(`${alias}/package.json`).version} (${alias})\n`);

// NODE_OPTIONS, not --import: mocha forks, and so do specs; each of those processes must have the same copy.
const preload = `--import=${new URL('axios-alias.mjs', import.meta.url).href}`;
const { status } = spawnSync(process.execPath, [require.resolve('mocha/bin/mocha.js'), ...mochaArguments], {
  stdio: 'inherit',
  env: {
    ...process.env,
    AXIOS_ALIAS: alias,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${preload}`.trim(),
  },
});
process.exitCode = status ?? 1;
