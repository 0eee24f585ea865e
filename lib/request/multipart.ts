/** Multipart bodies as their parts, whatever made them and whatever boundary they got. */
import { isFunction, isObject, tagOf } from './own.js';

/** One part of a multipart body. */
export interface Part {
  /** Its header lines as sent (`Name: value`, each with its CRLF), one character a byte: any bytes are possible. */
  headers: string;
  value: string | Uint8Array | Blob;
}

/** Spec FormData: the global one, or a polyfill. */
export interface FormLike {
  entries(): Iterable<[string, unknown]>;
}

/** The package form-data: a Node stream of strings, Buffers and functions (the ends of parts). */
export interface NodeForm {
  _streams: readonly unknown[];
  getBoundary(): string;
}

export function isFormLike(value: unknown): value is FormLike {
  return isObject(value) && tagOf(value) === 'FormData' && 'entries' in value && isFunction(value.entries);
}

export function isNodeForm(value: unknown): value is NodeForm {
  return (
    isObject(value) &&
    '_streams' in value &&
    Array.isArray(value._streams) &&
    'getBoundary' in value &&
    isFunction(value.getBoundary)
  );
}

export function isBlobLike(value: unknown): value is Blob {
  if (!isObject(value) || !('arrayBuffer' in value) || !isFunction(value.arrayBuffer)) return false;
  const tag = tagOf(value);
  return tag === 'Blob' || tag === 'File';
}

/** Whether all parts are there to be read, and nobody has begun to send them: header, value, end, header, ... */
export function isInMemory(form: NodeForm): boolean {
  if (Reflect.get(form, '_released') === true) return false;
  return form._streams.every((item, index) =>
    index % 3 === 2 ? typeof item === 'function' : typeof item === 'string' || Buffer.isBuffer(item),
  );
}

const CRLF = '\r\n';

export function nodeFormParts(form: NodeForm): Part[] {
  const boundary = form.getBoundary();
  const delimiter = `--${boundary}${CRLF}`;
  const parts: Part[] = [];
  for (let at = 0; at + 1 < form._streams.length; at += 3) {
    const header = String(form._streams[at]);
    const value = form._streams[at + 1];
    // A custom header (`options.header`) brings its own delimiter, which is then part of what is compared.
    const headers = header.startsWith(delimiter)
      ? withoutEnd(header.slice(delimiter.length))
      : `\0${header.replaceAll(boundary, '\0')}`;
    parts.push({ headers: byteString(headers), value: Buffer.isBuffer(value) ? value : String(value) });
  }
  return parts;
}

// The empty line that ends the header lines.
function withoutEnd(headers: string): string {
  return headers.endsWith(CRLF) ? headers.slice(0, -CRLF.length) : headers;
}

/** As axios sends them (formDataToStream.js): names escaped, line ends of texts made CRLF. */
export function formParts(form: FormLike): Part[] {
  const parts: Part[] = [];
  for (const [name, value] of form.entries()) {
    const disposition = `Content-Disposition: form-data; name="${escapeName(name)}"`;
    if (!isBlobLike(value)) {
      parts.push({
        headers: byteString(disposition + CRLF),
        value: String(value).replace(/\r?\n|\r/g, CRLF),
      });
      continue;
    }
    const filename = 'name' in value && value.name ? `; filename="${escapeName(String(value.name))}"` : '';
    const type = (value.type || 'application/octet-stream').replace(/[\r\n]/g, '');
    parts.push({
      headers: byteString(`${disposition}${filename}${CRLF}Content-Type: ${type}${CRLF}`),
      value,
    });
  }
  return parts;
}

function byteString(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Header lines as text. */
export function headersText(part: Part): string {
  return Buffer.from(part.headers, 'latin1').toString('utf8');
}

function escapeName(name: string): string {
  return name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
}

const BOUNDARY = /;[ \t]*boundary=(?:"([^"]*)"|([^;\s]*))/i;

/** The boundary that a content type names. */
export function boundaryOf(contentType: string): string | undefined {
  const match = BOUNDARY.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  return boundary === '' ? undefined : boundary;
}

/** A content type without its boundary, which is random. */
export function withoutBoundary(contentType: string): string {
  return contentType.replace(BOUNDARY, '');
}

/** The parts of a body that is already serialised; undefined when it is not exactly what RFC 2046 5.1.1 makes. */
export function parseMultipart(bytes: Uint8Array, boundary: string): Part[] | undefined {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = `--${boundary}${CRLF}`;
  const end = `${CRLF}--${boundary}--${CRLF}`;
  if (!startsWith(body, first) || !endsWith(body, end)) return undefined;
  const delimiter = Buffer.from(CRLF + first);
  const last = body.length - Buffer.byteLength(end);
  const parts: Part[] = [];
  for (let at = Buffer.byteLength(first); at <= last; ) {
    const found = body.indexOf(delimiter, at);
    const stop = found < 0 ? last : found;
    const part = parsePart(body.subarray(at, stop));
    if (part === undefined) return undefined;
    parts.push(part);
    at = stop + delimiter.length;
  }
  return parts;
}

function parsePart(part: Buffer): Part | undefined {
  if (startsWith(part, CRLF)) return { headers: '', value: part.subarray(2) };
  const split = part.indexOf(CRLF + CRLF);
  if (split < 0) return undefined;
  return { headers: part.toString('latin1', 0, split + 2), value: part.subarray(split + 4) };
}

function startsWith(bytes: Buffer, text: string): boolean {
  const wanted = Buffer.from(text);
  return bytes.length >= wanted.length && bytes.compare(wanted, 0, wanted.length, 0, wanted.length) === 0;
}

function endsWith(bytes: Buffer, text: string): boolean {
  const wanted = Buffer.from(text);
  return bytes.length >= wanted.length && bytes.subarray(bytes.length - wanted.length).equals(wanted);
}

const NAME = /[;\s]name="([^"]*)"/i;

/** The field name of a part, for keys. */
export function partName(part: Part): string {
  return unescapeName(NAME.exec(headersText(part))?.[1] ?? '');
}

function unescapeName(name: string): string {
  return name.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n');
}

/** What the header lines of a form's part say. */
export interface PartHead {
  name: string;
  filename: string | undefined;
  contentType: string | undefined;
}

const DISPOSITION =
  /^content-disposition: *form-data; *name="([^"\\\r\n]*)"(?:; *filename="([^"\\\r\n]*)")?$/i;
const TYPE = /^content-type:(.*)$/i;

/**
 * Undefined where they are not what browsers and the usual libraries make: other headers, other parameters, a name
 * without quotes or with a backslash. Of these no two servers read the same.
 */
export function partHead(part: Part): PartHead | undefined {
  const lines = headersText(part).split(CRLF).slice(0, -1);
  const [, name, filename] = DISPOSITION.exec(lines[0] ?? '') ?? [];
  const [, contentType] = TYPE.exec(lines[1] ?? '') ?? [];
  const isUsual = name !== undefined && lines.length === (contentType === undefined ? 1 : 2);
  return isUsual ? { name: unescapeName(name), filename, contentType } : undefined;
}
