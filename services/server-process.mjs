// A server as a child process: it must neither outlive us, however we end, nor keep us alive.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const READY_MS = 60_000;
const OUTPUT_LINES = 20;

export class ServerProcess {
  #child;
  #guard;
  #spawnError;
  #log;

  /** What it stores and prints goes into `directory`, which is removed when we die. */
  constructor(command, args, directory, logName = 'output.log') {
    this.#log = join(directory, logName);
    const output = openSync(this.#log, 'a');
    // A file, not pipes: those would keep us alive. A group of its own: Ctrl-C leaves it to stop().
    this.#child = spawn(command, args, { cwd: directory, stdio: ['ignore', output, output], detached: true });
    closeSync(output);
    this.#child.unref();
    if (this.pid === undefined) this.#spawnError = once(this.#child, 'error');
    else this.#guard = guard(this.pid, directory);
  }

  get pid() {
    return this.#child.pid;
  }

  get isRunning() {
    return this.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The last lines that it printed. */
  get output() {
    return readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-OUTPUT_LINES).join('\n');
  }

  /** Waits until `answers()` resolves with true; ends it and throws with its output if that does not come. */
  async untilReady(answers) {
    if (this.#spawnError !== undefined) throw (await this.#spawnError)[0];
    const deadline = Date.now() + READY_MS;
    while (this.isRunning && Date.now() < deadline) {
      if (await answers().catch(() => false)) return;
      await sleep(25);
    }
    const what = this.isRunning ? `did not answer within ${READY_MS / 1000} s` : 'ended before it answered';
    await this.kill();
    await this.release();
    throw new Error(`${this.#child.spawnfile} ${what}:\n${this.output}`);
  }

  signal(name) {
    if (this.isRunning) process.kill(this.pid, name);
  }

  /** SIGKILL: it has nothing to lose, and that also ends what SIGSTOP holds. */
  async kill() {
    if (!this.isRunning) return;
    this.#child.ref();
    const exited = once(this.#child, 'exit');
    this.signal('SIGKILL');
    await exited;
  }

  /** For when there is nothing left to clean up should we die. */
  async release() {
    if (this.#guard !== undefined) await releaseGuard(this.#guard);
  }
}

/**
 * A shell that waits until we die, even by SIGKILL: its input ends then. It kills the process group, and removes the
 * directory if there is one.
 */
export function guard(pid, directory = '') {
  const script =
    'while read -r _; do :; done; kill -s KILL -- "-$1" 2>/dev/null; [ -z "$2" ] || rm -rf -- "$2"';
  const shell = spawn('sh', ['-c', script, 'guard', String(pid), directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.stdin.unref();
  shell.unref();
  return shell;
}

export async function releaseGuard(shell) {
  if (shell.exitCode !== null || shell.signalCode !== null) return;
  shell.ref();
  const exited = once(shell, 'exit');
  shell.kill('SIGKILL');
  await exited;
}
