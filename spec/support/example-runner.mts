/** Runs examples one after another, each in an empty directory, and tells the parent what came of it. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

console.log = () => {};

const directory = process.argv[2] ?? tmpdir();
for (const file of process.argv.slice(3)) {
  const printed = new Map<number, string>();
  Object.assign(globalThis, { printed });
  process.chdir(await mkdtemp(join(directory, 'cwd-')));
  let error: string | undefined;
  try {
    await import(pathToFileURL(file).href);
  } catch (reason) {
    error = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  }
  process.send?.({ file, printed: [...printed], error });
}
process.disconnect?.();
