import { expect } from 'chai';
import { type HeadEffect, headEffect } from '../../lib/policy/head.js';
import { fields } from './views.js';

describe('What a HEAD says of a stored GET (RFC 9111 4.3.5)', () => {
  const all = { ETag: '"1"', 'Last-Modified': 'then', 'Content-Length': '4' };
  const rows: [stored: Record<string, string>, head: Record<string, string>, effect: HeadEffect][] = [
    [all, all, 'updates'],
    [all, { etag: '"1"' }, 'updates'],
    [all, { 'last-modified': 'then' }, 'updates'],
    [all, { 'content-length': '4' }, 'updates'],
    [all, { ...all, ETag: '"2"' }, 'outdates'],
    [all, { ...all, ETag: 'W/"1"' }, 'outdates'],
    [all, { ...all, 'Last-Modified': 'now' }, 'outdates'],
    [all, { ...all, 'Content-Length': '5' }, 'outdates'],
    [{}, { etag: '"1"' }, 'outdates'],
    [{}, { 'last-modified': 'then' }, 'outdates'],
    // it may have come in chunks
    [{}, { 'content-length': '4' }, 'none'],
    [{ etag: '"1"' }, { etag: '"1"', 'content-length': '4' }, 'updates'],
    [all, {}, 'none'],
    [all, { 'cache-control': 'max-age=1' }, 'none'],
  ];
  for (const [stored, head, effect] of rows) {
    it(`${effect}: ${JSON.stringify(head)} of ${JSON.stringify(stored)}.`, () => {
      expect(headEffect(fields(stored), fields(head))).to.equal(effect);
    });
  }
});
