import { expect } from 'chai';
import { createClient } from 'redis';
import { loadDriver } from '../../lib/stores/driver.js';
import { routeOf } from '../../lib/stores/redis/client.js';
import { type ConnectionEvents, LIMITS } from '../../lib/stores/redis/connection.js';
import { GivenConnection } from '../../lib/stores/redis/given.js';
import { InFlight } from '../../lib/stores/redis/in-flight.js';
import { OwnConnection } from '../../lib/stores/redis/own.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { describeService, findService } from '../support/services.js';
import { failure } from './contract.js';
import { timeOf, until } from './redis-support.js';

const redis = await findService('redis');

/** Where they are what is tried: so short that specs need not wait, and that a busy machine misses them at times. */
const SHORT = { connect: 300, answer: 300, close: 200 };
const PING = ['PING'];

function recorded() {
  const told: string[] = [];
  const events: ConnectionEvents = {
    connected: () => told.push('connected'),
    failed: (error) => told.push(`failed: ${error.message}`),
    invalidated: (key) => told.push(`invalidated: ${key}`),
  };
  return { told, events };
}

/** Waits until a command goes well. */
function answers(ping: () => Promise<unknown>): Promise<void> {
  return until('it answers', () =>
    ping().then(
      () => true,
      () => false,
    ),
  );
}

describe('commands in flight', () => {
  it('are given up after the limit, the oldest first, and count until the driver has settled them', async () => {
    let silences = 0;
    const inFlight = new InFlight(50, () => silences++);
    let answer: (value: string) => void = () => {};
    const late = inFlight.track(new Promise<string>((resolve) => (answer = resolve)));
    expect(String(await failure(() => late))).to.include('no answer within 0.05 s');
    expect([silences, inFlight.size, inFlight.abandoned]).to.deep.equal([1, 0, 1]);
    answer('too late');
    await until('it is settled', () => inFlight.abandoned === 0);
    expect(await inFlight.track(Promise.resolve('in time'))).to.equal('in time');
    expect(
      String(await failure(() => inFlight.track(Promise.reject(new Error('of the driver'))))),
    ).to.include('driver');
    expect(inFlight.size).to.equal(0);
  });

  it('are waited for, in bounded time', async () => {
    const inFlight = new InFlight(10_000, () => {});
    let answer: (value: string) => void = () => {};
    const soon = inFlight.track(new Promise<string>((resolve) => (answer = resolve)));
    setImmediate(() => answer('answer'));
    expect(await timeOf(() => inFlight.drain(5000, new Error('closed')))).to.be.lessThan(4000);
    expect(await soon).to.equal('answer');
    const never = failure(() => inFlight.track(new Promise(() => {})));
    await inFlight.drain(20, new Error('closed'));
    expect(String(await never)).to.include('closed');
  });
});

