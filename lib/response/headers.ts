/** Header fields between their stored form, what adapters hand over and what callers get. */
import { AxiosHeaders } from '../axios.js';
import type { HeaderList } from '../record/record.js';

/** Ready-made headers, to be copied. */
export interface HeaderTemplate {
  // So written, the type is one in CommonJS too.
  headers: InstanceType<typeof AxiosHeaders>;
  /** Names whose values are arrays, which each caller needs a copy of. */
  lists: readonly string[];
}

/** Where what is made of a record's headers is kept, as long as the record is hot; `once`: they were made once. */
export interface HeaderMemo {
  template?: HeaderTemplate | 'once';
}

/**
 * The caller's own AxiosHeaders, as the inner adapter made them. With a memo, of which there is one for each list.
 * Copying ready-made headers onto empty ones takes a tenth of the constructor's time, which looks for each name
 * among those already set; the copy has the same own properties in the same order. Where a record is decoded for each
 * hit the first time is the only one: a template is made the second time.
 */
export function buildHeaders(list: HeaderList, memo?: HeaderMemo): AxiosHeaders {
  if (memo?.template === undefined) {
    if (memo !== undefined) memo.template = 'once';
    return normalHeaders(list) ?? instantiate(templateOf(list));
  }
  if (memo.template === 'once') memo.template = templateOf(list);
  return instantiate(memo.template);
}

function instantiate({ headers, lists }: HeaderTemplate): AxiosHeaders {
  const own = Object.assign(new AxiosHeaders(), headers);
  for (const name of lists) {
    const value: unknown = own[name];
    if (Array.isArray(value)) own[name] = [...value];
  }
  return own;
}

/**
 * Spares axios normalizing headers that are normal: on each response it does so twice (transformData.js, before each
 * transform and at the end), which takes a seventh of a hit. Only for headers from `buildHeaders` that nobody touches in
 * between, so where axios' own transform is the only one. An own method, not to be seen in enumerations, stands before
 * the class's for these two calls and is gone then; a call with a format it leaves to the class's.
 */
export function spareNormalizing(headers: AxiosHeaders): void {
  if (Object.hasOwn(headers, 'normalize')) return; // an origin that sends a header of that name
  Object.defineProperty(headers, 'normalize', BEFORE_TRANSFORM);
}

type Normalize = AxiosHeaders['normalize'];

const AT_THE_END: Normalize = function atTheEnd(this: AxiosHeaders, format) {
  delete (this as { normalize?: Normalize }).normalize;
  return format ? this.normalize(format) : this;
};

const BEFORE_TRANSFORM: PropertyDescriptor = {
  configurable: true,
  writable: true,
  enumerable: false,
  value: function beforeTransform(this: AxiosHeaders, format: boolean) {
    if (format) return AT_THE_END.call(this, format);
    this.normalize = AT_THE_END;
    return this;
  },
};

function templateOf(list: HeaderList): HeaderTemplate {
  const normal = normalHeaders(list);
  if (normal !== undefined) return { headers: normal, lists: [] };
  const headers = new AxiosHeaders(Object.fromEntries(list)).normalize(false);
  return { headers, lists: Object.keys(headers).filter((name) => Array.isArray(headers[name])) };
}

/** Of fields as Node's parser hands them over, which need nothing of what the constructor would do; undefined: of others. */
function normalHeaders(list: HeaderList): AxiosHeaders | undefined {
  const headers = new AxiosHeaders();
  for (const [given, value] of list) {
    const name = normalNames.get(given) ?? normalName(given);
    if (name === undefined || typeof value !== 'string' || !NORMAL_VALUE.test(value)) return undefined;
    headers[name] = value;
  }
  return headers;
}

const NORMAL_NAME = /^[a-z0-9-]+$/;
const NORMAL_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
/** Names that were looked at, each as the string that properties are called by: to find out both takes longer. */
const normalNames = new Map<string, string>();
const MOST_NAMES = 1000;

/** A name in lower case that is no method's; undefined: another. */
function normalName(name: string): string | undefined {
  if (!NORMAL_NAME.test(name) || name in AxiosHeaders.prototype) return undefined;
  if (normalNames.size < MOST_NAMES) normalNames.set(name, name);
  return name;
}

/** A copy of what is in an AxiosHeaders, a plain object or a Headers, whichever copy of axios it comes from. */
export function copyHeaders(headers: unknown): AxiosHeaders {
  return instantiate(templateOf(headerList(headers)));
}

/**
 * The fields in `headers`, in order and spelling: an AxiosHeaders (of any copy of axios), a plain object as mock
 * adapters give, a Headers or another iterable of pairs. Whatever else has none.
 */
export function headerList(headers: unknown): HeaderList {
  if (typeof headers !== 'object' || headers === null) return [];
  // AxiosHeaders is iterable too, but its toJSON is what leaves out fields that are set to false.
  if ('toJSON' in headers && typeof headers.toJSON === 'function') return objectFields(headers.toJSON());
  if (isIterable(headers)) return pairFields(headers);
  return objectFields(headers);
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value && typeof value[Symbol.iterator] === 'function';
}

function objectFields(headers: unknown): HeaderList {
  if (typeof headers !== 'object' || headers === null) return [];
  const list: HeaderList = [];
  for (const [name, value] of Object.entries(headers)) {
    const field = fieldValue(value);
    if (field !== undefined) list.push([name, field]);
  }
  return list;
}

function pairFields(pairs: Iterable<unknown>): HeaderList {
  const fields = new Map<string, string | string[]>();
  for (const pair of pairs) {
    if (!Array.isArray(pair) || typeof pair[0] !== 'string') continue;
    const value = fieldValue(pair[1]);
    if (value === undefined) continue;
    const before = fields.get(pair[0]);
    // Headers gives each Set-Cookie on its own; axios makes them an array.
    fields.set(pair[0], before === undefined ? value : [before, value].flat());
  }
  return [...fields];
}

/** AxiosHeaders keeps false and null as "do not send". */
function fieldValue(value: unknown): string | string[] | undefined {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null || value === false) return undefined;
  return Array.isArray(value) ? value.map(String) : String(value);
}
