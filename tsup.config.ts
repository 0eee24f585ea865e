import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['lib/index.ts'],
  format: ['esm', 'cjs'],
  target: 'node20.19',
  platform: 'node',
  dts: true,
  clean: true,
  shims: true, // import.meta.url in the CommonJS build, for createRequire
  skipNodeModulesBundle: true, // optional drivers are no dependency that tsup knows of
  removeNodeProtocol: false, // there is no `sqlite` without its `node:`
  sourcemap: true,
  splitting: false,
});
