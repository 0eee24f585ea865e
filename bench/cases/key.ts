/** The key of a simple GET: the first time, and again. */
import { equal, notEqual } from 'node:assert/strict';
import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { finalUrl } from '../../lib/axios.js';
import { Keyer } from '../../lib/request/key.js';
import { snapshotRequest } from '../../lib/request/snapshot.js';
import type { Case, Subject } from '../harness.js';

export const keyCases: Case[] = [
  {
    name: 'key',
    what: 'snapshot and key of a simple GET',
    // In microseconds, 5 and 1: what a machine makes of it is not judged here.
    limits: [],
    async open() {
      return {
        subjects: [
          subject('first', (n) => `https://api.example.org/users/${n}?page=1`),
          subject('again', () => 'https://api.example.org/users/1?page=1'),
        ],
        async close() {},
      };
    },
  },
];

function subject(name: string, urlOf: (n: number) => string): Subject {
  const keyer = new Keyer({ ignoredParameters: [], matchHeaders: false });
  const headers = new AxiosHeaders({ Accept: 'application/json, text/plain, */*' });
  const keyOf = (url: string): unknown => {
    const config: InternalAxiosRequestConfig = { method: 'get', url, headers };
    return keyer.keyOf(snapshotRequest(config, finalUrl(config)));
  };
  return {
    name,
    run: (n) => keyOf(urlOf(n)),
    async prove() {
      equal(typeof keyOf(urlOf(1)), 'string');
      equal(keyOf(urlOf(1)), keyOf(urlOf(1)));
      notEqual(keyOf('https://a.example/'), keyOf('https://b.example/'));
    },
  };
}
