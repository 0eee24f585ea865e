/** Cacheable without explicit freshness (RFC 9110 15.1, RFC 7725 3); 206 is left out: parts are never stored. */
const HEURISTICALLY_CACHEABLE = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 451, 501]);

/** The codes of RFC 9110 15 that are final, less 206 and 304, which this cache does not store as responses. */
const UNDERSTOOD = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 305, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407,
  408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 426, 451, 500, 501, 502, 503, 504, 505,
]);

export function isHeuristicallyCacheable(status: number): boolean {
  return HEURISTICALLY_CACHEABLE.has(status);
}

/** Whether the caching requirements of the status are known here (RFC 9111 5.2.2.3). */
export function isUnderstood(status: number): boolean {
  return UNDERSTOOD.has(status);
}

/** Whether a response with this status is one that can be stored whole at all, in either mode. */
export function isWholeResponse(status: number): boolean {
  return status >= 200 && status !== 206 && status !== 304;
}
