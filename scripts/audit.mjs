/**
 * `npm audit` of what users install: fails when something in there has a known hole. Some registries (mirrors) can't be
 * asked: that is said, and is no failure unless REQUIRE_AUDIT=1, as on GitHub.
 */
import { spawnSync } from 'node:child_process';

const { stdout, stderr } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  encoding: 'utf8',
  shell: process.platform === 'win32',
});

const report = parse(stdout);
const counts = report?.metadata?.vulnerabilities;
if (counts === undefined) {
  console.log(`npm audit: no answer from the registry: ${(report?.message ?? stderr).trim().split('\n')[0]}`);
  process.exitCode = process.env.REQUIRE_AUDIT === '1' ? 1 : 0;
} else {
  console.log(`npm audit: ${counts.total} known holes in ${report.metadata.dependencies.prod} packages`);
  for (const [name, { severity, range }] of Object.entries(report.vulnerabilities))
    console.log(`  ${name} ${range}: ${severity}`);
  process.exitCode = counts.total === 0 ? 0 : 1;
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
