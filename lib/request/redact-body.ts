/** Request bodies without their secrets, as text; left out where that can't be told. */
import { type Body, contentKind, looksLikeForm, textOf } from './body.js';
import { wellFormed } from './digest.js';
import { rewriteJson, stringOf } from './json.js';
import {
  boundaryOf,
  formParts,
  headersText,
  isBlobLike,
  nodeFormParts,
  type Part,
  type PartHead,
  parseMultipart,
  partHead,
} from './multipart.js';
import { hasLabel, redactQuery } from './redact-url.js';
import { REDACTED, type Secrets } from './secrets.js';

export interface RedactedBody {
  text: string;
  /** Present when the text needs another content type than the request's header says. */
  contentType?: string;
}

const MAX_LENGTH = 2 * 1024 * 1024;
// A form object gets its boundary from the adapter; any that is not in the values will do here.
const BOUNDARY = 'axios-stash';

/** Undefined: nothing was sent, or nothing may be kept. */
export function redactBody(
  body: Body,
  contentType: string | undefined,
  secrets: Secrets,
): RedactedBody | undefined {
  switch (body.kind) {
    case 'text':
      return wrap(redactText(wellFormed(body.text), contentType, secrets));
    case 'bytes': {
      const text = body.bytes.length > MAX_LENGTH ? undefined : textOf(body.bytes);
      return text === undefined ? undefined : wrap(redactText(text, contentType, secrets));
    }
    case 'form':
      return redactForm(formParts(body.form), secrets);
    case 'node-form':
      return redactForm(nodeFormParts(body.form), secrets);
    default:
      return undefined;
  }
}

function wrap(text: string | undefined): RedactedBody | undefined {
  return text === undefined ? undefined : { text };
}

function redactForm(parts: Part[], secrets: Secrets): RedactedBody | undefined {
  // As text none can be told from bytes that are no form.
  if (parts.length === 0) return undefined;
  const text = redactParts(parts, BOUNDARY, secrets);
  return text === undefined ? undefined : { text, contentType: `multipart/form-data; boundary=${BOUNDARY}` };
}

const TEXT_TYPE = /^\s*(?:text\/|application\/(?:[^;]*\+)?(?:xml|graphql|javascript|yaml)\s*(?:;|$))/i;
const CLAIMS_JSON = /json/i;
const OTHER_CHARSET = /charset(?!\s*=\s*"?(?:utf-?8|us-ascii)"?\s*(?:;|$))/i;

function redactText(text: string, contentType: string | undefined, secrets: Secrets): string | undefined {
  if (contentType === undefined || text.length > MAX_LENGTH || secrets.mayBeIn(contentType)) return undefined;
  switch (contentKind(contentType)) {
    case 'json':
      return redactJson(text, secrets);
    case 'multipart':
      return redactMultipart(text, contentType, secrets);
    case 'form':
      // What does not look like one, or like HTML too, is any text that was posted without a content type.
      if (looksLikeForm(text) && !text.includes('&#')) return redactFormText(text, secrets);
      return secrets.isMentionedIn(text) ? undefined : text;
    case 'other': {
      const isText =
        TEXT_TYPE.test(contentType) && !CLAIMS_JSON.test(contentType) && !OTHER_CHARSET.test(contentType);
      return isText && !secrets.isMentionedIn(text) ? text : undefined;
    }
  }
}

// A value that is the name of a secret (`{ "name": "token", "value": "x" }`, `grant_type=password`) may tell what
// another one is, and nobody knows which: such a body is left out, whether JSON, form or multipart.

function redactFormText(text: string, secrets: Secrets): string | undefined {
  const redacted = redactQuery(text, secrets);
  return hasLabel(redacted, secrets) ? undefined : redacted;
}

function redactJson(text: string, secrets: Secrets): string | undefined {
  let changed = false;
  let isUnclear = false;
  const redacted = rewriteJson(text, {
    sort: false,
    member: (name) => {
      isUnclear ||= secrets.mayBeIn(name);
      if (!secrets.isName(name)) return 'keep';
      changed = true;
      return 'replace';
    },
    replacement: `"${REDACTED}"`,
    string: (lexeme) => {
      const value = stringOf(lexeme);
      if (!secrets.isMentionedIn(value)) return lexeme;
      isUnclear ||= secrets.isName(value);
      if (!secrets.mayBeIn(value)) return lexeme;
      changed = true;
      return `"${REDACTED}"`;
    },
  });
  if (isUnclear) return undefined;
  return changed ? redacted : redacted === undefined ? undefined : text;
}

function redactMultipart(text: string, contentType: string, secrets: Secrets): string | undefined {
  const boundary = boundaryOf(contentType);
  const parts = boundary === undefined ? undefined : parseMultipart(Buffer.from(text, 'utf8'), boundary);
  return boundary === undefined || parts === undefined ? undefined : redactParts(parts, boundary, secrets);
}

function redactParts(parts: Part[], boundary: string, secrets: Secrets): string | undefined {
  let text = '';
  for (const part of parts) {
    const head = partHead(part);
    const value = head && redactPart(head, part, secrets);
    if (value === undefined || value.includes(`--${boundary}`)) return undefined;
    text += `--${boundary}\r\n${headersText(part)}\r\n${value}\r\n`;
    if (text.length > MAX_LENGTH) return undefined;
  }
  return `${text}--${boundary}--\r\n`;
}

function redactPart(
  { name, filename = '', contentType }: PartHead,
  { value }: Part,
  secrets: Secrets,
): string | undefined {
  if (secrets.mayBeIn(filename) || secrets.mayBeIn(name)) return undefined;
  if (secrets.isName(name)) return REDACTED;
  if (isBlobLike(value) || value.length > MAX_LENGTH) return undefined;
  const text = typeof value === 'string' ? wellFormed(value) : textOf(value);
  if (text === undefined || secrets.isName(text)) return undefined;
  if (contentType !== undefined) return redactText(text, contentType, secrets);
  return secrets.mayBeIn(text) ? REDACTED : text;
}
