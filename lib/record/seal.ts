import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { CacheRecordError } from '../errors.js';
import { sealedHeader } from './envelope.js';

/*
 * Encrypt, then sign. Both bind the header and the key that the record is stored under, so that a record can't be
 * moved to another key or have its flags changed:
 *
 *   encrypted content = nonce (12) · AES-256-GCM ciphertext · tag (16)
 *   signed content    = content · HMAC-SHA-256 (32)
 *
 * Nonces are random: one key is good for 2^32 records (NIST SP 800-38D 8.3).
 */
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAC_BYTES = 32;
const LABEL = 'axios-stash record\0';

/** How records are sealed and opened with the keys of one cache: the first key seals, all of them open. */
export interface Seal {
  readonly encrypts: boolean;
  readonly signs: boolean;
  /** The parts that stand behind the header. */
  close(key: string, header: Buffer, payload: Uint8Array): Uint8Array[];
  /** The payload of what stands behind the header; throws `CacheRecordError` unless every seal is whole. */
  open(key: string, header: Buffer, content: Buffer): Buffer;
}

type KeyBytes = readonly (string | Uint8Array)[];

export function createSeal(secretKeys: KeyBytes = [], encryptionKeys: KeyBytes = []): Seal {
  // KeyObjects hold copies: what the caller does to his Buffers later changes nothing here.
  const signing = secretKeys.map(toKeyObject);
  const encrypting = encryptionKeys.map(toKeyObject);
  const [signer] = signing;
  const [encrypter] = encrypting;
  return {
    signs: signer !== undefined,
    encrypts: encrypter !== undefined,
    close(key, header, payload) {
      const bound = boundData(key, header);
      const content = encrypter === undefined ? [payload] : encrypt(encrypter, bound, payload);
      return signer === undefined ? content : [...content, mac(signer, bound, content)];
    },
    open(key, header, content) {
      const bound = boundData(key, header);
      const unsigned = signer === undefined ? content : verify(signing, bound, content);
      return encrypter === undefined ? unsigned : decrypt(encrypting, bound, unsigned);
    },
  };
}

function toKeyObject(key: string | Uint8Array): KeyObject {
  return createSecretKey(typeof key === 'string' ? Buffer.from(key) : key);
}

/** What a seal covers besides the content. Nothing in it is of variable length but the key, at its end. */
function boundData(key: string, header: Buffer): Buffer {
  const name = Buffer.from(key);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(name.length);
  return Buffer.concat([Buffer.from(LABEL), ...sealedHeader(header), length, name]);
}

function mac(key: KeyObject, bound: Buffer, content: readonly Uint8Array[]): Buffer {
  const hmac = createHmac('sha256', key).update(bound);
  for (const part of content) hmac.update(part);
  return hmac.digest();
}

function verify(keys: readonly KeyObject[], bound: Buffer, content: Buffer): Buffer {
  if (content.length < MAC_BYTES) throw new CacheRecordError('The record is cut short');
  const unsigned = content.subarray(0, -MAC_BYTES);
  const found = content.subarray(-MAC_BYTES);
  if (keys.some((key) => timingSafeEqual(mac(key, bound, [unsigned]), found))) return unsigned;
  throw new CacheRecordError(
    'The record was signed with another secretKey, for another key, or changed since',
  );
}

function encrypt(key: KeyObject, bound: Buffer, payload: Uint8Array): Uint8Array[] {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound);
  return [nonce, cipher.update(payload), cipher.final(), cipher.getAuthTag()];
}

function decrypt(keys: readonly KeyObject[], bound: Buffer, content: Buffer): Buffer {
  if (content.length < NONCE_BYTES + TAG_BYTES) throw new CacheRecordError('The record is cut short');
  for (const key of keys) {
    const payload = decryptWith(key, bound, content);
    if (payload !== undefined) return payload;
  }
  throw new CacheRecordError(
    'The record was encrypted with another encryptionKey, for another key, or changed since',
  );
}

function decryptWith(key: KeyObject, bound: Buffer, content: Buffer): Buffer | undefined {
  const nonce = content.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound);
  decipher.setAuthTag(content.subarray(-TAG_BYTES));
  const payload = decipher.update(content.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    decipher.final(); // adds nothing in GCM, but throws when the tag does not match
    return payload;
  } catch {
    return undefined;
  }
}
