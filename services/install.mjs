// node services/install.mjs [--only redis,redis-cluster,mongodb,dynamodb]
// Installs and builds what the servers need: at once when all is there.
import { parseArguments } from './arguments.mjs';
import { installAll } from './servers.mjs';

const failures = await installAll(parseArguments(process.argv.slice(2)).names);
process.stderr.write(failures.map((failure) => `${failure}\n`).join(''));
process.exitCode = failures.length === 0 ? 0 : 1;
