// What the install() functions share.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const SERVICES = fileURLToPath(new URL('.', import.meta.url));
export const CACHE = join(SERVICES, '.cache');

export function isOnPath(program, environment = process.env) {
  const directories = (environment.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  return directories.some((directory) => isExecutable(join(directory, program)));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a program; throws with its output when it fails. */
export async function run(program, args, options = {}) {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} failed (${code}):\n${output.trim()}`);
}

/** A build takes its time. */
export function tell(what) {
  process.stderr.write(`services: ${what}\n`);
}

/**
 * Has `build(temporary)` make `target`, unless it is there and made of the same sources. It takes the place of the old
 * one only when it is complete: others may be using that, or building the same.
 */
export async function buildOnce(target, sources, build) {
  const stamp = `${target}.sources`;
  const digest = digestOf(sources);
  if (existsSync(target) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;

  await mkdir(CACHE, { recursive: true });
  const temporary = `${target}.${process.pid}`;
  try {
    await build(temporary);
    await rm(target, { recursive: true, force: true });
    await rename(temporary, target);
    await writeFile(stamp, digest);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function digestOf(sources) {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(source)).update('\0');
  return hash.digest('hex');
}
