import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { freePorts } from '../../services/ports.mjs';
import { servers } from '../../services/servers.mjs';
import { startProxy, type TcpProxy } from './proxy.js';
import { describeService, findService, type PrivateServer, startPrivate } from './services.js';

describe('a proxy', () => {
  let echo: Server;
  let proxy: TcpProxy;
  let clients: Socket[];

  beforeEach(async () => {
    clients = [];
    echo = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await startProxy(portOf(echo));
  });

  afterEach(async () => {
    for (const client of clients) client.destroy();
    await proxy.close();
    echo.close();
  });

  async function connected(): Promise<Socket> {
    const client = connect(proxy.port, '127.0.0.1');
    clients.push(client);
    await once(client, 'connect');
    return client;
  }

  it('has the URL of the target with its own port', async () => {
    const other = await startProxy('redis://:secret@localhost:1234/2');
    expect(other.url).to.equal(`redis://:secret@127.0.0.1:${other.port}/2`);
    await other.close();
  });

  it('passes both ways, and the end too', async () => {
    const client = await connected();
    expect(await echoed(client, 'a')).to.equal('a');
    client.end('b');
    expect(await textOf(client)).to.equal('b');
  });

  it('passes much at once unharmed', async () => {
    const client = await connected();
    const much = 'x'.repeat(5e6);
    client.end(much);
    expect(await textOf(client)).to.equal(much);
  });

  it('refuses, and accepts on the same port again', async () => {
    const client = await connected();
    const { port } = proxy;
    proxy.mode = 'refuse';
    await once(client, 'close');
    expect(await errorOf(proxy.port)).to.equal('ECONNREFUSED');
    proxy.mode = 'pass';
    expect(await echoed(await connected(), 'again')).to.equal('again');
    expect(proxy.port).to.equal(port);
  });

  it('hangs with all that comes, and delivers it in order when that ends', async () => {
    const before = await connected();
    proxy.mode = 'hang';
    const during = await connected();
    before.write('a');
    before.write('b');
    during.write('c');
    // What a passing proxy does in the meantime, this one does not.
    const passing = await startProxy(portOf(echo));
    const other = connect(passing.port, '127.0.0.1');
    expect(await echoed(other, 'd')).to.equal('d');
    expect([before.bytesRead, during.bytesRead]).to.deep.equal([0, 0]);
    other.destroy();
    await passing.close();

    proxy.mode = 'pass';
    expect(await read(before, 2)).to.equal('ab');
    expect(await read(during, 1)).to.equal('c');
  });

  it('delays each chunk, and not one after the other', async () => {
    const client = await connected();
    proxy.mode = { delay: 40 };
    const began = performance.now();
    expect(await echoed(client, 'a')).to.equal('a');
    expect(performance.now() - began)
      .to.be.at.least(79)
      .and.below(2000);
  });

  it('cuts what is open, and nothing else', async () => {
    const client = await connected();
    expect(await echoed(client, 'a')).to.equal('a');
    expect(proxy.connections).to.equal(1);
    proxy.cut();
    await once(client, 'close');
    expect(proxy.connections).to.equal(0);
    expect(await echoed(await connected(), 'b')).to.equal('b');
  });

  it('closes the connection of a client whose server is not there', async () => {
    echo.close();
    const client = connect(proxy.port, '127.0.0.1');
    clients.push(client);
    await once(client, 'close');
  });
});

describe('findService', () => {
  it('says that the server of the environment does not answer', async () => {
    const [port] = await freePorts(1);
    const environment = {
      REDIS_URL: `redis://127.0.0.1:${port}`,
      REDIS_CLUSTER_URLS: `redis://127.0.0.1:${port}`,
      DYNAMODB_ENDPOINT: `http://127.0.0.1:${port}`,
    };
    for (const name of ['redis', 'redis-cluster', 'dynamodb'] as const) {
      const service = await findService(name, environment);
      expect(service)
        .to.have.property('missing')
        .that.matches(/^[A-Z_]+ is set, but .*ECONNREFUSED/);
    }
  });

  it('says that the URL of the environment is none', async () => {
    const environment = { REDIS_URL: 'nonsense', MONGODB_URL: 'nonsense', DYNAMODB_ENDPOINT: 'nonsense' };
    for (const name of ['redis', 'mongodb', 'dynamodb'] as const) {
      const service = await findService(name, environment);
      expect(service)
        .to.have.property('missing')
        .that.matches(/^[A-Z_]+ is set, but /);
    }
  });

  it('does not take a server that speaks something else', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end('220 hello\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `redis://127.0.0.1:${portOf(server)}`;
    const endpoint = `http://127.0.0.1:${portOf(server)}`;
    const environment = { REDIS_URL: url, DYNAMODB_ENDPOINT: endpoint };
    expect(await findService('redis', environment)).to.have.property('missing');
    expect(await findService('dynamodb', environment)).to.have.property('missing');
    server.close();
  });

  it('says what to install where there is no server', async () => {
    const service = await findService('redis-cluster', { PATH: '' });
    expect(service).to.have.property('missing', 'REDIS_CLUSTER_URLS is not set, redis-server is not on PATH');
  });

  it('looks once', () => {
    const environment = { REDIS_URL: 'nonsense' };
    expect(findService('redis', environment)).to.equal(findService('redis', environment));
  });
});

