import axios, {
  type AxiosAdapter,
  AxiosHeaders,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { isCurrentAxios } from '../support/axios-version.js';

/** A config as an adapter gets it from axios. */
export function configOf(fields: object = {}): InternalAxiosRequestConfig {
  return Object.assign(Object.create(null), {
    method: 'get',
    headers: new AxiosHeaders(),
    validateStatus: (status: number) => status >= 200 && status < 300,
    transitional: { silentJSONParsing: true, forcedJSONParsing: true, clarifyTimeoutError: false },
    maxContentLength: -1,
    timeout: 0,
    ...fields,
  });
}

/**
 * Whether this is the axios (or a later one) whose manners lib/response copies. Older ones differ where a spec asks for
 * this: faults since mended, and the `event` field of progress events.
 */
export const isMirrored: boolean = isCurrentAxios;

type GetAdapter = (name: string, config?: unknown) => AxiosAdapter;

/** What axios' own adapter hands over, before axios transforms it. */
export function ask(flavour: 'http' | 'fetch', config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
  return (axios.getAdapter as GetAdapter)(flavour, config)(config);
}

/** What a promise or a function rejects or throws with; fails when it does neither. */
export async function failure(attempt: (() => unknown) | Promise<unknown>): Promise<unknown> {
  try {
    await (typeof attempt === 'function' ? attempt() : attempt);
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
