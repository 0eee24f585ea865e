/** New expiry for what is stored already. */
import type { Watch } from './entries/watch.js';
import { CacheOptionError } from './errors.js';
import type { Maintenance, Operation } from './maintenance.js';
import { assertExpireAfter, expiryMoment } from './policy/expiry.js';
import { DO_NOT_CACHE, type ExpireAfter } from './policy/types.js';
import type { IndexRecord, ResponseRecord } from './record/record.js';

/** Dates every readable response that is meant, and what leads to it; resolves with how many responses. */
export async function redate(
  maintenance: Maintenance,
  operation: Operation,
  expireAfter: NonNullable<ExpireAfter>,
  from: (record: ResponseRecord) => number,
  isMeant: (record: ResponseRecord) => boolean,
): Promise<number> {
  assertExpireAfter('expireAfter', expireAfter);
  if (expireAfter === DO_NOT_CACHE) {
    throw new CacheOptionError(
      'expireAfter',
      expireAfter,
      'DO_NOT_CACHE says nothing about what is stored already',
    );
  }
  return maintenance.watching((watch) =>
    redateAll(maintenance, watch, operation, expireAfter, from, isMeant),
  );
}

async function redateAll(
  maintenance: Maintenance,
  watch: Watch,
  operation: Operation,
  expireAfter: Exclude<NonNullable<ExpireAfter>, typeof DO_NOT_CACHE>,
  from: (record: ResponseRecord) => number,
  isMeant: (record: ResponseRecord) => boolean,
): Promise<number> {
  const moments = new Map<string, number | undefined>();
  const indices: { record: IndexRecord; readAt: number }[] = [];
  for await (const { key, record, readAt } of maintenance.scan(operation)) {
    if (record?.kind === 'index') indices.push({ record, readAt });
    if (record?.kind !== 'response' || !isMeant(record)) continue;
    const { expiresAt: _, ...undated } = record;
    const expiresAt = expiryMoment(expireAfter, from(record));
    const dated = expiresAt === undefined ? undated : { ...undated, expiresAt };
    const isLate = () => watch.hasChangedSince(key, readAt);
    if (await maintenance.write(dated, watch, isLate)) moments.set(key, expiresAt);
  }
  for (const { record, readAt } of indices) await redateIndex(maintenance, watch, record, readAt, moments);
  return moments.size;
}

/** An index must not expire before what it leads to. */
async function redateIndex(
  maintenance: Maintenance,
  watch: Watch,
  index: IndexRecord,
  readAt: number,
  moments: ReadonlyMap<string, number | undefined>,
): Promise<void> {
  if (!index.entries.some(({ key }) => moments.has(key))) return;
  const entries = index.entries.map((entry) => {
    if (!moments.has(entry.key)) return entry;
    const { expiresAt: _, ...undated } = entry;
    const expiresAt = moments.get(entry.key);
    return expiresAt === undefined ? undated : { ...undated, expiresAt };
  });
  await maintenance.write({ ...index, entries }, watch, () => watch.hasChangedSince(index.key, readAt));
}
