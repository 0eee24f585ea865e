/** The documentation is true: its examples run, its links lead somewhere, its tables are complete. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import ts from 'typescript';
import { DEFAULT_REDACTED } from '../lib/index.js';
import { compileUrlPattern } from '../lib/policy/patterns.js';
import { COMMON_OPTION_NAMES } from '../lib/settings.js';
import { DYNAMODB_OPTION_NAMES } from '../lib/stores/dynamodb.js';
import { FILE_OPTION_NAMES } from '../lib/stores/file.js';
import { GRIDFS_OPTION_NAMES } from '../lib/stores/gridfs.js';
import { MONGO_OPTION_NAMES } from '../lib/stores/mongo.js';
import { REDIS_OPTION_NAMES } from '../lib/stores/redis.js';
import { SQLITE_OPTION_NAMES } from '../lib/stores/sqlite.js';
import { scratchDirectory } from './support/built.js';
import { type Example, examplesOf, programOf } from './support/examples.js';
import { Origin } from './support/origin.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const library = join(root, 'lib/index.js');

const pages = ['README.md', ...(await readdir(join(root, 'docs'))).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
);
const examples = new Map<string, Example[]>();
for (const page of pages) examples.set(page, await examplesOf(join(root, page), page));

interface Outcome {
  file: string;
  printed: [number, string][];
  error?: string;
}

/** What examples may ask of `url`: JSON with a validator, below `/private` a cookie, below `/down` nothing at all. */
async function exampleOrigin(): Promise<Origin> {
  return Origin.start((request, res, raw) => {
    if (request.url.startsWith('/down')) return void raw.socket.destroy();
    res.setHeader('content-type', 'application/json');
    res.setHeader('etag', '"1"');
    if (request.url.startsWith('/private')) res.setHeader('set-cookie', 'session=1');
    if (request.headers['if-none-match'] === '"1"') return void res.writeHead(304).end();
    res.end(JSON.stringify({ path: request.url, language: request.headers['accept-language'] ?? null }));
  });
}

describe('the examples in the documentation', () => {
  let origin: Origin;
  let directory: string;
  const files = new Map<Example, string>();
  before(async () => {
    origin = await exampleOrigin();
    directory = await scratchDirectory();
    for (const example of [...examples.values()].flat()) {
      const file = join(directory, `${example.name.replace(/\W+/g, '-')}.mts`);
      await writeFile(file, programOf(example, library));
      files.set(example, file);
    }
  });
  after(() => origin.close());

  /** Runs all examples of a page in one process. */
  async function run(page: string): Promise<Map<string, Outcome>> {
    const programs = (examples.get(page) ?? []).map((example) => files.get(example) ?? '');
    const child = fork(join(root, 'spec/support/example-runner.mts'), [directory, ...programs], {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, EXAMPLE_URL: `${origin.url}/page` },
    });
    const outcomes = new Map<string, Outcome>();
    child.on('message', (outcome: Outcome) => outcomes.set(outcome.file, outcome));
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code, `${page}: the process ends by itself`).to.equal(0);
    return outcomes;
  }

  for (const [page, own] of examples) {
    if (own.length === 0) continue;
    describe(page, () => {
      let outcomes: Map<string, Outcome>;
      before(async () => {
        outcomes = await run(page);
      });
      for (const example of own) {
        it(`${example.name} runs and prints what it says`, () => {
          const outcome = outcomes.get(files.get(example) ?? '');
          expect(outcome?.error).to.equal(undefined);
          const lines = example.code.split('\n');
          const told = (printed: Iterable<[number, string]>) =>
            [...printed].sort(([a], [b]) => a - b).map(([at, text]) => `${lines[at]?.trim()} -> ${text}`);
          expect(told(outcome?.printed ?? [])).to.deep.equal(told(example.expected));
        });
      }
    });
  }

  it('are type-correct where they are TypeScript', () => {
    const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
    const typed = [...files].filter(([{ language }]) => language === 'ts').map(([, file]) => file);
    expect(typed).to.not.have.length(0);
    const program = ts.createProgram(typed, { ...options, noUnusedLocals: false });
    const messages = typed
      .flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
    expect(messages).to.deep.equal([]);
  }).timeout(60_000);
});

