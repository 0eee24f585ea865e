/** Counters since the cache was made. */
export interface CacheStats {
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

export function newStats(): CacheStats {
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
