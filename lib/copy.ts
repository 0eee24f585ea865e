/** update(): every entry of one cache among those of another. */
import { isSameVariant, variantsOf } from './indexing.js';
import type { Maintenance } from './maintenance.js';
import type { IndexRecord, StoreRecord } from './record/record.js';

/** What is copied replaces what is the same there; resolves with how many responses came. */
export async function copyEntries(from: Maintenance, to: Maintenance): Promise<number> {
  let count = 0;
  for await (const { record } of from.scan('update')) {
    if (record === undefined) continue;
    const isWritten = await to.run(async () => {
      const there = await to.read(record.key);
      if (there?.error?.isNewer) return false; // of a later version: not ours to replace
      const known = there?.record;
      if (record.kind === 'index') return to.write(merged(record, known));
      // A response in an index' place answers every variant: those there would never be chosen again.
      if (known?.kind === 'index') await to.delete(variantsOf(known));
      return to.write(record);
    });
    if (isWritten && record.kind === 'response') count += 1;
  }
  await to.core.entries.trim();
  return count;
}

/** The variants of both. */
function merged(index: IndexRecord, known: StoreRecord | undefined): IndexRecord {
  if (known?.kind !== 'index') return index;
  const others = known.entries.filter((old) => !index.entries.some((entry) => isSameVariant(old, entry)));
  return { ...index, entries: [...index.entries, ...others] };
}
