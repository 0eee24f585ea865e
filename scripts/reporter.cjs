// mocha's spec reporter, plus one plain closing line that a script can read: `N passed, N failed, N skipped`.
const { reporters } = require('mocha');

module.exports = class PlainClosingLine extends reporters.Spec {
  epilogue() {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    process.stdout.write(`${passes} passed, ${failures} failed, ${pending} skipped\n`);
  }
};
