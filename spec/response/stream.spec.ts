import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { type Captured, captureStream } from '../../lib/response/stream.js';
import { Origin } from '../support/origin.js';
import { ask, configOf, failure } from './support.js';

/** Collects what `done` is told, and fails on a second time. */
function witness() {
  const results: Captured[] = [];
  let heard: (result: Captured) => void = () => {};
  const first = new Promise<Captured>((resolve) => {
    heard = resolve;
  });
  const done = (result: Captured) => {
    results.push(result);
    heard(result);
  };
  return { results, first, done };
}

const bytesOf = (result: Captured | undefined) => (result?.complete ? Buffer.from(result.bytes) : undefined);
const limits = { maxBytes: 1 << 20 };

describe('response/stream: Node streams', () => {
  it('hands on every byte and keeps them, whatever was announced', async () => {
    const announced = fc.oneof(fc.constant('rightly'), fc.constant(undefined), fc.nat(20_000));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 2000 })),
        announced,
        async (chunks, told) => {
          const whole = Buffer.concat(chunks);
          const expected = told === 'rightly' ? whole.length : told;
          const { results, done } = witness();
          const source = Readable.from(chunks, { objectMode: false });
          const stream = captureStream(source, { ...limits, expected }, done);
          expect((await buffer(stream)).equals(whole)).to.equal(true);
          expect(results).to.have.lengthOf(1);
          expect(bytesOf(results[0])?.equals(whole)).to.equal(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('puts what was announced in one place, and holds no more than came', async () => {
    const PART = 100_000; // above what Node takes from its pool
    for (const [expected, parts] of [
      [3 * PART, 3],
      [4 * PART, 3],
      [2.5 * PART, 3],
      [PART, 1],
      [Number.NaN, 3],
      [2 ** 40, 3],
    ] as const) {
      const { results, done } = witness();
      const chunks = Array.from({ length: parts }, () => Buffer.alloc(PART, 7));
      const source = Readable.from(chunks, { objectMode: false });
      const stream = captureStream(source, { maxBytes: 2 ** 41, expected }, done);
      for await (const chunk of stream) (chunk as Buffer).fill(0); // the caller's own
      const [result] = results;
      const bytes = result?.complete ? result.bytes : undefined;
      expect(bytes && Buffer.alloc(PART * parts, 7).equals(bytes), `${expected}`).to.equal(true);
      expect(bytes?.buffer.byteLength, `${expected}`).to.equal(PART * parts);
    }
  });

  it('hands on the first byte before the second is there', async () => {
    const source = new PassThrough();
    const { results, done } = witness();
    const stream = captureStream(source, limits, done);
    source.write('first');
    const [chunk] = await once(stream, 'data');
    expect(String(chunk)).to.equal('first');
    expect(results).to.deep.equal([]);
    source.end();
    await once(stream, 'end');
    expect(String(bytesOf(results[0]))).to.equal('first');
  });

  it('does not let the caller spoil what is kept', async () => {
    const { first, done } = witness();
    const stream = captureStream(Readable.from([Buffer.from('abc')], { objectMode: false }), limits, done);
    stream.on('data', (chunk: Buffer) => chunk.fill(0));
    expect(String(bytesOf(await first))).to.equal('abc');
  });

  it('is not misled by setEncoding and unshift', async () => {
    const { results, done } = witness();
    const stream = captureStream(
      Readable.from([Buffer.from([0xff, 0xc3]), Buffer.from([0xbc])], { objectMode: false }),
      limits,
      done,
    );
    stream.setEncoding('utf8');
    await once(stream, 'readable');
    stream.unshift(stream.read(1));
    for await (const _ of stream);
    expect(bytesOf(results[0])).to.deep.equal(Buffer.from([0xff, 0xc3, 0xbc]));
  });

  it('holds the source back when the caller is slow', async () => {
    let pulled = 0;
    const source = new Readable({
      highWaterMark: 1000,
      read() {
        pulled += 1;
        this.push(pulled > 1000 ? null : Buffer.alloc(1000));
      },
    });
    const { results, done } = witness();
    const stream = captureStream(source, { maxBytes: 2_000_000 }, done);
    for (let i = 0; i < 20; i += 1) await turn();
    expect(pulled).to.be.below(10);
    expect(await buffer(stream)).to.have.lengthOf(1_000_000);
    expect(results[0]).to.have.property('complete', true);
  });

  it('keeps nothing over the limit and says so at once, while the stream goes on', async () => {
    const { results, done } = witness();
    const stream = captureStream(
      Readable.from(Array(10).fill(Buffer.alloc(100)), { objectMode: false }),
      { maxBytes: 250 },
      done,
    );
    let bytes = 0;
    for await (const chunk of stream) {
      bytes += chunk.length;
      if (bytes === 300) expect(results).to.deep.equal([{ complete: false, reason: 'too large' }]);
    }
    expect(bytes).to.equal(1000);
    expect(results).to.have.lengthOf(1);
  });

  it('keeps exactly as much as the limit', async () => {
    const { first, done } = witness();
    captureStream(
      Readable.from([Buffer.alloc(250)], { objectMode: false }),
      { maxBytes: 250 },
      done,
    ).resume();
    expect(await first).to.have.property('complete', true);
  });

  it('keeps an empty body', async () => {
    const { first, done } = witness();
    captureStream(Readable.from([], { objectMode: false }), limits, done).resume();
    expect(bytesOf(await first)).to.have.lengthOf(0);
  });

  it("hands on the source's very error", async () => {
    const source = new PassThrough();
    const { results, done } = witness();
    const stream = captureStream(source, limits, done);
    stream.resume();
    source.write('part');
    const error = new Error('broken');
    source.destroy(error);
    expect((await once(stream, 'error'))[0]).to.equal(error);
    expect(results).to.deep.equal([{ complete: false, reason: 'broken' }]);
  });

  it('hands on an error that is only emitted, as axios does on abort', async () => {
    const source = new PassThrough();
    const { results, done } = witness();
    const stream = captureStream(source, limits, done);
    const error = new Error('canceled');
    const seen = once(stream, 'error');
    source.emit('error', error);
    source.destroy();
    expect((await seen)[0]).to.equal(error);
    expect(results).to.have.lengthOf(1);
  });

  for (const error of [undefined, new Error('mine')]) {
    it(`destroys the source when the caller destroys the stream${error ? ' with an error' : ''}`, async () => {
      const source = new PassThrough();
      const { first, results, done } = witness();
      const stream = captureStream(source, limits, done);
      stream.on('error', () => {});
      source.write('part');
      stream.destroy(error);
      expect(await first).to.have.property('complete', false);
      await turn();
      expect(source.destroyed).to.equal(true);
      expect(results).to.have.lengthOf(1);
    });
  }

  it('takes text chunks of a mock adapter as UTF-8, and nothing else that is no bytes', async () => {
    const text = witness();
    expect(await captureStream(Readable.from(['grü', 'ße']), limits, text.done).toArray()).to.deep.equal([
      'grü',
      'ße',
    ]);
    expect(String(bytesOf(text.results[0]))).to.equal('grüße');
    const objects = witness();
    expect(await captureStream(Readable.from([{ a: 1 }]), limits, objects.done).toArray()).to.deep.equal([
      { a: 1 },
    ]);
    expect(objects.results[0]).to.have.property('complete', false);
  });

  it('hands on the very stream, which shows nothing of who collects', async () => {
    const source = new PassThrough();
    const keys = Object.keys(source);
    const room = source.getMaxListeners() - source.listenerCount('end');
    const stream = captureStream(source, limits, () => {});
    expect(stream).to.equal(source);
    expect(Object.keys(stream)).to.deep.equal(keys);
    expect(stream.listenerCount('error')).to.equal(0);
    expect(stream.getMaxListeners() - stream.listenerCount('end')).to.equal(room);
  });

  it('keeps what came before it was captured, untouched', async () => {
    for (const objectMode of [true, false]) {
      const { results, done } = witness();
      const source = new Readable({ objectMode, read() {} });
      source.push(Buffer.from('be'));
      source.push(Buffer.from('fore, '));
      const stream = captureStream(source, limits, done);
      expect(Readable.isDisturbed(stream)).to.equal(false);
      source.push('and after');
      source.push(null);
      expect(await new Response(stream as never).text()).to.equal('before, and after');
      expect(String(bytesOf(results[0]))).to.equal('before, and after');
    }
  });

  it('does not keep the rest of what was read, or destroyed, before it came', async () => {
    const read = Readable.from([Buffer.from('first'), Buffer.from('rest')], { objectMode: false });
    await once(read, 'readable');
    expect(String(read.read(2))).to.equal('fi');
    const ofRead = witness();
    expect((await buffer(captureStream(read, limits, ofRead.done))).length).to.equal(7);
    expect(ofRead.results).to.have.lengthOf(1);
    expect(ofRead.results[0]).to.have.property('complete', false);
    const ofDestroyed = witness();
    captureStream(new PassThrough().destroy(), limits, ofDestroyed.done);
    expect(ofDestroyed.results[0]).to.have.property('complete', false);
  });

  it('keeps text as the bytes that the stream makes of it', async () => {
    for (const [given, encoding] of [
      ['c3bc', 'hex'],
      ['ü', undefined],
    ] as const) {
      const { results, done } = witness();
      const source = new Readable({ read() {} });
      const stream = captureStream(source, limits, done);
      source.push(given, encoding);
      source.push(null);
      expect(String(await buffer(stream))).to.equal('ü');
      expect(String(bytesOf(results[0]))).to.equal('ü');
    }
    const { results, done } = witness();
    const latin = new Readable({ encoding: undefined, defaultEncoding: 'latin1', read() {} } as object);
    const stream = captureStream(latin, limits, done);
    latin.push('ü');
    latin.push(null);
    const handedOn = await buffer(stream);
    expect(bytesOf(results[0])).to.deep.equal(handedOn);
  });

  it('does not keep what came with an error, or ended in name only', async () => {
    const failed = witness();
    const source = new Readable({ read() {} });
    captureStream(source, limits, failed.done).on('error', () => {});
    source.push('part');
    source.emit('error', undefined);
    source.push(null);
    source.resume();
    await once(source, 'end');
    expect(failed.results).to.deep.equal([{ complete: false, reason: 'undefined' }]);
    const named = witness();
    const mock = captureStream(new Readable({ read() {} }), limits, named.done);
    mock.emit('data', Buffer.from('part'));
    mock.emit('end');
    expect(named.results).to.deep.equal([{ complete: false, reason: 'incomplete' }]);
  });

  it('does not keep what comes decoded', async () => {
    const source = new PassThrough().setEncoding('latin1');
    const { results, done } = witness();
    const stream = captureStream(source, limits, done);
    source.end(Buffer.from([0xfc]));
    expect(await stream.toArray()).to.deep.equal(['ü']);
    expect(results[0]).to.have.property('complete', false);
  });
});

describe('response/stream: real responses', () => {
  let origin: Origin;
  const body = Buffer.alloc(300_000, 'abc');
  before(async () => {
    origin = await Origin.start();
    origin
      .on('/plain', (_req, res) => void res.end(body))
      .on('/gzip', (_req, res) => {
        res.setHeader('content-encoding', 'gzip');
        res.end(gzipSync(body));
      })
      .on('/cut', (_req, res) => {
        res.writeHead(200, { 'content-length': '1000' });
        res.write('part', () => res.destroy());
      })
      .on('/cut-chunked', (_req, res) => {
        res.write('part', () => res.destroy());
      })
      .on('/cut-gzip', (_req, res) => {
        res.setHeader('content-encoding', 'gzip');
        res.write(gzipSync(body).subarray(0, 100), () => res.destroy());
      });
  });
  after(() => origin.close());

  const stream = (flavour: 'http' | 'fetch', path: string) =>
    ask(flavour, configOf({ url: origin.url + path, responseType: 'stream' }));

  for (const path of ['/plain', '/gzip']) {
    it(`http: keeps ${path}`, async () => {
      const { results, done } = witness();
      const { data } = await stream('http', path);
      expect((await buffer(captureStream(data as Readable, limits, done))).equals(body)).to.equal(true);
      expect(bytesOf(results[0])?.equals(body)).to.equal(true);
    });
    it(`fetch: keeps ${path}`, async () => {
      const { results, done } = witness();
      const { data } = await stream('fetch', path);
      const copy = await new Response(captureStream(data as ReadableStream, limits, done)).arrayBuffer();
      expect(body.equals(Buffer.from(copy))).to.equal(true);
      expect(bytesOf(results[0])?.equals(body)).to.equal(true);
    });
  }

  for (const path of ['/cut', '/cut-chunked', '/cut-gzip']) {
    it(`http: does not keep ${path}, and fails as axios does`, async () => {
      const theirs = await failure(buffer((await stream('http', path)).data as Readable));
      const { results, done } = witness();
      const ours = await failure(
        buffer(captureStream((await stream('http', path)).data as Readable, limits, done)),
      );
      expect(ours).to.include({
        message: (theirs as Error).message,
        code: (theirs as { code?: string }).code,
      });
      expect(results).to.have.lengthOf(1);
      expect(results[0]).to.have.property('complete', false);
    });
    it(`fetch: does not keep ${path}`, async () => {
      const { results, done } = witness();
      const { data } = await stream('fetch', path);
      await failure(new Response(captureStream(data as ReadableStream, limits, done)).arrayBuffer());
      expect(results).to.have.lengthOf(1);
      expect(results[0]).to.have.property('complete', false);
    });
  }

  it('keeps the fields of an http response on its stream', async () => {
    const source = (await stream('http', '/plain')).data as IncomingMessage;
    const ours = captureStream(source, limits, () => {}) as IncomingMessage;
    for (const name of [
      'statusCode',
      'statusMessage',
      'headers',
      'rawHeaders',
      'req',
      'socket',
      'responseUrl',
      'complete',
      'trailers',
    ] as const) {
      expect(Reflect.get(ours, name), name).to.deep.equal(Reflect.get(source, name));
    }
    ours.resume();
    await once(ours, 'end');
    expect(ours.complete).to.equal(true);
  });

  it('keeps an empty body that nobody reads', async () => {
    origin.on('/empty', (_req, res) => void res.writeHead(204).end());
    const { results, done } = witness();
    captureStream((await stream('http', '/empty')).data as Readable, limits, done);
    expect(bytesOf(results[0])).to.have.lengthOf(0);
  });

  it('tells of a response that was aborted', async () => {
    const ours = captureStream((await stream('http', '/cut')).data as Readable, limits, () => {});
    ours.on('error', () => {}).resume();
    await once(ours, 'aborted');
  });
});

describe('response/stream: web streams', () => {
  const from = (chunks: unknown[]) =>
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });

  it('does not let the caller spoil what is kept', async () => {
    const { results, done } = witness();
    const reader = captureStream(from([new Uint8Array([1, 2])]), limits, done).getReader();
    (await reader.read()).value.fill(0);
    await reader.read();
    expect(bytesOf(results[0])).to.deep.equal(Buffer.from([1, 2]));
  });

  it('reads nothing ahead of the caller', async () => {
    let pulled = 0;
    const source = new ReadableStream(
      { pull: (controller) => controller.enqueue(new Uint8Array([pulled++])) },
      { highWaterMark: 0 },
    );
    const reader = captureStream(source, limits, () => {}).getReader();
    for (let i = 0; i < 5; i += 1) await turn();
    expect(pulled).to.equal(0);
    await reader.read();
    expect(pulled).to.equal(1);
    await reader.cancel();
  });

  it("cancels the source with the caller's reason", async () => {
    let reason: unknown;
    const { results, done } = witness();
    const source = new ReadableStream({
      cancel(given) {
        reason = given;
      },
    });
    await captureStream(source, limits, done).cancel('enough');
    expect(reason).to.equal('enough');
    await turn();
    expect(results).to.deep.equal([{ complete: false, reason: 'cancelled' }]);
  });

  it("hands on the source's very error, and notices it before the caller reads", async () => {
    const error = new Error('broken');
    const { results, done } = witness();
    let fail = (): void => {};
    const source = new ReadableStream({
      start(controller) {
        fail = () => controller.error(error);
      },
    });
    const stream = captureStream(source, limits, done);
    fail();
    await turn();
    expect(results).to.deep.equal([{ complete: false, reason: 'broken' }]);
    expect(await failure(stream.getReader().read())).to.equal(error);
  });

  it('tells of an error also who waits for the end without reading', async () => {
    let fail = (_error: Error): void => {};
    const source = new ReadableStream({
      start(controller) {
        fail = (error) => controller.error(error);
      },
    });
    const { closed } = captureStream(source, limits, () => {}).getReader();
    const error = new Error('broken');
    fail(error);
    expect(await failure(closed)).to.equal(error);
  });

  it('drops what is over the limit and goes on', async () => {
    const { results, done } = witness();
    const stream = captureStream(from([new Uint8Array(10), new Uint8Array(10)]), { maxBytes: 15 }, done);
    expect((await new Response(stream).arrayBuffer()).byteLength).to.equal(20);
    expect(results).to.deep.equal([{ complete: false, reason: 'too large' }]);
  });

  it('hands on what is no bytes and does not keep it', async () => {
    const { results, done } = witness();
    const reader = captureStream(from([{ a: 1 }]), limits, done).getReader();
    expect((await reader.read()).value).to.deep.equal({ a: 1 });
    expect(results[0]).to.have.property('complete', false);
  });

  it('stays a byte stream where the source is one', async () => {
    const { results, done } = witness();
    const source = new Response('abcdef').body;
    if (source === null) throw new Error('no body');
    const reader = captureStream(source, limits, done).getReader({ mode: 'byob' });
    let text = '';
    for (;;) {
      const step = await reader.read(new Uint8Array(4));
      if (step.value) text += Buffer.from(step.value);
      if (step.done) break;
    }
    expect(text).to.equal('abcdef');
    expect(String(bytesOf(results[0]))).to.equal('abcdef');
  });
});
