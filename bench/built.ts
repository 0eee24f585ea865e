/**
 * The package as users run it: built. Through tsx each closure of the sources would cost a hit some tens of nanoseconds
 * (esbuild's helper that keeps their names).
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as Source from '../lib/index.js';

/** Where `npm run bench` has put the build. */
export const ESM_BUILD = new URL('../node_modules/.cache/bench/index.js', import.meta.url);
export const COMMONJS_BUILD = fileURLToPath(new URL('index.cjs', ESM_BUILD));

const built = (await import(ESM_BUILD.href)) as typeof Source;

export const { cacheAdapter, MemoryBackend, SQLiteBackend } = built;
export type { CacheAdapter, CacheOptions, Store, StoreMeta } from '../lib/index.js';

/** axios as CommonJS sees it, for what measures imports. */
export const AXIOS = createRequire(import.meta.url).resolve('axios');
