/*
 * Writes fixtures/v<version>-*.bin: `npx tsx spec/record/write-fixtures.ts`. Run it once for a new format version;
 * the files of older versions are never written again: fixtures.spec.ts proves that they are still read.
 */
import { writeFileSync } from 'node:fs';
import { createCodec } from '../../lib/record/codec.js';
import { FORMAT_VERSION } from '../../lib/record/version.js';
import { CONFIGURATIONS, KEY, sampleIndex, sampleResponse } from './samples.js';

for (const [name, options] of CONFIGURATIONS) {
  for (const record of [sampleResponse(), sampleIndex()]) {
    const file = new URL(`fixtures/v${FORMAT_VERSION}-${name}-${record.kind}.bin`, import.meta.url);
    writeFileSync(file, await createCodec(options).encode(KEY, record), { flag: 'wx' });
  }
}
