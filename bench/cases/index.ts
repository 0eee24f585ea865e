import type { Case, Survey } from '../harness.js';
import { bigBodyCases } from './big-body.js';
import { burstCases } from './burst.js';
import { hitCases } from './hit.js';
import { importCases } from './imports.js';
import { keyCases } from './key.js';
import { missCases } from './miss.js';
import { policyCases } from './policy.js';
import { processCases } from './processes.js';
import { redisCases } from './redis.js';
import { requestsCacheCases } from './requests-cache.js';
import { scaleCases } from './scale.js';

/** All cases, in the order in which they run. */
export const cases: readonly (Case | Survey)[] = [
  ...hitCases,
  ...redisCases,
  ...missCases,
  ...burstCases,
  ...keyCases,
  ...policyCases,
  ...bigBodyCases,
  ...scaleCases,
  ...processCases,
  ...importCases,
  ...requestsCacheCases,
];
