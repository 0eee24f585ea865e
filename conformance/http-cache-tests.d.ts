/** What is used of the suite, which has no types of its own. */
declare module 'http-cache-tests/tests/index.mjs' {
  const suites: import('./suite.js').Suite[];
  export default suites;
}

declare module 'http-cache-tests/client/runner.mjs' {
  export function runTests(
    suites: import('./suite.js').Suite[],
    fetch: import('./fetch.js').SuiteFetch,
    isBrowserCache: boolean,
    baseUrl: string,
  ): Promise<void>;
  export function getResults(): import('./suite.js').SuiteResults;
}

declare module 'http-cache-tests/lib/display.mjs' {
  export function determineTestResult(
    suites: import('./suite.js').Suite[],
    id: string,
    results: import('./suite.js').SuiteResults,
  ): [icon: string, colour: string, symbol: string];
}

declare module 'http-cache-tests/server/handle-config.mjs' {
  const handle: import('./origin.js').SuiteHandler;
  export default handle;
}

declare module 'http-cache-tests/server/handle-state.mjs' {
  const handle: import('./origin.js').SuiteHandler;
  export default handle;
}

declare module 'http-cache-tests/server/handle-test.mjs' {
  const handle: import('./origin.js').SuiteHandler;
  export default handle;
}
