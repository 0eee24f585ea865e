import { messageOf } from '../errors.js';

/**
 * What somebody else's code threw, if it can be looked at; else an error in its place. A proxy may throw whenever it is
 * asked for anything, even for what it is an instance of, and an error when its message is read.
 */
export function readable(thrown: unknown): unknown {
  try {
    void `${messageOf(thrown)}`;
    return thrown;
  } catch {
    return new Error('what was thrown can not be read');
  }
}
