/** What the specs of the seed's rows share. `A..` in their names is the row of the feature table they stand for. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { AxiosError, AxiosResponse, CreateAxiosDefaults } from 'axios';
import { expect } from 'chai';
import type { AnyCacheOptions } from '../../lib/index.js';
import { type Rig, rig } from '../support/harness.js';
import type { Handler, Origin } from '../support/origin.js';

/** A spec body with a rig of its own, cleaned up whatever happens. */
export function using(options: AnyCacheOptions, body: (rig: Rig) => Promise<void>): () => Promise<void> {
  return async () => {
    const own = await rig(options);
    try {
      await body(own);
    } finally {
      await own.close();
    }
  };
}

/** A spec body with a directory of its own, removed afterwards. */
export function inDirectory(body: (directory: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'axios-stash-seed-'));
    try {
      await body(directory);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  };
}

export function answer(body: string, headers: Record<string, string> = {}, status = 200): Handler {
  return (_req, res) => {
    res.writeHead(status, headers);
    res.end(body);
  };
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<AxiosError> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as AxiosError;
  }
  expect.fail(`expected a rejection, got ${String(value)}`);
}

/** For how many seconds from now a response is fresh; `never`: for ever. */
export function secondsLeft(response: AxiosResponse, now: number): number | 'never' {
  expect(response.cacheKey, 'stored').to.be.a('string');
  return response.expires === undefined ? 'never' : (response.expires.getTime() - now) / 1000;
}

/** Lets any URL, of whatever host and scheme, be answered by the one origin: real requests without real names. */
export function reaching(origin: Origin, options: https.AgentOptions = {}): CreateAxiosDefaults {
  const port = Number(new URL(origin.url).port);
  const createConnection = (): Socket => connect(port, '127.0.0.1');
  return {
    baseURL: '',
    proxy: false,
    httpAgent: Object.assign(new http.Agent(), { createConnection }),
    httpsAgent: Object.assign(new https.Agent(options), { createConnection }),
  };
}

const run = promisify(execFile);
/** This repository's own, wherever the program lies. */
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** What a program prints as JSON, run in a process of its own. */
export async function inProcess<T>(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<T> {
  const env = { ...process.env, ...options.env };
  const { stdout } = await run(process.execPath, ['--import', tsx, program, ...args], {
    ...options,
    env,
  });
  return JSON.parse(stdout) as T;
}

/** The program beside these specs with this name. */
export function programPath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
