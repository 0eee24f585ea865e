import { expect } from 'chai';
import { createCodec } from '../../lib/record/codec.js';
import { codecOptions, KEY, sampleResponse } from './samples.js';

const codec = createCodec(codecOptions({ serializer: 'json' }));

async function written(body: Buffer): Promise<string> {
  return Buffer.from(await codec.encode(KEY, sampleResponse({ body }))).toString('utf8');
}

describe("serializer: 'json'", () => {
  it('is one line of JSON that begins with version and checksum', async () => {
    const text = await written(Buffer.from('{"a":1}'));
    expect(text).to.match(/^\{"axios-stash":1,"crc32":"[0-9a-f]{8}","kind":"response",/);
    expect(text).not.to.include('\n');
    expect(JSON.parse(text)).to.include({ status: 203, body: '{"a":1}' });
  });

  it('keeps a body that is UTF-8 as text', async () => {
    for (const text of [
      '',
      'line\nline',
      'na\u00efve \ud83d\ude00',
      '\ufeffwith a BOM',
      '\0',
      '{"a":1,"a":2}',
    ]) {
      expect(JSON.parse(await written(Buffer.from(text)))).to.have.property('body', text);
    }
  });

  it('keeps a body that is not UTF-8 as base64', async () => {
    const latin1 = Buffer.from('caf\u00e9', 'latin1');
    const text = JSON.parse(await written(latin1));
    expect(text).to.have.property('bodyBase64', latin1.toString('base64'));
    expect(text).not.to.have.property('body');
  });

  it('can be queried: headers are pairs, moments numbers', async () => {
    const { headers, createdAt, request } = JSON.parse(await written(Buffer.from('x')));
    expect(headers[1]).to.deep.equal(['Set-Cookie', ['a=1; Path=/', 'b=2; HttpOnly']]);
    expect(createdAt).to.equal(1_700_000_000_000);
    expect(request.method).to.equal('POST');
  });

  it('misses a record edited by hand', async () => {
    const text = (await written(Buffer.from('x'))).replace('203', '200');
    expect(() => codec.decode(KEY, Buffer.from(text))).to.throw('checksum');
  });
});
