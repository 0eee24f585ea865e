// Preloaded with --import: from here on `axios` is the package that AXIOS_ALIAS names, for import and for require.
import Module, { createRequire } from 'node:module';
import { initialize, resolve } from './axios-alias-hooks.mjs';

const alias = process.env.AXIOS_ALIAS;
if (alias === undefined) throw new Error('AXIOS_ALIAS names no package');

if (Module.registerHooks) {
  initialize(alias);
  Module.registerHooks({ resolve });
} else {
  // Node 20: the hooks run on a thread of their own, so `data` hands the alias over...
  Module.register('./axios-alias-hooks.mjs', { parentURL: import.meta.url, data: alias });
  // ...and require() does not pass through them.
  const resolveFilename = Module._resolveFilename;
  Module._resolveFilename = function (request, ...rest) {
    const isAxios = request === 'axios' || request.startsWith('axios/');
    return resolveFilename.call(this, isAxios ? alias + request.slice('axios'.length) : request, ...rest);
  };
}

// A run on the wrong copy would prove nothing: check both ways in before any spec loads.
const require = createRequire(import.meta.url);
const wanted = require(`${alias}/package.json`).version;
const imported = (await import('axios')).VERSION;
const required = require('axios').VERSION;
if (imported !== wanted || required !== wanted) {
  throw new Error(`axios should be ${wanted}: import gives ${imported}, require ${required}`);
}
