// mocha's spec reporter, plus one plain closing line that a script can read: `N passed, N failed, N skipped`.
const { reporters } = require('mocha');

const GRACE_MS = 10_000;

module.exports = class PlainClosingLine extends reporters.Spec {
  epilogue() {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    process.stdout.write(`${passes} passed, ${failures} failed, ${pending} skipped\n`);
    failIfStillAlive();
  }
};

/** mocha waits for whatever keeps the process alive: a server, socket or timer that a spec or the library left open. */
function failIfStillAlive() {
  const timer = setTimeout(() => {
    const kept = process.getActiveResourcesInfo().filter((name) => !/^(TTYWrap|PipeWrap)$/.test(name));
    process.stderr.write(`the specs have ended, but something keeps the process alive: ${kept.join(', ')}\n`);
    // mocha's own listener sets the number of failures, which is 0 here; the last to set it wins.
    process.on('exit', () => {
      process.exitCode = 1;
    });
    process.exit();
  }, GRACE_MS);
  timer.unref();
}
