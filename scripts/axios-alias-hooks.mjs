// Module hooks of axios-alias.mjs; on Node 20 they run on Node's loader thread.
let alias = 'axios';

export function initialize(name) {
  alias = name;
}

export function resolve(specifier, context, nextResolve) {
  const isAxios = specifier === 'axios' || specifier.startsWith('axios/');
  return nextResolve(isAxios ? alias + specifier.slice('axios'.length) : specifier, context);
}
