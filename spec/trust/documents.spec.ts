/** docs/security.md and docs/reliability.md name what is there: every dependency, and a spec for each promise. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFile(join(root, path), 'utf8');

interface Manifest {
  dependencies: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

describe('the documents of trust', () => {
  it('justify every dependency, and none that is not there', async () => {
    const { dependencies, optionalDependencies = {} } = JSON.parse(await read('package.json')) as Manifest;
    const section = (await read('docs/security.md')).split('\n## Dependencies\n')[1] ?? '';
    const named = [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
    expect(named.sort()).to.deep.equal(
      [...Object.keys(dependencies), ...Object.keys(optionalDependencies)].sort(),
    );
  });

  it('name only specs that are there', async () => {
    for (const page of ['docs/security.md', 'docs/reliability.md']) {
      const text = await read(page);
      const specs = [...text.matchAll(/`(spec\/[\w./-]+\.ts)`/g)].map(([, path = '']) => path);
      const rows = [...text.matchAll(/\| `([a-z-]+)`(?:, `([a-z-]+)`)? \|$/gm)];
      for (const [, ...names] of rows) {
        for (const name of names) if (name !== undefined) specs.push(`spec/trust/${name}.spec.ts`);
      }
      expect(specs.length, page).to.be.greaterThan(4);
      for (const spec of specs) expect(existsSync(join(root, spec)), `${page}: ${spec}`).to.equal(true);
    }
  });

  it('a release is published from a workflow, with provenance, after the audit', async () => {
    const text = await read('.github/workflows/publish.yml');
    expect(text).to.include('id-token: write').and.include('npm publish --provenance');
    expect(text.indexOf('scripts/audit.mjs')).to.be.greaterThan(0).and.lessThan(text.indexOf('npm publish'));
    expect(await read('SECURITY.md')).to.match(/report/i);
  });
});
