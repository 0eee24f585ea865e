/** A request body after axios' transformRequest: what kind it is, and what of it is part of the key. */
import { isUtf8 } from 'node:buffer';
import { types } from 'node:util';
import { part, sha256, wellFormed } from './digest.js';
import { rewriteJson } from './json.js';
import {
  boundaryOf,
  type FormLike,
  formParts,
  isBlobLike,
  isFormLike,
  isInMemory,
  isNodeForm,
  type NodeForm,
  nodeFormParts,
  type Part,
  parseMultipart,
  partName,
} from './multipart.js';
import { isFunction, isObject, tagOf } from './own.js';
import { canonicalQuery } from './url.js';

/** What axios would send, by how it can be read. */
export type Body =
  | { kind: 'none' }
  | { kind: 'text'; text: string }
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'blob'; blob: Blob }
  | { kind: 'form'; form: FormLike }
  | { kind: 'node-form'; form: NodeForm }
  | { kind: 'stream' }
  | { kind: 'unreadable' };

const NONE: Body = { kind: 'none' };

export function bodyOf(data: unknown): Body {
  if (data === undefined || data === null || data === '') return NONE;
  if (typeof data === 'string') return { kind: 'text', text: data };
  if (!isObject(data)) return { kind: 'unreadable' };
  if (ArrayBuffer.isView(data)) {
    return data.byteLength === 0
      ? NONE
      : { kind: 'bytes', bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  }
  if (types.isAnyArrayBuffer(data)) {
    return data.byteLength === 0 ? NONE : { kind: 'bytes', bytes: new Uint8Array(data) };
  }
  if (isNodeForm(data)) {
    if (!isInMemory(data)) return { kind: 'stream' };
    return data._streams.length === 0 ? NONE : { kind: 'node-form', form: data };
  }
  if (isBlobLike(data)) return data.size === 0 ? NONE : { kind: 'blob', blob: data };
  if (isFormLike(data)) return { kind: 'form', form: data };
  if (isStream(data)) return { kind: 'stream' };
  // Only a transformRequest of the user's own leaves one; the fetch adapter sends it as a form.
  if (tagOf(data) === 'URLSearchParams') return { kind: 'text', text: String(data) };
  return { kind: 'unreadable' };
}

/** Node stream, web stream or async iterable: can be read once only, and the origin must be the reader. */
function isStream(data: object): boolean {
  return (
    isFunction(Reflect.get(data, 'pipe')) ||
    isFunction(Reflect.get(data, 'getReader')) ||
    isFunction(Reflect.get(data, Symbol.asyncIterator))
  );
}

/** What a content type says of the bytes, as far as keys and redaction care. */
export type ContentKind = 'json' | 'form' | 'multipart' | 'other';

const JSON_TYPE = /^[^;]*[/+]json[ \t]*(?:;|$)/i;
const FORM_TYPE = /^[ \t]*application\/x-www-form-urlencoded[ \t]*(?:;|$)/i;
const MULTIPART_TYPE = /^[ \t]*multipart\//i;
const OTHER_CHARSET = /;[ \t]*charset=(?![ \t"]*(?:utf-?8|us-ascii))/i;

export function contentKind(contentType: string | undefined): ContentKind {
  if (contentType === undefined) return 'other';
  if (MULTIPART_TYPE.test(contentType)) return 'multipart';
  if (OTHER_CHARSET.test(contentType)) return 'other';
  if (JSON_TYPE.test(contentType)) return 'json';
  return FORM_TYPE.test(contentType) ? 'form' : 'other';
}

// axios calls every string that is posted without a content type a form, so look whether it may be one: white
// space, quotes, braces and bytes over 127 are always escaped in a form. What does not look like one is plain bytes.
const NO_FORM = /[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a~]/;

export function looksLikeForm(text: string): boolean {
  return !NO_FORM.test(text);
}

/** The text of bytes, if they are text. */
export function textOf(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
    : undefined;
}

/**
 * What stands for the body in a key; undefined when nothing is sent. So is it for a form of which all is ignored: with
 * and without what is ignored the key is the same, and a form without fields goes out as no body does, with a length of
 * 0 (http.js; a form posted without data has even its type). A promise only for Blobs, which can't be read otherwise.
 * Streams and unreadable bodies have no key: `unkeyableReason` sorts them out beforehand.
 */
export function bodyKey(
  body: Body,
  contentType: string | undefined,
  ignored: ReadonlySet<string>,
): string | undefined | Promise<string> {
  switch (body.kind) {
    case 'none':
      return undefined;
    case 'text':
      return textKey(wellFormed(body.text), undefined, contentType, ignored);
    case 'bytes':
      return bytesKey(body.bytes, contentType, ignored);
    case 'blob':
      return blobKey(body.blob);
    case 'form':
      return partsKey(formParts(body.form), ignored);
    case 'node-form':
      return partsKey(nodeFormParts(body.form), ignored);
    case 'stream':
    case 'unreadable':
      throw new TypeError(`A ${body.kind} body has no key`);
    default:
      return body satisfies never;
  }
}

function bytesKey(
  bytes: Uint8Array,
  contentType: string | undefined,
  ignored: ReadonlySet<string>,
): string | undefined | Promise<string> {
  const text = contentKind(contentType) === 'other' ? undefined : textOf(bytes);
  if (text !== undefined) return textKey(text, bytes, contentType, ignored);
  const parts = multipartOf(bytes, contentType);
  return parts === undefined ? rawKey(bytes) : partsKey(parts, ignored);
}

function textKey(
  text: string,
  bytes: Uint8Array | undefined,
  contentType: string | undefined,
  ignored: ReadonlySet<string>,
): string | undefined | Promise<string> {
  switch (contentKind(contentType)) {
    case 'json': {
      const canonical = rewriteJson(text, {
        sort: true,
        member: (name) => (ignored.has(name) ? 'drop' : 'keep'),
      });
      return canonical === undefined ? rawKey(bytes ?? text) : `json:${sha256(canonical)}`;
    }
    case 'form': {
      if (!looksLikeForm(text)) return rawKey(bytes ?? text);
      const canonical = canonicalQuery(text, ignored);
      return canonical === '' ? undefined : `form:${sha256(canonical)}`;
    }
    case 'multipart': {
      const parts = multipartOf(bytes ?? Buffer.from(text, 'utf8'), contentType);
      return parts === undefined ? rawKey(bytes ?? text) : partsKey(parts, ignored);
    }
    case 'other':
      return rawKey(bytes ?? text);
  }
}

function multipartOf(bytes: Uint8Array, contentType: string | undefined): Part[] | undefined {
  if (contentType === undefined || contentKind(contentType) !== 'multipart') return undefined;
  const boundary = boundaryOf(contentType);
  return boundary === undefined ? undefined : parseMultipart(bytes, boundary);
}

function rawKey(data: string | Uint8Array): string {
  return `raw:${sha256(data)}`;
}

// axios sends a Blob with its own type, whatever the header says (http.js, `setContentType(data.type)`).
async function blobKey(blob: Blob): Promise<string> {
  return `blob:${part(blob.type)}${sha256(new Uint8Array(await blob.arrayBuffer()))}`;
}

function partsKey(parts: Part[], ignored: ReadonlySet<string>): string | undefined | Promise<string> {
  const kept = ignored.size === 0 ? parts : parts.filter((one) => !ignored.has(partName(one)));
  if (kept.length === 0) return undefined;
  return kept.some(({ value }) => isBlobLike(value)) ? latePartsKey(kept) : joinParts(kept.map(partKey));
}

async function latePartsKey(parts: Part[]): Promise<string> {
  const keys: string[] = [];
  for (const { headers, value } of parts) {
    const bytes = isBlobLike(value) ? new Uint8Array(await value.arrayBuffer()) : value;
    keys.push(partKey({ headers, value: bytes }));
  }
  return joinParts(keys);
}

function partKey({ headers, value }: Part): string {
  if (isBlobLike(value)) throw new TypeError('A Blob is read before it is part of a key');
  return part(headers) + sha256(value);
}

function joinParts(keys: string[]): string {
  return `parts:${sha256(keys.join(''))}`;
}
