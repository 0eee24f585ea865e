import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, createCluster, type RedisClientType } from 'redis';

/** A client of the spec's own, which looks at what the store does. */
export type Raw = RedisClientType;

export async function openRaw(url: string): Promise<Raw> {
  const client: Raw = createClient({ url });
  client.on('error', () => {});
  await client.connect();
  return client;
}

export function clusterClient(urls: string) {
  const rootNodes = urls.split(',').map((url) => ({ url }));
  return createCluster({ rootNodes }).on('error', () => {});
}

/** A namespace that nobody else has on the shared server. */
export function freshName(): string {
  return `stash-spec-${randomBytes(8).toString('hex')}`;
}

/** The names on the server that start so. */
export async function namesUnder(raw: Raw, prefix: string): Promise<string[]> {
  const names = new Set<string>();
  // Looked for here and not by the server: prefixes have glob characters in them.
  for await (const page of raw.scanIterator({ COUNT: 1000 })) {
    for (const name of page) if (name.startsWith(prefix)) names.add(name);
  }
  return [...names].sort();
}

export async function wipe(raw: Raw, prefix: string): Promise<void> {
  const names = await namesUnder(raw, prefix);
  if (names.length > 0) await raw.unlink(names);
}

/** Waits until `condition` holds; fails after `limit` ms. */
export async function until(
  what: string,
  condition: () => unknown | Promise<unknown>,
  limit = 10_000,
): Promise<void> {
  const end = performance.now() + limit;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${limit} ms: ${what}`);
    await sleep(10);
  }
}

/** How long a call takes, whether it goes well or ill; ms. */
export async function timeOf(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call().catch(() => {});
  return performance.now() - start;
}

/** The keys that the list of a URL names, as text. */
export async function listIn(raw: Raw, name: string): Promise<string[]> {
  const lines = ((await raw.get(name)) ?? '').split('\n').slice(1, -1);
  return lines.map((line) => line.slice(0, line.indexOf(' ')));
}
