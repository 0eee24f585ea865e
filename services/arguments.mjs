import { servers } from './servers.mjs';

/** `--only NAMES`, and what follows `--`. Anything else: prints how it is used, and exits. */
export function parseArguments(args) {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const names = namesOf(args.slice(0, end));
  if (names === undefined) {
    const only = `[--only ${Object.keys(servers).join(',')}]`;
    process.stderr.write(`usage: node services/install.mjs ${only}\n`);
    process.stderr.write(`       node services/run.mjs ${only} [-- COMMAND ARGUMENTS...]\n`);
    process.exit(2);
  }
  return { names, command: args.slice(end + 1) };
}

function namesOf(options) {
  if (options.length === 0) return Object.keys(servers);
  const [option, list = ''] = options;
  const names = list.split(',');
  const isFine = option === '--only' && options.length === 2 && names.every((name) => name in servers);
  return isFine ? names : undefined;
}
