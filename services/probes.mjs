// Whether a server really speaks its protocol, asked without its driver.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';

const ANSWER_MS = 2000;
const NO_ANSWER = `no answer within ${ANSWER_MS} ms`;

export async function isRedis(port, password) {
  return (await redisCommand(port, 'PING', password)).endsWith('+PONG\r\n');
}

/** What comes back, or its beginning if that is long. Throws on an error reply. */
export function redisCommand(port, command, password) {
  const commands = password === undefined ? [command] : [`AUTH ${JSON.stringify(password)}`, command];
  return exchange(port, commands.map((line) => `${line}\r\n`).join(''), (received) => {
    const text = received.toString();
    if (text.startsWith('-')) throw new Error(text.trim());
    return text.split('\r\n').length > commands.length ? text : undefined;
  });
}

const OP_MSG = 2013;

export async function isMongodb(port) {
  const header = await exchange(port, helloMessage(), (bytes) => (bytes.length < 16 ? undefined : bytes));
  return header.readInt32LE(12) === OP_MSG;
}

/** `{ hello: 1, $db: 'admin' }`. */
function helloMessage() {
  const fields = Buffer.from('\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0', 'latin1');
  const message = Buffer.alloc(25 + fields.length);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(OP_MSG, 12);
  message.writeInt32LE(4 + fields.length, 21); // after the flags and the section's kind, both 0
  fields.copy(message, 25);
  return message;
}

/** An error of DynamoDB's is an answer too: it has a `__type`. */
export async function isDynamodb(endpoint) {
  const answer = JSON.parse(await listTables(endpoint));
  return Array.isArray(answer.TableNames) || typeof answer.__type === 'string';
}

function listTables(endpoint) {
  const request = endpoint.startsWith('https:') ? httpsRequest : httpRequest;
  const credential = 'Credential=probe/20200101/local/dynamodb/aws4_request';
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'DynamoDB_20120810.ListTables',
    authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=0`,
  };
  const signal = AbortSignal.timeout(ANSWER_MS);
  return new Promise((resolve, reject) => {
    request(endpoint, { method: 'POST', headers, agent: false, signal })
      .once('error', (error) => reject(signal.aborted ? new Error(NO_ANSWER) : error))
      .once('response', (response) => {
        response.toArray().then((chunks) => resolve(Buffer.concat(chunks).toString()), reject);
      })
      .end('{}');
  });
}

/** Sends `request`, and resolves with the first thing that `read` makes of all that came so far. */
function exchange(port, request, read) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    const chunks = [];
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without an answer')));
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(NO_ANSWER)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      try {
        const answer = read(Buffer.concat(chunks));
        if (answer === undefined) return;
        resolve(answer);
        socket.destroy();
      } catch (error) {
        socket.destroy(error);
      }
    });
  });
}
