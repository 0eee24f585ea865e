/**
 * The examples of the documentation. A block fenced as ```js run or ```ts run is a program: `console.log(x); // text`
 * must print exactly that text, and lines without such a comment may print anything. Names that a block uses and does
 * not declare are there: `url` (any page of a local origin), `axios`, `adapter` (a cache in memory), `http` (an
 * instance on it), and all exports of the package.
 */
import { readFile } from 'node:fs/promises';
import * as stash from '../../lib/index.js';

export interface Example {
  /** As in `docs/usage.md:12`. */
  name: string;
  language: 'js' | 'ts';
  code: string;
  /** What `console.log` must print, by the line of the block that prints it. */
  expected: Map<number, string>;
}

const BLOCK = /^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm;
const PRINTED = /console\.log\(.*\);\s*\/\/ (.+)$/;

/** All runnable blocks of a Markdown file. */
export async function examplesOf(file: string, name: string): Promise<Example[]> {
  const text = await readFile(file, 'utf8');
  const examples: Example[] = [];
  for (const { 1: language, 2: info = '', 3: code = '', index } of text.matchAll(BLOCK)) {
    if ((language !== 'js' && language !== 'ts') || info.trim() !== 'run') continue;
    const line = text.slice(0, index).split('\n').length;
    const expected = new Map<number, string>();
    for (const [at, source] of code.split('\n').entries()) {
      const printed = PRINTED.exec(source)?.[1];
      if (printed !== undefined) expected.set(at, printed);
    }
    examples.push({ name: `${name}:${line}`, language, code, expected });
  }
  return examples;
}

const GIVEN: readonly [string, string][] = [
  ['url', 'const url = process.env.EXAMPLE_URL as string;'],
  ['adapter', "const adapter = cacheAdapter({ backend: 'memory' });"],
  ['http', 'const http = axios.create({ adapter });'],
];

/** A module that runs the example; `library` is what stands for `axios-stash`. */
export function programOf({ code, expected }: Example, library: string): string {
  const lines = code.split('\n').map((line, at) => {
    const source = line.replaceAll("'axios-stash'", JSON.stringify(library));
    return expected.has(at) ? source.replace('console.log(', `__print(${at}, `) : source;
  });
  const body = lines.join('\n');
  const given: string[] = [];
  let used = body;
  for (const [name, declaration] of [...GIVEN].reverse()) {
    if (!isUsed(name, used) || isDeclared(name, body)) continue;
    given.unshift(declaration);
    used += declaration;
  }
  const names = Object.keys(stash).filter((name) => isUsed(name, used) && !isDeclared(name, body));
  const head = [`import { ${names.join(', ')} } from ${JSON.stringify(library)};`];
  if (isUsed('axios', used) && !isDeclared('axios', body)) head.push("import axios from 'axios';");
  head.push(
    'const __print = (line: number, ...values: unknown[]): void =>',
    '  void (globalThis as unknown as { printed: Map<number, string> }).printed.set(line, values.map(String).join(" "));',
  );
  return [...head, ...given, body].join('\n');
}

function isUsed(name: string, code: string): boolean {
  return new RegExp(`(?<![.\\w$'-])${name}(?![\\w$':-])`).test(code.replaceAll('...', ' '));
}

function isDeclared(name: string, code: string): boolean {
  const imported = `import\\s+(?:${name}\\b|[^;]*\\{[^}]*\\b${name}\\b)`;
  const declared = `(?:const|let|var|function|class)\\s+(?:${name}\\b|\\{[^}]*\\b${name}\\b)`;
  return new RegExp(`${imported}|${declared}`).test(code);
}