describeService(redis, 'connections to Redis', (url) => {
  let proxy: TcpProxy;
  const ends: (() => Promise<void> | void)[] = [];
  beforeEach(async () => {
    proxy = await startProxy(url);
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    await proxy.close();
  });

  describe('of our own', () => {
    const open = ({ tracking = false, limits = LIMITS } = {}) => {
      const { told, events } = recorded();
      const driver = loadDriver('redis', '@keyv/redis');
      const connection = new OwnConnection(driver, { url: proxy.url, tracking }, events, limits);
      ends.push(() => connection.close());
      return { connection, told, ping: () => connection.send('', PING) };
    };

    it('are made by the first command, and once for all that come meanwhile', async () => {
      const { told, ping } = open();
      expect(proxy.connections).to.equal(0);
      expect(await Promise.all([ping(), ping(), ping()])).to.deep.equal(['PONG', 'PONG', 'PONG']);
      expect(proxy.connections).to.equal(1);
      expect(told).to.deep.equal(['connected']);
    });

    it('fail at once while there is none, and come back by themselves', async () => {
      const { told, ping } = open();
      proxy.mode = 'refuse';
      expect(String(await failure(ping))).to.include('ECONNREFUSED');
      for (let n = 0; n < 20; n++) expect(await timeOf(ping)).to.be.lessThan(LIMITS.connect / 2);
      proxy.mode = 'pass';
      await answers(ping);
      expect(told).to.deep.equal(['connected']);
    });

    it('are made again when they break, and tell it when no command could', async () => {
      const { told, ping } = open();
      await ping();
      proxy.cut();
      await until('it is told', () => told.length > 1);
      expect(told[1]).to.match(/^failed: .*(closed|ECONNRESET)/);
      await answers(ping);
      expect(told.slice(2)).to.deep.equal(['connected']);
      await until('one connection is left', () => proxy.connections === 1);
    });

    it('let the commands on their way fail when they break', async () => {
      const { told, ping } = open();
      await ping();
      proxy.mode = 'hang';
      const waiting = failure(ping);
      await until('it is sent', () => proxy.connections === 1);
      proxy.cut();
      expect(String(await waiting)).to.match(/closed|ECONNRESET/);
      expect(told).to.deep.equal(['connected']);
    });

    it('are given up when a server accepts and says nothing', async () => {
      const { ping } = open({ limits: SHORT });
      proxy.mode = 'hang';
      expect(String(await failure(ping))).to.include('no connection within 0.3 s');
      await until('the next attempt is given up too', () => proxy.connections <= 1);
      proxy.mode = 'pass';
      await answers(ping);
      await until('one connection is left', () => proxy.connections === 1);
    });

    it('are replaced when a server says nothing any more', async () => {
      const { told, ping } = open({ limits: SHORT });
      await answers(ping);
      proxy.mode = 'hang';
      const waiting = await Promise.all([failure(ping), failure(ping)]);
      for (const error of waiting) expect(String(error)).to.include('no answer within 0.3 s');
      proxy.mode = 'pass';
      await answers(ping);
      expect(new Set(told)).to.deep.equal(new Set(['connected']));
      expect(told.length).to.be.greaterThan(1);
      await until('one connection is left', () => proxy.connections === 1);
    });

    for (const tracking of [false, true]) {
      it(`leave nothing behind when they are closed in any state${tracking ? ', with tracking' : ''}`, async () => {
        for (const [what, mode, prepare] of [
          ['not used', 'pass', async () => {}],
          ['in use', 'pass', async (ping) => void (await ping())],
          ['connecting', 'pass', async (ping) => void ping()],
          ['logging in', 'hang', async (ping) => void ping()],
          ['hanging', 'hang', async (ping) => void ping(), 'connected before'],
          ['refused', 'refuse', async (ping) => void (await ping().catch(() => {}))],
          ['refused right now', 'refuse', async (ping) => void ping()],
        ] as [string, TcpProxy['mode'], (ping: () => Promise<unknown>) => Promise<void>, string?][]) {
          const { connection, ping } = open({ tracking });
          if (what === 'hanging') await ping();
          proxy.mode = mode;
          const results: string[] = [];
          await prepare(() => {
            const sent = ping();
            sent.then(
              () => results.push('answered'),
              () => results.push('failed'),
            );
            return sent;
          }).catch(() => {});
          expect(await timeOf(() => connection.close()), what).to.be.lessThan(LIMITS.close + 2000);
          if (what !== 'not used') await until(`${what}: it is settled`, () => results.length === 1);
          expect(await failure(ping), what).to.be.instanceOf(Error);
          proxy.mode = 'pass';
          await until(`${what}: no connection is left`, () => proxy.connections === 0);
        }
      });
    }
  });

  describe('of the application', () => {
    const open = (options: Parameters<typeof createClient>[0] = {}, limits = LIMITS) => {
      const { told, events } = recorded();
      const client = createClient({ url: proxy.url, ...options });
      const connection = new GivenConnection(routeOf(client), false, events, limits);
      ends.push(() => connection.close());
      ends.push(() => {
        client.on('error', () => {});
        if (client.isOpen) client.destroy();
      });
      return { client, connection, told, ping: () => connection.send('', PING) };
    };

    it('fail soon while there is none, and work when the driver has one', async () => {
      const { client, ping } = open();
      proxy.mode = 'refuse';
      expect(String(await failure(ping))).to.include('ECONNREFUSED');
      for (let n = 0; n < 50; n++) expect(await timeOf(ping)).to.be.lessThan(LIMITS.connect / 2);
      expect(client.listenerCount('error')).to.equal(1);
      proxy.mode = 'pass';
      await answers(ping);
    });

    it('are tried again, not too often, when the driver gives up by itself', async () => {
      const { ping } = open({ socket: { reconnectStrategy: false } });
      proxy.mode = 'refuse';
      expect(String(await failure(ping))).to.include('ECONNREFUSED');
      proxy.mode = 'pass';
      await answers(ping);
    });

    it('tell a loss that no command could, once', async () => {
      const { told, ping } = open();
      await ping();
      proxy.mode = 'refuse';
      await until('it is told', () => told.length > 0);
      for (let n = 0; n < 3; n++) expect(await timeOf(ping)).to.be.lessThan(LIMITS.connect / 2);
      expect(told.length).to.equal(1);
      proxy.mode = 'pass';
      await answers(ping);
      proxy.cut();
      await until('it is told again', () => told.length === 2);
    });

    it('get no more commands than the driver can be left with, until they are answered', async () => {
      const { client, connection, ping } = open({}, SHORT);
      await answers(ping);
      proxy.mode = 'hang';
      const results = await Promise.all(Array.from({ length: 1000 }, () => failure(ping)));
      for (const error of results) expect(String(error)).to.include('no answer within 0.3 s');
      expect(String(await failure(ping))).to.include('no answer to 1000 commands');
      proxy.mode = 'pass';
      await answers(ping);
      await connection.close();
      expect(client.isReady).to.equal(true);
    });

    it('are waited for when somebody else connects them, in bounded time', async () => {
      const { client, ping } = open({}, SHORT);
      proxy.mode = 'hang';
      client.connect().catch(() => {});
      expect(String(await failure(ping))).to.include('no connection within 0.3 s');
      expect(String(await failure(ping))).to.include('no connection within 0.3 s');
      proxy.mode = 'pass';
      await answers(ping);
    });

    it('are closed in any state, in bounded time, and left alone', async () => {
      for (const [what, mode, before] of [
        ['not used', 'pass', async () => {}],
        ['in use', 'pass', async (ping) => void (await ping())],
        ['connecting', 'pass', async (ping) => void ping().catch(() => {})],
        ['logging in', 'hang', async (ping) => void ping().catch(() => {})],
        ['refused', 'refuse', async (ping) => void (await ping().catch(() => {}))],
      ] as [string, TcpProxy['mode'], (ping: () => Promise<unknown>) => Promise<void>][]) {
        const { client, connection, ping } = open();
        client.on('error', () => {});
        proxy.mode = mode;
        await before(ping);
        expect(await timeOf(() => connection.close()), what).to.be.lessThan(LIMITS.close + 2000);
        expect(await failure(ping), what).to.be.instanceOf(Error);
        expect(client.listenerCount('error'), what).to.equal(1);
        expect(client.isOpen, what).to.equal(what !== 'not used');
        if (client.isOpen) client.destroy();
        proxy.mode = 'pass';
      }
    });
  });
});
