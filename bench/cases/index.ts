import type { Case } from '../harness.js';
import { hitCases } from './hit.js';
import { keyCases } from './key.js';
import { missCases } from './miss.js';
import { policyCases } from './policy.js';

/** All cases, in the order in which they run. */
export const cases: readonly Case[] = [...hitCases, ...missCases, ...keyCases, ...policyCases];
