/** One origin, one cache, one axios instance, and what to clean up after a spec. */
import axios, { type AxiosInstance, type CreateAxiosDefaults } from 'axios';
import {
  type AnyCacheOptions,
  type CacheAdapter,
  type CacheEvent,
  type CacheOptions,
  cacheAdapter,
  MemoryBackend,
} from '../../lib/index.js';
import { type Handler, Origin, TestClock } from './origin.js';

export interface Rig {
  origin: Origin;
  clock: TestClock;
  adapter: CacheAdapter;
  /** `baseURL` is the origin. */
  http: AxiosInstance;
  /** `error` events so far. */
  errors: CacheEvent[];
  /** Another instance over its own cache, on the same origin and clock. */
  another(
    options?: AnyCacheOptions,
    defaults?: CreateAxiosDefaults,
  ): { adapter: CacheAdapter; http: AxiosInstance };
  close(): Promise<void>;
}

/** A cache in memory over a real origin, its clock stopped. Pass `backend` for another store. */
export async function rig(
  options: AnyCacheOptions = {},
  defaults: CreateAxiosDefaults = {},
  fallback?: Handler,
): Promise<Rig> {
  const origin = await Origin.start(fallback);
  const clock = new TestClock();
  const adapters: CacheAdapter[] = [];
  const another: Rig['another'] = (more = {}, others = {}) => {
    const adapter = cacheAdapter({ backend: new MemoryBackend(), clock: clock.now, ...more } as CacheOptions);
    adapters.push(adapter);
    return { adapter, http: axios.create({ baseURL: origin.url, adapter, ...others }) };
  };
  const errors: CacheEvent[] = [];
  let own: ReturnType<Rig['another']>;
  try {
    own = another(options, defaults);
  } catch (error) {
    await origin.close(); // what is refused leaves nothing open
    throw error;
  }
  const { adapter, http } = own;
  adapter.cache.on('error', (event) => errors.push(event));
  return {
    origin,
    clock,
    adapter,
    http,
    errors,
    another,
    close: async () => {
      await Promise.all(adapters.map((one) => one.close()));
      await origin.close();
    },
  };
}