describe('the documentation', () => {
  const text = async (page: string) => readFile(join(root, page), 'utf8');
  /** The names in the first column of tables. */
  const named = (page: string) =>
    new Set(
      page
        .split('\n')
        .filter((line) => line.startsWith('| `'))
        .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)/g)].map(([, name]) => name)),
    );

  it('links to files and headings that are there', async () => {
    for (const page of pages) {
      for (const [, target = ''] of (await text(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [path = '', heading] = target.split('#');
        const file = path === '' ? join(root, page) : join(root, dirname(page), path);
        expect(existsSync(file), `${page}: ${target}`).to.equal(true);
        if (heading === undefined) continue;
        const headings = (await readFile(file, 'utf8'))
          .split('\n')
          .filter((line) => line.startsWith('#'))
          .map((line) =>
            line
              .replace(/^#+ /, '')
              .toLowerCase()
              .replace(/[^\w\s-]/g, '')
              .replace(/\s/g, '-'),
          );
        expect(headings, `${page}: ${target}`).to.include(heading);
      }
    }
  });

  it('lists every option of cacheAdapter, and none besides', async () => {
    const [, options = ''] = (await text('README.md')).split('\n## Options\n');
    expect([...named(options.split('\n## ')[0] ?? '')].sort()).to.deep.equal([...COMMON_OPTION_NAMES].sort());
  });

  it('says of URL patterns what they match', async () => {
    const [, section = ''] = (await text('docs/expiration.md')).split('\n## URL patterns\n');
    const rows = section.split('\n').filter((line) => /^\| `[^/]/.test(line));
    expect(rows).to.not.have.length(0);
    for (const row of rows) {
      const [, first = '', matches = '', others = ''] = row.split('|');
      const codes = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
      const urls = (cell: string) =>
        codes(cell).map((code) => (code.startsWith('/') ? `http://site.com${code}` : `http://${code}/`));
      const doesMatch = compileUrlPattern(codes(first)[0] ?? '');
      for (const url of urls(matches)) expect(doesMatch(url), `${first} ${url}`).to.equal(true);
      for (const url of urls(others)) expect(doesMatch(url), `${first} ${url}`).to.equal(false);
    }
  });

  for (const [backend, options] of [
    ['SQLite', SQLITE_OPTION_NAMES],
    ['Redis', REDIS_OPTION_NAMES],
    ['MongoDB', MONGO_OPTION_NAMES],
    ['GridFS', GRIDFS_OPTION_NAMES],
    ['DynamoDB', DYNAMODB_OPTION_NAMES],
    ['File system', FILE_OPTION_NAMES],
  ] as const) {
    it(`lists every option of the backend ${backend}`, async () => {
      const [, section = ''] = (await text('docs/backends.md')).split(`\n## ${backend}\n`);
      const names = named(section.split('\n## ')[0] ?? '');
      for (const name of ['cacheName', ...options]) expect(names, name).to.include(name);
    });
  }

  it('gives the score of the conformance run as it is expected', async () => {
    const page = await text('docs/http-caching.md');
    const expected = JSON.parse(await text('conformance/expected.json')) as Record<
      string,
      Record<string, string>
    >;
    for (const [profile, outcomes] of Object.entries(expected)) {
      const row = page.split('\n').find((line) => line.startsWith(`| ${profile} | `)) ?? '';
      const cells = [...row.matchAll(/(\d+) of (\d+)/g)].slice(0, 3);
      const sum = (at: number) => cells.reduce((total, cell) => total + Number(cell[at]), 0);
      const all = Object.values(outcomes);
      expect([sum(1), sum(2)], profile).to.deep.equal([
        all.filter((one) => one === 'pass').length,
        all.length,
      ]);
    }
  });

  it('gives the speed that the bench found, as multiples of the floor', async () => {
    const results = await text('bench/RESULTS.md');
    const cell = (section: string, row: string, at = 1): number => {
      const [, body = ''] = results.split(`\n## ${section}\n`);
      const line = (body.split('\n## ')[0] ?? '').split('\n').find((one) => one.startsWith(`| ${row}`));
      return Number(/[\d.]+/.exec(line?.split('|')[at + 1] ?? '')?.[0] ?? Number.NaN);
    };
    const subjects: [string, (size: string, floor: number) => number][] = [
      ['axios-stash, memory', (size, floor) => cell(`hit-${size}`, 'memory |') / floor],
      ['axios-stash, SQLite', (size, floor) => cell(`hit-${size}`, 'sqlite |') / floor],
      ['axios-stash, `frozen: true`', (size, floor) => cell(`hit-${size}`, 'memory frozen |') / floor],
      [
        "axios-cache-interceptor, safe (`cloneData: 'double'`)",
        (size, floor) => cell(`hit-${size}`, 'interceptor safe |') / floor,
      ],
      [
        'axios-cache-interceptor, one object for all callers',
        (size, floor) => cell(`hit-${size}`, 'interceptor shared |') / floor,
      ],
      ["undici's cache (without axios)", (size, floor) => cell(`hit-${size}`, 'undici cache |') / floor],
    ];
    const page = await text('README.md');
    for (const [name, found] of subjects) {
      const line = page.split('\n').find((one) => one.startsWith(`| ${name} |`)) ?? '';
      const given = line.split('|').slice(2, 5).map(Number);
      for (const [at, size] of ['1k', '64k', '1m'].entries()) {
        const is = found(size, cell(`hit-${size}`, 'floor |'));
        // A ratio is the median of the rounds' ratios in one place, and that of the medians in the other.
        expect(given[at], `${name}, ${size}: ${is}`).to.be.within(is * 0.95 - 0.005, is * 1.05 + 0.005);
      }
    }
  });

  it('lists the names that are redacted, and those only', async () => {
    const page = await text('docs/keys-and-privacy.md');
    const list = /`DEFAULT_REDACTED`:\n\n([\s\S]*?)\n\n/.exec(page)?.[1] ?? '';
    expect([...list.matchAll(/`([^`]+)`/g)].map(([, name]) => name)).to.deep.equal([...DEFAULT_REDACTED]);
  });
});
