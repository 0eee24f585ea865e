// The order of dependence between the rooms of lib/ (see CONTRIBUTING.md). Run by `npm run check:imports`.
const typeOnly = ['type-only'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or want a third.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: typeOnly } },
    },
    {
      name: 'pure-rooms',
      comment:
        'request, policy and record import nothing of the project at run time but errors, URL parsing and their own room.',
      severity: 'error',
      from: { path: '^lib/(request|policy|record)/' },
      to: {
        path: '^lib/',
        pathNot: ['^lib/$1/', '^lib/(errors|parse-url)\\.ts$', '^lib/record/record\\.ts$'],
        dependencyTypesNot: typeOnly,
      },
    },
    {
      name: 'pure-rooms-do-no-io',
      comment:
        'No files, sockets, processes or timers in a pure room. agents.ts tells an agent by its class, and makes none.',
      severity: 'error',
      from: { path: '^lib/(request|policy|record)/', pathNot: '^lib/request/agents\\.ts$' },
      to: {
        dependencyTypes: ['core'],
        dependencyTypesNot: typeOnly,
        path: '^(node:)?(fs|http|https|http2|net|tls|dns|child_process|worker_threads|timers|sqlite)($|/)',
      },
    },
    {
      name: 'stores-know-no-http',
      comment: 'A store knows keys, bytes and expiry; not even the types of what is above it.',
      severity: 'error',
      from: { path: '^lib/stores/' },
      to: { path: '^lib/(policy|request|response|record|cli)/' },
    },
    {
      name: 'stores-stand-alone',
      severity: 'error',
      from: { path: '^lib/stores/' },
      to: {
        path: '^lib/[^/]+\\.ts$',
        pathNot: '^lib/(errors|parse-url)\\.ts$',
        dependencyTypesNot: typeOnly,
      },
    },
    {
      name: 'entries-serve-no-request',
      comment:
        'Records over a store: nothing of requests, policy or the core; of response only what a body is.',
      severity: 'error',
      from: { path: '^lib/entries/' },
      to: {
        path: '^lib/',
        pathNot: [
          '^lib/(entries|record|stores)/',
          '^lib/(errors|promises|recent)\\.ts$',
          '^lib/response/body\\.ts$',
        ],
      },
    },
    {
      name: 'response-knows-records-and-axios',
      comment: 'Types of a record, and what is taken from axios; no policy, no store.',
      severity: 'error',
      from: { path: '^lib/response/' },
      to: {
        path: '^lib/',
        pathNot: ['^lib/response/', '^lib/(errors|axios|parse-url)\\.ts$', '^lib/record/record\\.ts$'],
        dependencyTypesNot: typeOnly,
      },
    },
    {
      name: 'adapter-is-the-top',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/(index\\.ts$|patch|adapter\\.ts$|cli/)' },
      to: { path: '^lib/adapter\\.ts$', dependencyTypesNot: typeOnly },
    },
    {
      name: 'index-is-for-users',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/cli/' },
      to: { path: '^lib/index\\.ts$' },
    },
    {
      name: 'drivers-load-lazily',
      comment: 'Importing the package loads no driver.',
      severity: 'error',
      from: { path: '^lib/' },
      to: {
        path: '(^|node_modules/)(node:sqlite|better-sqlite3|sqlite3|@keyv/|mongodb|redis|@redis/|@aws-sdk/)',
        dependencyTypesNot: ['type-only', 'dynamic-import'],
      },
    },
    {
      name: 'declared-dependencies-only',
      comment: 'What lib imports at run time is a dependency of the package, not of its tests.',
      severity: 'error',
      from: { path: '^lib/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'],
        // Peers are dev dependencies too.
        dependencyTypesNot: ['type-only', 'npm-peer'],
      },
    },
    {
      name: 'lib-stands-alone',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(spec|bench|scripts|dist)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
