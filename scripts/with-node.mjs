// Runs a script on another Node: node scripts/with-node.mjs 24 node_modules/mocha/bin/mocha.js [arguments]
// The binaries are npm packages listed in scripts/nodes (fetched when first needed); NODE24=/path/to/node overrides.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major, ...args] = process.argv.slice(2);
if (!/^\d+$/.test(major ?? '') || args.length === 0) {
  throw new Error('usage: node scripts/with-node.mjs MAJOR SCRIPT [arguments]');
}

const nodesDirectory = fileURLToPath(new URL('nodes', import.meta.url));
const packaged = `${nodesDirectory}/node_modules/node${major}-${process.platform}-${process.arch}/bin/node`;
const binary = process.env[`NODE${major}`] ?? packaged;

if (binary === packaged && !existsSync(packaged)) run('npm', ['ci', '--prefix', nodesDirectory]);
if (!existsSync(binary)) {
  throw new Error(
    `no Node ${major} for ${process.platform}-${process.arch}: set NODE${major} to a node binary`,
  );
}
const { stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
if (!stdout.startsWith(`v${major}.`)) throw new Error(`${binary} is ${stdout.trim()}, not Node ${major}`);

process.stdout.write(`node ${stdout.trim()}\n`);
run(binary, args);

function run(command, commandArguments) {
  const { status, error } = spawnSync(command, commandArguments, { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
