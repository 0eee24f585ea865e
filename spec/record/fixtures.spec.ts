import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { CacheRecordError } from '../../lib/errors.js';
import { createCodec } from '../../lib/record/codec.js';
import { FORMAT_VERSION } from '../../lib/record/version.js';
import { CONFIGURATIONS, codecOptions, KEY, sampleIndex, sampleResponse } from './samples.js';

const folder = new URL('fixtures/', import.meta.url);

describe('records written by earlier versions', () => {
  for (const file of readdirSync(folder)) {
    const [, name, kind] = /^v\d+-(.+)-(response|index)\.bin$/.exec(file) ?? [];
    const options = CONFIGURATIONS.find(([configuration]) => configuration === name)?.[1];

    if (options === undefined) {
      it(`are missed where Node can't read them: ${file}`, () => {
        expect(name).to.equal('zstd');
        const codec = createCodec(codecOptions());
        if (kind === 'response')
          expect(() => codec.decode(KEY, read(file))).to.throw(CacheRecordError, 'zstd');
      });
    } else {
      it(`are still read: ${file}`, async () => {
        const record = await createCodec(options).decode(KEY, read(file));
        expect(record).to.deep.equal(kind === 'index' ? sampleIndex() : sampleResponse());
      });
    }
  }

  it('have a fixture for every way to write the present format', () => {
    const files = readdirSync(folder);
    for (const [name] of CONFIGURATIONS) {
      expect(files).to.include(`v${FORMAT_VERSION}-${name}-response.bin`);
      expect(files).to.include(`v${FORMAT_VERSION}-${name}-index.bin`);
    }
  });

  it('are what the present version writes, bit for bit, where nothing is compressed or random', async () => {
    for (const [name, options] of CONFIGURATIONS) {
      if (options.encryptionKey !== undefined || options.compression !== false) continue;
      const bytes = await createCodec(options).encode(KEY, sampleResponse());
      const fixture = read(`v${FORMAT_VERSION}-${name}-response.bin`);
      expect(Buffer.compare(bytes, fixture), name).to.equal(0);
    }
  });
});

function read(file: string): Buffer {
  return readFileSync(new URL(file, folder));
}
