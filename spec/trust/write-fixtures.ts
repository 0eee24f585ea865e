/**
 * What upgrades.spec.ts opens: `npx tsx spec/trust/write-fixtures.ts` writes the caches of the present formats into
 * `fixtures/v<format>`. Once a version is released its fixtures stay as they are.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import axios, { type AxiosAdapter, AxiosHeaders, type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { type CacheOptions, cacheAdapter } from '../../lib/index.js';
import { FORMAT_VERSION } from '../../lib/record/version.js';

const url = 'http://fixture.test/a';

/** One of each kind of key that an upgrade might lose. */
export const FIXTURE_REQUESTS: readonly AxiosRequestConfig[] = [
  { url },
  { url, params: { b: '2 +', a: 1 } },
  { url, headers: { Authorization: 'Bearer x' } },
  { url, headers: { 'X-Api-Key': 'x' } },
  { url: `${url}/varies`, headers: { 'Accept-Language': 'de' } },
  { url: `${url}/varies`, headers: { 'Accept-Language': 'en' } },
];

export const fixtureOrigin: AxiosAdapter = async (config) =>
  ({
    data: `${(config.method ?? 'get').toUpperCase()} ${config.url}`,
    status: 200,
    statusText: 'OK',
    headers: new AxiosHeaders(config.url?.endsWith('/varies') ? { vary: 'accept-language' } : {}),
    config,
  }) as AxiosResponse;

async function writeFixtures(): Promise<void> {
  const folder = fileURLToPath(new URL(`fixtures/v${FORMAT_VERSION}`, import.meta.url));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const options of [
    { cacheName: join(folder, 'cache.db') },
    { cacheName: join(folder, 'keyv.db'), driver: 'keyv' },
    { backend: 'filesystem', cacheName: join(folder, 'files') },
  ]) {
    const adapter = cacheAdapter({ ...options, adapter: fixtureOrigin } as CacheOptions);
    for (const request of FIXTURE_REQUESTS) await axios.request({ ...request, adapter });
    await adapter.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFixtures();