for (const name of ['redis', 'redis-cluster', 'mongodb', 'dynamodb'] as const) {
  describeService(await findService(name), `the ${name} of this process`, (url) => {
    it('answers, by the URL that specs get', async () => {
      const { variable } = servers[name];
      expect(await findService(name, { [variable]: url })).to.deep.equal({ name, url });
    });
  });
}

describe('a private redis', () => {
  let redis: PrivateServer;

  before(async function () {
    const started = await startPrivate('redis', { password: 'a "word" of/its own' });
    if (started === undefined) return this.skip();
    redis = started;
  });

  after(async () => {
    await redis?.stop();
  });

  it('has a URL with its password', async () => {
    expect(await findService('redis', { REDIS_URL: redis.url })).to.have.property('url', redis.url);
    const stranger = { REDIS_URL: `redis://127.0.0.1:${redis.port}` };
    expect(await findService('redis', stranger))
      .to.have.property('missing')
      .that.contains('NOAUTH');
  });

  it('answers nothing while it is paused', async () => {
    const client = connect(redis.port, '127.0.0.1');
    redis.pause();
    client.write('PING\r\n');
    expect(await stateOf(redis.pids)).to.match(/^T/);
    expect(client.bytesRead).to.equal(0);
    redis.resume();
    expect(await read(client, 7)).to.match(/^-NOAUTH/);
    client.destroy();
  });

  it('is gone when killed, and back on the same port', async () => {
    const { port, url, pids } = redis;
    redis.pause();
    await redis.kill();
    expect(redis.pids).to.deep.equal([]);
    expect(await findService('redis', { REDIS_URL: url })).to.have.property('missing');
    await redis.restart();
    expect(redis.port).to.equal(port);
    expect(redis.pids).to.not.deep.equal(pids);
    expect(await findService('redis', { REDIS_URL: url })).to.have.property('url', url);
  });
});

describe('a process that has started a server', () => {
  before(function () {
    if (servers.redis.missing(process.env) !== undefined) this.skip();
  });

  it('ends by itself, and the server with it', async () => {
    const { child, port } = await startInChild('');
    const [code] = await once(child, 'exit');
    expect(code).to.equal(0);
    await untilRefused(port);
  });

  it('takes the server with it when it is killed', async () => {
    const { child, port } = await startInChild('setInterval(() => {}, 1000);');
    child.kill('SIGKILL');
    await untilRefused(port);
  });
});

async function startInChild(then: string): Promise<{ child: ChildProcess; port: number }> {
  const module = new URL('../../services/servers.mjs', import.meta.url).href;
  const program = `
    import { start } from ${JSON.stringify(module)};
    console.log((await start('redis')).port);
    ${then}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return { child, port: Number(line) };
}

async function untilRefused(port: number): Promise<void> {
  while ((await errorOf(port)) !== 'ECONNREFUSED') await nextTurn();
}

/** Of an attempt to connect, if any. */
async function errorOf(port: number): Promise<string | undefined> {
  const client = connect(port, '127.0.0.1');
  try {
    await once(client, 'connect');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    client.destroy();
  }
}

/** As `ps` tells it: T is stopped. */
async function stateOf(pids: readonly number[]): Promise<string> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', pids.join(',')]);
  return stdout.trim();
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function echoed(client: Socket, text: string): Promise<string> {
  client.write(text);
  return read(client, text.length);
}

async function read(client: Socket, length: number): Promise<string> {
  let text = '';
  while (text.length < length) {
    const [chunk] = await once(client, 'data');
    text += chunk;
  }
  return text;
}

async function textOf(client: Socket): Promise<string> {
  return Buffer.concat(await client.toArray()).toString();
}
