/** Programs of their own over the package as it is published: plain node, nothing of the tests in between. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Built } from '../support/built.js';

export type Kind = 'import' | 'require';
export const KINDS: readonly Kind[] = ['import', 'require'];

export interface Outcome {
  /** What the program returned, over JSON. */
  value: unknown;
  stderr: string;
  /** Exit code, or the signal that ended it. */
  ended: number | string | null;
}

const HEADS: Record<Kind, (built: Built) => string> = {
  import: ({ esm }) => `
    import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    import axios from 'axios';
    import * as stash from ${JSON.stringify(esm)};`,
  require: ({ cjs }) => `
    const axios = require('axios');
    const stash = require(${JSON.stringify(cjs)});`,
};

/** Long enough for a busy machine; a program that does not end by itself is ended then, which `ended` shows. */
const PATIENCE = 15_000;

/**
 * Starts a program. `body` has `axios`, `stash`, `require` and `args` at hand; what it returns is printed as JSON.
 * It must end by itself: nothing here calls process.exit().
 */
export async function start(
  built: Built,
  kind: Kind,
  body: string,
  args: object = {},
): Promise<{ child: ChildProcess; outcome: Promise<Outcome> }> {
  const file = join(built.directory, `${randomUUID()}.${kind === 'import' ? 'mjs' : 'cjs'}`);
  await writeFile(
    file,
    `${HEADS[kind](built)}
    const args = JSON.parse(process.argv[2]);
    (async () => {${body}})().then((value) => process.stdout.write(JSON.stringify(value ?? null)));`,
  );
  // As a user's program starts: not with what the test runner was started with.
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = process.env;
  const child = spawn(process.execPath, [file, JSON.stringify(args)], { env, timeout: PATIENCE });
  const outcome = new Promise<Outcome>((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const value: unknown = stdout === '' ? undefined : JSON.parse(stdout);
      resolve({ value, stderr, ended: signal ?? code });
    });
  });
  return { child, outcome };
}

export async function run(built: Built, kind: Kind, body: string, args: object = {}): Promise<Outcome> {
  const { outcome } = await start(built, kind, body, args);
  return outcome;
}
