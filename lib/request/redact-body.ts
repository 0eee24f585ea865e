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
  parseMultipart,
  partName,
} from './multipart.js';
import { redactQuery } from './redact-url.js';
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
  const text = redactParts(parts, BOUNDARY, secrets);
  return text === undefined ? undefined : { text, contentType: `multipart/form-data; boundary=${BOUNDARY}` };
}

const TEXT_TYPE = /^\s*(?:text\/|application\/(?:[^;]*\+)?(?:xml|graphql|javascript|yaml)\s*(?:;|$))/i;
const CLAIMS_JSON = /json/i;

function redactText(text: string, contentType: string | undefined, secrets: Secrets): string | undefined {
  if (contentType === undefined || text.length > MAX_LENGTH) return undefined;
  const kind = contentKind(contentType);
  if (kind === 'json') return redactJson(text, secrets);
  if (kind === 'form' && looksLikeForm(text)) return redactQuery(text, secrets);
  if (kind === 'multipart') {
    const boundary = boundaryOf(contentType);
    const parts = boundary === undefined ? undefined : parseMultipart(Buffer.from(text, 'utf8'), boundary);
    return boundary === undefined || parts === undefined ? undefined : redactParts(parts, boundary, secrets);
  }
  // A form that does not look like one is any text that was posted without a content type.
  const isText = kind === 'form' || (TEXT_TYPE.test(contentType) && !CLAIMS_JSON.test(contentType));
  return isText && !secrets.isMentionedIn(text) ? text : undefined;
}

function redactJson(text: string, secrets: Secrets): string | undefined {
  let changed = false;
  const redacted = rewriteJson(text, {
    sort: false,
    member: (name) => {
      if (!secrets.isName(name)) return 'keep';
      changed = true;
      return 'replace';
    },
    replacement: `"${REDACTED}"`,
    string: (lexeme) => {
      if (!secrets.mayBeIn(stringOf(lexeme))) return lexeme;
      changed = true;
      return `"${REDACTED}"`;
    },
  });
  return changed ? redacted : redacted === undefined ? undefined : text;
}

function redactParts(parts: Part[], boundary: string, secrets: Secrets): string | undefined {
  let text = '';
  for (const part of parts) {
    const value = secrets.isName(partName(part)) ? REDACTED : redactPart(part, secrets);
    const headers = headersText(part);
    if (value === undefined || value.includes(`--${boundary}`) || headers.includes('\0')) return undefined;
    text += `--${boundary}\r\n${headers}\r\n${value}\r\n`;
  }
  return text.length > MAX_LENGTH ? undefined : `${text}--${boundary}--\r\n`;
}

const PART_TYPE = /^content-type:[ \t]*(.*?)[ \t]*$/im;

function redactPart(part: Part, secrets: Secrets): string | undefined {
  const { value } = part;
  if (isBlobLike(value) || value.length > MAX_LENGTH) return undefined;
  const text = typeof value === 'string' ? wellFormed(value) : textOf(value);
  if (text === undefined) return undefined;
  const type = PART_TYPE.exec(headersText(part))?.[1];
  if (type !== undefined) return redactText(text, type, secrets);
  return secrets.mayBeIn(text) ? REDACTED : text;
}
