/** Counters since the cache was made. */
export interface CacheCounters {
  hits: number;
  misses: number;
  /** Expired responses served. */
  stale: number;
  /** 304 answers. */
  revalidated: number;
  stored: number;
  /** Requests that were answered by another's network call. */
  coalesced: number;
  bypassed: number;
  errors: number;
  bytesServed: number;
  bytesStored: number;
}

/** What `adapter.cache.stats()` tells: the counters, and the memory in use now. */
export interface CacheStats extends CacheCounters {
  /** Bytes of decoded records in memory, as `hotBytes` bounds them. */
  hotBytes: number;
  /** Bytes of keys kept in mind, at most an eighth of `hotBytes` and 4 MiB. */
  memoBytes: number;
}

export function newCounters(): CacheCounters {
  return {
    hits: 0,
    misses: 0,
    stale: 0,
    revalidated: 0,
    stored: 0,
    coalesced: 0,
    bypassed: 0,
    errors: 0,
    bytesServed: 0,
    bytesStored: 0,
  };
}
