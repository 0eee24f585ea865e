// node services/run.mjs [--only redis,redis-cluster,mongodb,dynamodb] [-- COMMAND ARGUMENTS...]
// Runs the command beside real servers on free ports, told where by REDIS_URL, REDIS_CLUSTER_URLS, MONGODB_URL and
// DYNAMODB_ENDPOINT, and ends as it ends. Without a command: prints them for a shell, and stays until it is ended.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { parseArguments } from './arguments.mjs';
import { guard, releaseGuard } from './server-process.mjs';
import { installAll, start } from './servers.mjs';

const { names, command } = parseArguments(process.argv.slice(2));
// Until all runs, a signal ends us at once: what has been started has its guard.
let onSignal = (signal) => process.exit(statusOf(signal));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => onSignal(signal));

let status = 1;
const running = [];
try {
  throwAny(await installAll(names));
  throwAny(await startAll());
  const environment = Object.assign({}, ...running.map((server) => server.environment));
  status = command.length > 0 ? await runCommand(environment) : await printAndStay(environment);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
}
await Promise.all(running.map((server) => server.stop()));
process.exit(status);

function throwAny(failures) {
  if (failures.length > 0) throw new Error(failures.join('\n'));
}

async function startAll() {
  const results = await Promise.allSettled(names.map((name) => start(name)));
  running.push(...results.flatMap(({ value }) => value ?? []));
  return results.flatMap(({ reason }, at) => (reason ? [`${names[at]}: ${reason.message}`] : []));
}

async function runCommand(environment) {
  const [program, ...args] = command;
  // A group of its own, so that all that it starts can be ended; but not on a terminal, which it may want to read.
  const detached = !process.stdin.isTTY;
  const env = { ...process.env, ...environment };
  const child = spawn(program, args, { stdio: 'inherit', env, detached });
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', (code, signal) => resolve(code ?? statusOf(signal)));
  });
  if (child.pid === undefined) return ended;
  if (!detached) {
    onSignal = (signal) => signal !== 'SIGINT' && child.kill(signal); // Ctrl-C has reached it already
    return ended;
  }
  const guarding = guard(child.pid);
  onSignal = (signal) => killGroup(child.pid, signal);
  const code = await ended;
  await releaseGuard(guarding);
  killGroup(child.pid, 'SIGKILL'); // what it left behind
  return code;
}

async function printAndStay(environment) {
  const lines = Object.entries(environment).map(([name, value]) => `export ${name}='${value}'\n`);
  process.stdout.write(lines.join(''));
  const staying = setInterval(() => {}, 2 ** 30); // the servers do not keep us alive
  await new Promise((resolve) => {
    onSignal = resolve;
  });
  clearInterval(staying);
  return 0;
}

function killGroup(leader, signal) {
  try {
    process.kill(-leader, signal);
  } catch {
    // all of it has ended
  }
}

function statusOf(signal) {
  return 128 + constants.signals[signal];
}
