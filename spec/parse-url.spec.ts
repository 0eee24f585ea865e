import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { isUrl, parseUrl } from '../lib/parse-url.js';

const ASKED_OFTEN = 200_000;
const lib = fileURLToPath(new URL('../lib/', import.meta.url));

describe('URLs', () => {
  it('with a letter between U+0080 and U+00FF are URLs, however often they are asked about', () => {
    // URL.canParse comes to deny it on Node 20 and 22, once its caller is optimised.
    for (const url of ['https://müller.de/', 'https://user:pw@example.org/é']) {
      let denied = 0;
      for (let asked = 0; asked < ASKED_OFTEN; asked++) if (!isUrl(url)) denied += 1;
      expect(denied).to.equal(0);
      expect(parseUrl(url)?.protocol).to.equal('https:');
    }
  });

  it('are none where URL takes none', () => {
    expect([isUrl('/path'), isUrl(''), isUrl('https://[')]).to.deep.equal([false, false, false]);
    expect(parseUrl('/path')).to.equal(undefined);
    expect(parseUrl('/path', 'http://a.org')?.href).to.equal('http://a.org/path');
  });

  it('are asked about nowhere by URL.canParse or URL.parse', () => {
    const users = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && /URL\.(canParse|parse)\(/.test(readFileSync(`${lib}${file}`, 'utf8')),
    );
    expect(users).to.deep.equal([]);
  });
});
