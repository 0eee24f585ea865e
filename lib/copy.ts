/** update(): every entry of one cache among those of another. */
import { mergedIndex, variantsOf } from './indexing.js';
import type { Maintenance } from './maintenance.js';

/** What is copied replaces what is the same there; resolves with how many responses came. */
export async function copyEntries(from: Maintenance, to: Maintenance): Promise<number> {
  let count = 0;
  for await (const { record } of from.scan('update')) {
    if (record === undefined) continue;
    const isWritten = await to.run(async () => {
      const there = await to.read(record.key);
      if (there?.error?.isNewer) return false; // of a later version: not ours to replace
      const known = there?.record;
      if (record.kind === 'index')
        return to.write(known?.kind === 'index' ? mergedIndex(record, known) : record);
      // A response in an index' place answers every variant: those there would never be chosen again.
      if (known?.kind === 'index') await to.delete(variantsOf(known));
      return to.write(record);
    });
    if (isWritten && record.kind === 'response') count += 1;
  }
  await to.core.entries.trim();
  return count;
}
