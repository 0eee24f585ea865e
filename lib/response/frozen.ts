/** `frozen: true`: one parsed object for all hits on a record, which nobody can change. */
import type { InternalAxiosRequestConfig } from 'axios';
import { isTransformedByAxiosAlone } from '../axios.js';
import { textOf } from './body.js';
import type { BodySource } from './types.js';

/** Parsed and frozen, by the source that the hits on a hot record share; undefined: not JSON, or not an object. */
const parsed = new WeakMap<BodySource, object | undefined>();

/**
 * The shared object that stands for what axios' default transformResponse would parse; undefined where anything else
 * would happen to the body (another transform, a reviver, a responseType, text that is no JSON object).
 */
export function frozenData(source: BodySource, config: InternalAxiosRequestConfig): object | undefined {
  if (source.bodyType !== 'bytes' || !hasDefaultTransformOnly(config)) return undefined;
  if (!parsed.has(source)) parsed.set(source, parse(textOf(source)));
  return parsed.get(source);
}

/** As axios' defaults/index.js decides whether to parse. */
function hasDefaultTransformOnly(config: InternalAxiosRequestConfig): boolean {
  const { transitional, responseType, responseEncoding } = config;
  if (!isTransformedByAxiosAlone(config)) return false;
  if (Object.hasOwn(config, 'parseReviver') && Reflect.get(config, 'parseReviver') !== undefined)
    return false;
  if (responseEncoding !== undefined && responseEncoding !== 'utf8') return false;
  return responseType === 'json' || (!responseType && transitional?.forcedJSONParsing === true);
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? deepFreeze(value) : undefined;
  } catch {
    return undefined; // axios' own transform decides what invalid JSON means to this caller
  }
}

/** Iterative: JSON may nest deeper than the stack is. */
function deepFreeze(root: object): object {
  const open: object[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    Object.freeze(value);
    for (const child of Object.values(value))
      if (typeof child === 'object' && child !== null) open.push(child);
  }
  return root;
}
