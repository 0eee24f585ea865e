/** The package as it is published, built from the sources as they are now: for specs of what only the builds show. */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const require = createRequire(import.meta.url);

/** Not `dist`: that may be older than the sources, and other runs use it at the same time. */
export interface Built {
  directory: string;
  /** What `import` gets. */
  esm: string;
  /** What `require` gets. */
  cjs: string;
}

let built: Promise<Built> | undefined;

/** Built once a process. */
export function build(): Promise<Built> {
  built ??= buildNow();
  return built;
}

const modules = dirname(dirname(require.resolve('tsup/package.json')));

/** A directory below `node_modules`, from where programs in it find what we depend on; gone when the process exits. */
export async function scratchDirectory(): Promise<string> {
  const parent = join(modules, '.cache');
  await mkdir(parent, { recursive: true });
  const directory = await mkdtemp(join(parent, 'axios-stash-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function buildNow(): Promise<Built> {
  const directory = await scratchDirectory();
  const cli = join(modules, 'tsup/dist/cli-default.js');
  const options = ['--no-dts', '--no-sourcemap', '--silent', '--out-dir', directory];
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  await promisify(execFile)(process.execPath, [cli, ...options], { cwd });
  return { directory, esm: join(directory, 'index.js'), cjs: join(directory, 'index.cjs') };
}
