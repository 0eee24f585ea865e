/**
 * node scripts/mutate.mjs [FILE...]: flips each comparison, logical operator and boolean in lib/policy, one at a time,
 * and runs spec/policy for it. Prints what no spec minds, and fails if there is such a thing. Not in CI: it takes some
 * minutes. FILE: names in lib/policy, without .ts.
 *
 * All mutants are built at once, each behind its number, so that one only costs a run of the specs, ended by the first
 * that fails. They run in a process of their own, since some never end.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import Mocha from 'mocha';
import ts from 'typescript';

const SPECS = fileURLToPath(new URL('../spec/policy/', import.meta.url));
const SCRATCH_ROOT = fileURLToPath(new URL('../node_modules/', import.meta.url));

/** A mutant that takes longer runs for ever, which is as good as failing. */
const PATIENCE = 30_000;

/** By operator: what stands in for it. */
const INSTEAD = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '&&': ['||'],
  '||': ['&&'],
};

/** Known to change nothing that can be seen: `file: text of the line, as is -> instead`, and why. */
const EQUIVALENT = new Map(
  Object.entries(JSON.parse(readFileSync(new URL('mutate-equivalent.json', import.meta.url)))),
);

/** The source with a call in place of each operator, which asks whether its mutant is the one at work. */
function instrument(path, mutants) {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const name = basename(path, '.ts');
  const note = (node, is, instead) => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    const text = source.text.split('\n')[line]?.trim() ?? '';
    mutants.push({ file: name, line: line + 1, what: `${name}: ${text} | ${is} -> ${instead}` });
    return mutants.length - 1;
  };
  const inner = (node) => {
    let text = '';
    let at = node.getStart();
    node.forEachChild((child) => {
      text += source.text.slice(at, child.getStart()) + rewrite(child);
      at = child.end;
    });
    return text + source.text.slice(at, node.end);
  };
  const rewrite = (node) => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node))
      return node.getText();
    if (ts.isBinaryExpression(node)) {
      const is = node.operatorToken.getText();
      const instead = INSTEAD[is];
      if (instead !== undefined) {
        const numbers = instead.map((other) => note(node.operatorToken, is, other));
        const [left, right] = [rewrite(node.left), rewrite(node.right)];
        return `globalThis.__mutant.binary([${numbers}],'${is}',()=>(${left}),()=>(${right}))`;
      }
    }
    if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
      return `globalThis.__mutant.not(${note(node, '!', 'nothing')},${rewrite(node.operand)})`;
    }
    if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) {
      const is = node.getText();
      return `globalThis.__mutant.flip(${note(node, is, is === 'true' ? 'false' : 'true')},${is})`;
    }
    return inner(node);
  };
  return rewrite(source);
}

const OPERATORS = {
  '<': (a, b) => a() < b(),
  '<=': (a, b) => a() <= b(),
  '>': (a, b) => a() > b(),
  '>=': (a, b) => a() >= b(),
  '===': (a, b) => a() === b(),
  '!==': (a, b) => a() !== b(),
  '&&': (a, b) => a() && b(),
  '||': (a, b) => a() || b(),
};

async function bundle(into) {
  const mutants = [];
  await build({
    stdin: {
      contents: readdirSync(SPECS)
        .filter((name) => name.endsWith('.spec.ts'))
        .map((name) => `import './${name}';`)
        .join('\n'),
      resolveDir: SPECS,
    },
    outfile: into,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    ignoreAnnotations: true, // package.json says that files have no side effects, which specs have
    logLevel: 'error',
    plugins: [
      {
        name: 'mutants',
        setup({ onLoad }) {
          onLoad({ filter: /lib[/\\]policy[/\\][^/\\]+\.ts$/ }, ({ path }) => ({
            contents: instrument(path, mutants),
            loader: 'ts',
          }));
        },
      },
    ],
  });
  return mutants;
}

/** In the process of its own: runs the specs for one number after another, -1 for none. */
function work(file) {
  const require = createRequire(import.meta.url);
  let active = -1;
  globalThis.__mutant = {
    binary(numbers, is, left, right) {
      const at = numbers.indexOf(active);
      return OPERATORS[at < 0 ? is : INSTEAD[is][at]](left, right);
    },
    not: (number, value) => (number === active ? Boolean(value) : !value),
    flip: (number, value) => (number === active ? !value : value),
  };
  process.setMaxListeners(0); // each run of mocha adds some
  process.on('message', (number) => {
    active = number;
    delete require.cache[file];
    const mocha = new Mocha({ bail: true, reporter: 'min', timeout: PATIENCE });
    const silent = process.stdout.write;
    process.stdout.write = () => true;
    const done = (failures) => {
      process.stdout.write = silent;
      process.send(mocha.suite.total() === 0 ? -1 : failures);
    };
    try {
      mocha.addFile(file);
      mocha.run(done);
    } catch {
      done(1); // the specs could not so much as be loaded
    }
  });
}

/** Failures of a mutant; `Infinity`: it never ends. */
function runner(file) {
  let child;
  return {
    run: (number) =>
      new Promise((resolve) => {
        child ??= fork(fileURLToPath(import.meta.url), ['--work', file]);
        const over = (failures) => {
          clearTimeout(timer);
          child?.removeAllListeners();
          if (failures === Number.POSITIVE_INFINITY) {
            child?.kill('SIGKILL');
            child = undefined;
          }
          resolve(failures);
        };
        const timer = setTimeout(() => over(Number.POSITIVE_INFINITY), PATIENCE);
        child.once('message', over);
        child.once('exit', () => over(Number.POSITIVE_INFINITY));
        child.send(number);
      }),
    end: () => child?.kill(),
  };
}

async function main(wanted) {
  const scratch = mkdtempSync(join(SCRATCH_ROOT, '.mutate-'));
  const file = join(scratch, 'specs.cjs');
  try {
    const mutants = await bundle(file);
    const specs = runner(file);
    if ((await specs.run(-1)) !== 0) throw new Error('the specs fail as they are');
    let ran = 0;
    let known = 0;
    const survivors = [];
    for (const [number, { file: name, line, what }] of mutants.entries()) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      if (EQUIVALENT.has(what)) {
        known += 1;
        continue;
      }
      ran += 1;
      if ((await specs.run(number)) !== 0) continue;
      survivors.push(what);
      console.log(`survives: ${name}.ts:${line}: ${what}`);
    }
    specs.end();
    console.log(`${ran} mutants, ${survivors.length} survive; ${known} known to be equivalent were left out`);
    process.exitCode = survivors.length > 0 ? 1 : 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (process.argv[2] === '--work') work(process.argv[3]);
else await main(process.argv.slice(2));
