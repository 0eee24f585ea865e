/** What policy takes of a plain hit: is it fresh, does the request want it, how old is it. */
import { deepEqual } from 'node:assert/strict';
import { ageHeader } from '../../lib/policy/age.js';
import { decideReuse } from '../../lib/policy/reuse.js';
import type { PolicySettings, RequestView, StoredView } from '../../lib/policy/types.js';
import type { Case, Subject } from '../harness.js';

const NOW = Date.UTC(2026, 0, 1);

const SETTINGS: PolicySettings = {
  cacheControl: false,
  shared: false,
  allowableCodes: undefined,
  staleIfError: false,
  staleWhileRevalidate: false,
  alwaysRevalidate: false,
  onlyIfCached: false,
};

const STORED: StoredView = {
  status: 200,
  headers: [
    ['Date', new Date(NOW).toUTCString()],
    ['Content-Type', 'application/json'],
    ['Content-Length', '1024'],
    ['Cache-Control', 'public, max-age=3600, stale-while-revalidate=60'],
    ['ETag', '"abcdef"'],
    ['Vary', 'Accept-Encoding'],
  ],
  createdAt: NOW,
  requestTime: NOW,
  responseTime: NOW,
  expiresAt: NOW + 3_600_000,
};

export const policyCases: Case[] = [
  {
    name: 'policy',
    what: 'the decision about a plain hit, and its Age (in microseconds, at most 3)',
    limits: [],
    async open() {
      return {
        subjects: [
          subject("by the user's expiry", SETTINGS, {}),
          subject('by RFC 9111', { ...SETTINGS, cacheControl: true }, {}),
          subject(
            'by RFC 9111, with directives',
            { ...SETTINGS, cacheControl: true },
            {
              'cache-control': 'max-age=600, min-fresh=5',
            },
          ),
        ],
        async close() {},
      };
    },
  },
];

function subject(name: string, settings: PolicySettings, headers: Record<string, string>): Subject {
  const decide = (now: number): unknown => {
    const request: RequestView = { method: 'GET', headers };
    const reuse = decideReuse(STORED, request, settings, now);
    if (settings.cacheControl) ageHeader(STORED, now);
    return reuse;
  };
  return {
    name,
    run: (n) => decide(NOW + (n % 1000)),
    async prove() {
      deepEqual(decide(NOW), { action: 'serve', fresh: true });
    },
  };
}
