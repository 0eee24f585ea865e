import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GetItemCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { expect } from 'chai';
import { isCacheError } from '../../lib/errors.js';
import { inBatches, untilDone } from '../../lib/stores/dynamodb/batches.js';
import { DynamoDBBackend, type DynamoDBOptions } from '../../lib/stores/dynamodb.js';
import { encodeTextKey } from '../../lib/stores/text-keys.js';
import { rig } from '../support/harness.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { describeService, findService } from '../support/services.js';
import { allKeys, expectStoreError, failure, meta, text } from './contract.js';
import {
  credentials,
  type Input,
  type Intercept,
  region,
  serviceError,
  TestTable,
} from './dynamodb-harness.js';

const service = await findService('dynamodb');
const run = promisify(execFile);
const worker = fileURLToPath(new URL('./dynamodb-worker.ts', import.meta.url));
const MB = 1024 * 1024;

async function inProcess(options: DynamoDBOptions, args: string[]): Promise<string> {
  const all = ['--import', 'tsx', worker, JSON.stringify(options), ...args];
  return (await run(process.execPath, all)).stdout;
}

/** Runs without what the environment has of AWS, but with this. */
async function inEnvironment(own: Record<string, string>, work: () => Promise<void>): Promise<void> {
  const before = { ...process.env };
  for (const name of Object.keys(before)) if (name.startsWith('AWS_')) delete process.env[name];
  const nowhere = fileURLToPath(new URL('./no-such-directory', import.meta.url));
  Object.assign(process.env, { HOME: nowhere, USERPROFILE: nowhere, ...own });
  try {
    await work();
  } finally {
    for (const name of Object.keys(own)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

/** Runs with pauses of no length: they are random, from 0 on. */
async function withoutPauses<T>(work: () => Promise<T>): Promise<T> {
  const { random } = Math;
  Math.random = () => 0;
  try {
    return await work();
  } finally {
    Math.random = random;
  }
}

/** The items of a batch: what is to be written, or read. */
function batchOf({ RequestItems = {} }: Input): [table: string, all: unknown[], rest: object] {
  const [[table = '', requests] = []] = Object.entries(RequestItems);
  if (Array.isArray(requests)) return [table, requests, {}];
  const { Keys = [], ...rest } = { ...(requests as { Keys?: unknown[] } | undefined) };
  return [table, Keys, rest];
}

/** Whether the command puts parts, rather than deleting them. */
function putsParts(name: string, input: Input): boolean {
  return name === 'BatchWriteItem' && batchOf(input)[1].some((request) => 'PutRequest' in Object(request));
}

/** As a table does that is at the end of its throughput: of each batch the first is done, the rest is not. */
const onlyFirst: Intercept = async (name, input, send) => {
  if (!name.startsWith('Batch')) return send();
  const [table, [first, ...others], rest] = batchOf(input);
  const isRead = name === 'BatchGetItem';
  const as = (some: unknown[]) => ({ [table]: isRead ? { ...rest, Keys: some } : some });
  const answer = await send({ RequestItems: as([first]) });
  const left = others.length === 0 ? {} : as(others);
  return { ...(answer as object), [isRead ? 'UnprocessedKeys' : 'UnprocessedItems']: left };
};

describe('DynamoDBBackend: its driver', () => {
  it('is loaded by a backend that is made, and not before', async () => {
    const script = `
      import { createRequire } from 'node:module';
      const { cache } = createRequire(import.meta.url);
      const isLoaded = () => Object.keys(cache).some((path) => path.includes('@aws-sdk'));
      await import('./lib/index.ts');
      const { DynamoDBBackend } = await import('./lib/stores/dynamodb.ts');
      console.log(isLoaded());
      new DynamoDBBackend();
      console.log(isLoaded());`;
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
    expect((await run(process.execPath, args, { cwd })).stdout).to.equal('false\ntrue\n');
  });
});

describe('DynamoDBBackend: what DynamoDB leaves undone', () => {
  it('is tried again after pauses that grow, but for what gets on', async () => {
    const pauses: number[] = [];
    const pause = async (ms: number) => void pauses.push(ms);
    const { random } = Math;
    Math.random = () => 1;
    try {
      let turn = 0;
      await untilDone(['a', 'b', 'c'], pause, async (left) => (++turn % 3 === 0 ? left.slice(1) : left));
      expect(pauses).to.deep.equal([50, 100, 50, 100, 200, 50, 100, 200]);
      pauses.length = 0;
      const error = await failure(() => untilDone(['a', 'b'], pause, async (left) => left));
      expect(String(error)).to.match(/its throughput is exceeded: 2 of 2 items are left undone/);
      expect(pauses).to.deep.equal([50, 100, 200, 400, 800, 1600, 2000, 2000]);
    } finally {
      Math.random = random;
    }
  });

  it('is not begun after a failure, and all that was begun is over by then', async () => {
    let begun = 0;
    let under = 0;
    const work = async (batch: readonly number[]) => {
      begun++;
      under++;
      await new Promise((resolve) => setImmediate(resolve));
      under--;
      if (batch[0] === 2) throw new Error('broken');
    };
    const all = Array.from({ length: 100 }, (_, n) => n);
    await inBatches(all, 2, work).catch((error) => expect(String(error)).to.match(/broken/));
    expect([begun, under]).to.deep.equal([5, 0]);
    await inBatches(all.slice(4), 2, work);
    expect(begun).to.equal(5 + 48);
  });
});

describe('DynamoDBBackend without a server', () => {
  let silent: Server;
  before(async () => {
    silent = createServer(() => {});
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const silentUrl = () => `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;

  it('fails without credentials, soon, and says what to do', async () => {
    for (const more of [
      { AWS_EC2_METADATA_DISABLED: 'true' },
      { AWS_EC2_METADATA_SERVICE_ENDPOINT: silentUrl() },
    ]) {
      await inEnvironment(more, async () => {
        const store = new DynamoDBBackend({ region });
        const start = performance.now();
        const error = await failure(() => store.get('key'));
        expect(performance.now() - start).to.be.lessThan(6000);
        expect(String(error)).to.match(
          /^CacheStoreError: .*can't read: Could not load credentials.*; set AWS_ACCESS_KEY_ID/,
        );
        await store.close();
      });
    }
  });

  it('fails without a region, and says what to do', async () => {
    await inEnvironment({}, async () => {
      const store = new DynamoDBBackend({ clientOptions: { credentials } });
      const error = await failure(() => store.get('key'));
      expect(String(error)).to.match(/^CacheStoreError: .*Region is missing; set AWS_REGION, or the option/);
      await store.close();
    });
  });

  it('fails soon where nothing listens', async () => {
    const store = new DynamoDBBackend({ endpoint: 'http://localhost:1', clientOptions: { credentials } });
    for (const call of [
      () => store.get('key'),
      () => store.set('key', Buffer.from('v'), meta()),
      () => store.set('key', randomBytes(MB), meta()),
      () => store.delete(['key']),
      () => store.clear(),
      () => allKeys(store),
      () => store.count({ now: 0 }),
      () => store.keysByUrl('u'),
    ]) {
      const error = await failure(call);
      expect(isCacheError(error) && error.code).to.equal('ERR_CACHE_STORE');
      expect(String(error)).to.match(/ECONNREFUSED/);
    }
    await store.close();
  });

  it('gives up a server that says nothing', async () => {
    const requestHandler = { socketTimeout: 100 };
    const clientOptions = { credentials, requestHandler, maxAttempts: 2 };
    const store = new DynamoDBBackend({ endpoint: silentUrl(), clientOptions });
    expect(String(await failure(() => store.get('key')))).to.match(/timed out after 100 ms/);
    await store.close();
  });

  describe('with a client that', () => {
    const { setTimeout } = globalThis;
    const { now } = performance;
    const times = 40;
    before(() => {
      const hurried = (work: () => void, ms: number) => setTimeout(work, ms / times);
      globalThis.setTimeout = Object.assign(hurried, setTimeout) as typeof setTimeout;
      performance.now = () => now.call(performance) * times;
    });
    after(() => {
      globalThis.setTimeout = setTimeout;
      performance.now = now;
    });

    it('never answers, gives up, and what waits behind it too', async () => {
      const store = new DynamoDBBackend({ client: { send: () => new Promise<never>(() => {}) } });
      const calls = Array.from({ length: 200 }, (_, n) => failure(() => store.get(`key ${n}`)));
      for (const error of await Promise.all(calls)) expect(String(error)).to.match(/no answer within 30 s/);
      await store.close();
    });

    it('takes long, waits longer than for one answer as long as there are others', async () => {
      const send = () => new Promise((resolve) => setTimeout(resolve, 10_000 / times, {}));
      const store = new DynamoDBBackend({ client: { send } });
      const answers = await Promise.all(Array.from({ length: 160 }, (_, n) => store.get(`key ${n}`)));
      expect(answers.every((answer) => answer === undefined)).to.equal(true);
      await store.close();
    });
  });

  it('closes at once when it was never used, again and again', async () => {
    const store = new DynamoDBBackend({ endpoint: 'http://localhost:1' });
    await Promise.all([store.close(), store.close()]);
    await store.close();
    await expectStoreError(() => store.get('key'));
  });

  it('closes in time though the server says nothing, and lets the process end', async () => {
    const output = await inProcess({ endpoint: silentUrl() }, ['hold']);
    expect(Number(/^closed after (\d+) ms$/.exec(output)?.[1]), output).to.be.within(1900, 4000);
  });
});

describeService(service, 'DynamoDBBackend', (endpoint) => {
  let table: TestTable;
  beforeEach(() => {
    table = new TestTable(endpoint);
  });
  afterEach(() => table.dispose());

  /** For processes. */
  const options = (): DynamoDBOptions => ({
    cacheName: table.name,
    endpoint,
    region,
    clientOptions: { credentials },
  });

  it('needs neither credentials nor a region for a server on this machine', async () => {
    await inEnvironment({}, async () => {
      const local = endpoint.replace('127.0.0.1', 'localhost');
      const store = table.store({ endpoint: local, region: undefined, clientOptions: undefined });
      await store.set('key', Buffer.from('v'), meta());
    });
    expect(text(await table.store().get('key'))).to.equal('v');
  });

  it('uses what the environment has', async () => {
    const own = { AWS_ACCESS_KEY_ID: 'theirs', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: 'eu-central-1' };
    const used: unknown[] = [];
    const requestHandler = {
      handle: async ({ headers }: { headers: Record<string, string> }) => {
        used.push(/Credential=(\w+)\/\d+\/([\w-]+)\//.exec(headers.authorization ?? '')?.slice(1));
        throw new Error('that is all');
      },
    };
    await inEnvironment(own, async () => {
      const store = table.store({ region: undefined, clientOptions: { requestHandler, maxAttempts: 1 } });
      await expectStoreError(() => store.get('key'));
    });
    expect(used).to.deep.equal([['theirs', 'eu-central-1']]);
  });

  describe('over its throughput', () => {
    it('goes on until all is done', async () => {
      const store = table.intercepted(onlyFirst);
      await withoutPauses(async () => {
        const value = randomBytes(4 * MB);
        await store.set('key', value, meta());
        expect(value.equals((await store.get('key')) ?? randomBytes(1))).to.equal(true);
        await store.set('key', Buffer.from('small'), meta());
        expect((await table.items()).length).to.equal(1);
        const keys = ['key', 'a', 'b', 'c', 'd'];
        for (const key of keys) await store.set(key, randomBytes(key === 'c' ? MB : 5), meta());
        expect(await store.delete([...keys, 'missing'])).to.equal(5);
        expect(await table.items()).to.deep.equal([]);
      });
    });

    for (const name of [
      'ProvisionedThroughputExceededException',
      'ThrottlingException',
      'RequestLimitExceeded',
    ]) {
      it(`takes ${name} for a batch of which nothing was done`, async () => {
        const turns = new Map<string, number>();
        const store = table.intercepted(async (command, _, send) => {
          const turn = (turns.get(command) ?? 0) + 1;
          turns.set(command, turn);
          if (command.startsWith('Batch') && turn % 4 !== 0) throw serviceError(name);
          return send();
        });
        await withoutPauses(async () => {
          await store.set('key', randomBytes(MB), meta());
          expect((await store.get('key'))?.byteLength).to.equal(MB);
        });
      });
    }

    for (const [what, refused] of [
      ['an exception', () => Promise.reject(serviceError('ThrottlingException'))],
      ['nothing done', (input: Input) => Promise.resolve({ UnprocessedItems: input.RequestItems })],
    ] as const) {
      it(`gives up in the end, when the answer stays ${what}, and leaves nothing behind`, async () => {
        let isRefusing = true;
        let tries = 0;
        const store = table.intercepted((name, input, send) => {
          if (!putsParts(name, input) || !isRefusing) return send();
          tries++;
          return refused(input);
        });
        await store.set('key', Buffer.from('old'), meta());
        const error = await withoutPauses(() => failure(() => store.set('key', randomBytes(MB), meta())));
        expect(String(error)).to.match(
          /CacheStoreError: .*can't write: its throughput is exceeded: 3 of 3 items/,
        );
        expect(tries).to.equal(8);
        expect(text(await store.get('key'))).to.equal('old');
        isRefusing = false;
        await store.set('key', randomBytes(MB), meta());
        expect((await table.items()).length).to.equal(4);
      });
    }
  });

  describe('in the midst of a write', () => {
    it('that fails, parts that are written go again', async () => {
      let batches = 0;
      const store = table.intercepted((name, input, send) => {
        if (putsParts(name, input) && ++batches === 2) throw serviceError('InternalServerError');
        return send();
      });
      await store.set('key', Buffer.from('old'), meta());
      await expectStoreError(() => store.set('key', randomBytes(6 * MB), meta()));
      expect(batches).to.equal(2);
      expect((await table.items()).length).to.equal(1);
      expect(text(await store.get('key'))).to.equal('old');
    });

    it('parts stay when it is not known whether the head was written, and the entry is whole if it was', async () => {
      const store = table.intercepted(async (name, _, send) => {
        const answer = await send();
        if (name === 'PutItem') throw new Error('the answer got lost');
        return answer;
      });
      await table.store().set('key', Buffer.from('old'), meta());
      await expectStoreError(() => store.set('key', randomBytes(MB), meta()));
      expect((await store.get('key'))?.byteLength).to.equal(MB);
    });

    it('a head that the driver puts twice does not take its own parts for those of another', async () => {
      const store = table.intercepted(async (name, _, send) => {
        if (name === 'PutItem') await send().catch(() => {});
        return send();
      });
      await table.store().set('key', randomBytes(2 * MB), meta());
      await store.set('key', randomBytes(MB), meta());
      expect((await store.get('key'))?.byteLength).to.equal(MB);
    });

    it('parts of the old value that can not be deleted are told of, and the new one is there', async () => {
      let isFailing = false;
      const store = table.intercepted((name, _, send) => {
        if (name === 'BatchWriteItem' && isFailing) throw serviceError('InternalServerError');
        return send();
      });
      const told: string[] = [];
      store.observe((error) => told.push(String(error)));
      await store.set('key', randomBytes(MB), meta());
      isFailing = true;
      await store.set('key', Buffer.from('new'), meta());
      expect(text(await store.get('key'))).to.equal('new');
      expect(told.length).to.equal(1);
      expect(told[0]).to.match(/can't delete parts that were left behind: InternalServerError/);
    });
  });

  describe('read while it is replaced', function () {
    this.timeout(120_000);

    it('gives one value or the other, never a mix and never an error', async () => {
      const values = [Buffer.alloc(MB, 'a'), Buffer.alloc(MB, 'b')];
      const writers = [table.store(), table.store()];
      const readers = [table.store(), table.store({ consistentRead: true })];
      await writers[0]?.set('key', Buffer.alloc(MB, 'a'), meta());
      let isOver = false;
      let seen = 0;
      const reading = readers.map(async (reader) => {
        while (!isOver) {
          const value = await reader.get('key');
          if (value === undefined) continue;
          expect(values.some((one) => one.equals(value))).to.equal(true);
          seen++;
        }
      });
      const writing = writers.map(async (writer, n) => {
        for (let turn = 0; turn < 25; turn++)
          await writer.set('key', values[(turn + n) % 2] ?? Buffer.alloc(0), meta());
      });
      await Promise.all(writing).finally(() => {
        isOver = true;
      });
      await Promise.all(reading);
      expect(seen).to.be.greaterThan(5);
      expect((await table.items()).length).to.equal(4);
    });

    it('is read anew when it was replaced between its head and its parts, and missed when again and again', async () => {
      const writer = table.store();
      let replacements = 1;
      let byte = 0;
      const reader = table.intercepted(async (name, _, send) => {
        if (name === 'BatchGetItem' && replacements-- > 0)
          await writer.set('key', Buffer.alloc(MB, ++byte), meta());
        return send();
      });
      await writer.set('key', Buffer.alloc(MB, 0), meta());
      expect(Buffer.alloc(MB, 1).equals((await reader.get('key')) ?? Buffer.alloc(0))).to.equal(true);
      replacements = 1;
      await writer.set('key', Buffer.from('small'), meta());
      replacements = 100;
      await writer.set('key', Buffer.alloc(MB, 0), meta());
      expect(await reader.get('key')).to.equal(undefined);
      expect(byte).to.equal(4);
    });

    it('is missed when it was deleted between its head and its parts', async () => {
      const writer = table.store();
      const reader = table.intercepted(async (name, _, send) => {
        if (name === 'BatchGetItem') await writer.delete(['key']);
        return send();
      });
      await writer.set('key', randomBytes(MB), meta());
      expect(await reader.get('key')).to.equal(undefined);
      expect(await table.items()).to.deep.equal([]);
    });

    it('leaves no parts behind when several delete and replace it at once', async () => {
      const stores = [table.store(), table.store(), table.store()];
      for (let turn = 0; turn < 4; turn++) {
        await Promise.all(
          stores.map((store, n) =>
            n === 0 ? store.delete(['key']) : store.set('key', randomBytes(MB), meta()),
          ),
        );
      }
      await stores[0]?.delete(['key']);
      expect(await table.items()).to.deep.equal([]);
    });
  });

  describe('deleting what was found a moment ago', () => {
    it('leaves a large entry alone that has replaced a large one since', async () => {
      const writer = table.store();
      const value = randomBytes(MB);
      const store = table.intercepted(async (name, _, send) => {
        const answer = await send();
        if (name === 'Scan') await writer.set('key', value, meta());
        return answer;
      });
      for (const remove of [() => store.clear(), () => store.deleteExpired(5)]) {
        await writer.set('key', randomBytes(2 * MB), meta({ expiresAt: 1 }));
        await remove();
        expect(value.equals((await writer.get('key')) ?? randomBytes(1))).to.equal(true);
        expect((await table.items()).length).to.equal(4);
      }
    });

    it('counts what is there no more only where it had one item', async () => {
      const writer = table.store();
      const store = table.intercepted(async (name, _, send) => {
        const answer = await send();
        if (name === 'Scan') await writer.delete(['large']);
        return answer;
      });
      await writer.set('large', randomBytes(MB), meta({ expiresAt: 1 }));
      await writer.set('small', randomBytes(5), meta({ expiresAt: 1 }));
      expect(await store.deleteExpired(5)).to.equal(1);
    });
  });

  describe('behind a connection that fails', () => {
    let proxy: TcpProxy;
    beforeEach(async () => {
      proxy = await startProxy(endpoint);
    });
    afterEach(() => proxy.close());
    const throughProxy = () =>
      table.store({
        endpoint: proxy.url,
        clientOptions: { credentials, requestHandler: { socketTimeout: 200 }, maxAttempts: 2 },
      });

    for (const mode of ['refuse', 'hang'] as const) {
      it(`fails while it does (${mode}), and works again by itself`, async () => {
        const store = throughProxy();
        await store.set('key', Buffer.from('v'), meta());
        proxy.mode = mode;
        await expectStoreError(() => store.get('key'));
        await expectStoreError(() => store.set('key', Buffer.from('w'), meta()));
        proxy.mode = 'pass';
        await proxy.listening();
        expect(text(await store.get('key'))).to.be.oneOf(['v', 'w']);
        await store.set('key', Buffer.from('x'), meta());
        expect(text(await store.get('key'))).to.equal('x');
      });
    }

    it('is tried again by the driver when it breaks between two operations', async () => {
      const store = throughProxy();
      await store.set('key', Buffer.from('v'), meta());
      for (let n = 0; n < 5; n++) {
        proxy.cut();
        expect(text(await store.get('key'))).to.equal('v');
      }
    });

    it('closes in time, and what is under way fails', async () => {
      const store = table.store({ endpoint: proxy.url });
      await store.set('key', Buffer.from('v'), meta());
      proxy.mode = 'hang';
      const calls = [
        failure(() => store.get('key')),
        failure(() => store.set('key', randomBytes(MB), meta())),
        failure(() => allKeys(store)),
      ];
      const start = performance.now();
      await store.close();
      expect(performance.now() - start).to.be.within(1900, 4000);
      for (const error of await Promise.all(calls)) {
        expect(String(error)).to.match(/CacheStoreError: .*the store was closed/);
      }
      // Connections that the client held are gone.
      proxy.mode = 'pass';
      for (let n = 0; n < 100 && proxy.connections > 0; n++)
        await new Promise((resolve) => setTimeout(resolve, 20));
      expect(proxy.connections).to.equal(0);
    });
  });

  describe('closed', () => {
    it('has done what was under way', async () => {
      const store = table.store();
      const writing = [1, 2, 3].map((n) => store.set(`key ${n}`, randomBytes(n * 100_000), meta()));
      await store.close();
      await Promise.all(writing);
      expect((await allKeys(table.store())).length).to.equal(3);
    });

    it('while the table is being made, is closed in time', async () => {
      const store = table.intercepted((name, _, send) =>
        name === 'DescribeTable' ? Promise.resolve({ Table: { TableStatus: 'CREATING' } }) : send(),
      );
      const writing = failure(() => store.set('key', Buffer.from('v'), meta()));
      const start = performance.now();
      await store.close();
      expect(performance.now() - start).to.be.lessThan(4000);
      expect(String(await writing)).to.match(/the store was closed/);
    });

    it('leaves a client that was handed in as it was', async () => {
      const { client } = table;
      const stack = JSON.stringify(client.middlewareStack.identify());
      const store = table.store({ client });
      await store.set('key', Buffer.from('v'), meta());
      await store.close();
      expect(JSON.stringify(client.middlewareStack.identify())).to.equal(stack);
      const Key = { key: { S: encodeTextKey('key') } };
      const { Item } = await client.send(new GetItemCommand({ TableName: table.name, Key }));
      expect(Item).to.have.property('stash');
      await client.send(new ListTablesCommand({}));
      await expectStoreError(() => store.get('key'));
    });

    it('ends a listing that is under way with an error', async () => {
      const store = table.store();
      for (const key of ['a', 'b', 'c', 'd']) await store.set(key, randomBytes(390_000), meta());
      const keys = store.keys()[Symbol.asyncIterator]();
      await keys.next();
      await store.close();
      await expectStoreError(async () => {
        while ((await keys.next()).done !== true);
      });
    });
  });

  describe('several processes', function () {
    this.timeout(120_000);

    it('lose none of 4 x 500 writes to a table that is not there at first', async () => {
      await Promise.all(['a', 'b', 'c', 'd'].map((name) => inProcess(options(), ['write', name, '500'])));
      const store = table.store();
      expect(new Set(await allKeys(store)).size).to.equal(2000);
      expect(await store.count({ now: 0 })).to.equal(2000);
    });

    it('share responses to the same URLs without an error', async () => {
      const own = await rig({ backend: table.store() });
      const url = `${own.origin.url}/shared/`;
      try {
        const outputs = await Promise.all(
          Array.from({ length: 5 }, () => inProcess(options(), ['request', url, '20'])),
        );
        for (const output of outputs) {
          const { hits, told } = JSON.parse(output);
          expect(told).to.deep.equal([]);
          expect(hits).to.be.within(20, 40);
        }
        expect(await own.adapter.cache.count()).to.equal(20);
        for (let n = 0; n < 20; n++) expect((await own.http.get(`/shared/${n}`)).fromCache).to.equal(true);
        expect(own.errors).to.deep.equal([]);
      } finally {
        await own.close();
      }
    });
  });

  describe('behind the adapter', () => {
    it('keeps responses of any size, for the next adapter too', async () => {
      const bodies = new Map([0, 1, 1000, 500_000, 3 * MB].map((size) => [`/${size}`, randomBytes(size)]));
      const own = await rig({ backend: table.store(), storeTimeout: 15 }, {}, (request, res) => {
        res.end(bodies.get(request.url));
      });
      try {
        const next = own.another({ backend: table.store(), storeTimeout: 15 });
        for (const [url, body] of bodies) {
          for (const fromCache of [false, true]) {
            const response = await own.http.get<Buffer>(url, { responseType: 'arraybuffer' });
            expect(response.fromCache, url).to.equal(fromCache);
            expect(body.equals(response.data), url).to.equal(true);
          }
        }
        await own.adapter.cache.flush();
        for (const [url, body] of bodies) {
          const response = await next.http.get<Buffer>(url, { responseType: 'arraybuffer' });
          expect(response.fromCache, url).to.equal(true);
          expect(body.equals(response.data), url).to.equal(true);
        }
        expect(own.origin.count).to.equal(bodies.size);
        expect(await own.adapter.cache.count()).to.equal(bodies.size);
        await own.adapter.clear();
        expect((await next.http.get('/1')).fromCache).to.equal(false);
        expect(own.errors).to.deep.equal([]);
      } finally {
        await own.close();
      }
    });

    it('removes expired responses, and invalidates by URL', async () => {
      const own = await rig({ backend: table.store(), expireAfter: 10, storeTimeout: 15 });
      try {
        await own.http.get('/a');
        await own.http.get('/b', { expireAfter: -1 });
        await own.adapter.cache.flush();
        own.clock.tick(11);
        expect(await own.adapter.removeExpiredResponses()).to.equal(1);
        expect((await own.http.get('/b')).fromCache).to.equal(true);
        expect((await own.http.get('/a')).fromCache).to.equal(false);
        await own.http.post('/b');
        await own.adapter.cache.flush();
        expect((await own.http.get('/b')).fromCache).to.equal(false);
        expect(own.errors).to.deep.equal([]);
      } finally {
        await own.close();
      }
    });

    it('lets requests go on while the server is gone, and tells', async () => {
      const proxy = await startProxy(endpoint);
      const own = await rig({ backend: table.store({ endpoint: proxy.url }) });
      try {
        await own.http.get('/a');
        await own.adapter.cache.flush();
        proxy.mode = 'refuse';
        expect(await own.http.get('/a')).to.include({ status: 200, fromCache: false });
        await own.adapter.cache.flush();
        expect(own.errors.length).to.be.greaterThan(0);
        for (const { error, store } of own.errors) {
          expect(error?.name).to.equal('CacheStoreError');
          expect(store).to.equal('DynamoDBBackend');
        }
      } finally {
        await own.close();
        await proxy.close();
      }
    });
  });
});
