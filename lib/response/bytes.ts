/** Bytes: views, copies, text. */
import { isAscii } from 'node:buffer';

/** The same bytes as a Buffer; nothing is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A copy with memory of its own: not in Buffer's pool, so that even `copy.buffer` shows nobody else's bytes. */
export function copyBytes(bytes: Uint8Array): Buffer<ArrayBuffer> {
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength);
  copy.set(bytes);
  return copy;
}

/** As axios' adapters decode: a leading BOM is dropped, ill-formed sequences become U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  const buffer = asBuffer(bytes);
  // Most bodies are ASCII; as Latin-1 they decode up to four times as fast. ASCII has no BOM.
  if (isAscii(buffer)) return buffer.toString('latin1');
  const text = buffer.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
