import { isNativeError } from 'node:util/types';
import axios, { AxiosError, AxiosHeaders, CanceledError, type InternalAxiosRequestConfig } from 'axios';
import { expect } from 'chai';
import {
  bodyError,
  canceledError,
  cancellationOf,
  endedByFetch,
  onCancel,
  ownError,
  timeoutError,
} from '../../lib/response/errors.js';
import { Origin } from '../support/origin.js';
import { ask, configOf, failure, isMirrored } from './support.js';

const told = (error: unknown) => {
  const { name, message, code, config, status } = error as AxiosError;
  return {
    name,
    message,
    code,
    config,
    status,
    isAxiosError: axios.isAxiosError(error),
    isCancel: axios.isCancel(error),
  };
};

describe('response/errors: as http.js makes them', () => {
  let origin: Origin;
  before(async () => {
    origin = await Origin.start(() => {}); // never answers
  });
  after(() => origin.close());

  const timeouts: [string, object][] = [
    ['plain', { timeout: 20 }],
    ['with an own message', { timeout: 20, timeoutErrorMessage: 'too slow' }],
    ['clarified', { timeout: 20, transitional: { clarifyTimeoutError: true } }],
    ['without transitional', { timeout: 20, transitional: undefined }],
    ['as a string', { timeout: '20' }],
  ];
  for (const [name, fields] of timeouts) {
    it(`timeout, ${name}`, async () => {
      const config = configOf({ url: origin.url, ...fields });
      const theirs = await failure(ask('http', config));
      expect(told(timeoutError(config))).to.deep.equal(told(theirs));
    });
  }

  it('abort', async () => {
    const controller = new AbortController();
    const config = configOf({ url: origin.url, signal: controller.signal });
    const attempt = failure(ask('http', config));
    controller.abort(new Error('why'));
    expect(told(canceledError(config))).to.deep.equal(told(await attempt));
  });

  it('a cancelled token gives its own reason', async () => {
    const { token, cancel } = axios.CancelToken.source();
    const config = configOf({ url: origin.url, cancelToken: token });
    const attempt = failure(ask('http', config));
    cancel('enough');
    expect(await attempt).to.equal(token.reason);
    expect(cancellationOf(config)).to.equal(token.reason);
  });

  it('an unknown encoding', async () => {
    const text = await Origin.start();
    try {
      const config = configOf({ url: text.url, responseEncoding: 'nope' });
      const theirs = (await failure(ask('http', config))) as AxiosError;
      const response = await ask('http', configOf({ url: text.url }));
      const ours = bodyError(
        await failure(() => Buffer.from('x').toString('nope' as 'utf8')),
        { ...response, config },
        'http',
      );
      expect(told(ours)).to.deep.equal(told(theirs));
      expect(ours.response?.config).to.equal(theirs.response?.config);
    } finally {
      await text.close();
    }
  });
});

describe('response/errors: as fetch.js makes them', () => {
  let origin: Origin;
  before(async () => {
    origin = await Origin.start(() => {}); // never answers
  });
  after(() => origin.close());

  /** What can be seen of it, but for the request: nobody has sent one for the caller alone. An old one has its own class. */
  const seen = (error: unknown) => ({
    ...told(error),
    class: isMirrored ? (error as Error).constructor : undefined,
  });
  const timeoutOf = (config: InternalAxiosRequestConfig) => endedByFetch(timeoutError(config), config);

  const timeouts: [string, object][] = [
    ['plain', { timeout: 20 }],
    ['with an own message', { timeout: 20, timeoutErrorMessage: 'too slow' }],
    ['not clarified', { timeout: 20, transitional: { clarifyTimeoutError: false } }],
    ['with zeros and ones in it', { timeout: 101 }],
    ['of a POST', { timeout: 20, method: 'post' }],
  ];
  for (const [name, fields] of timeouts) {
    // An old one words it otherwise.
    (isMirrored ? it : it.skip)(`timeout, ${name}`, async () => {
      const config = configOf({ url: `${origin.url}/a?b=1`, ...fields });
      const theirs = await failure(ask('fetch', config));
      expect(seen(timeoutOf(config))).to.deep.equal(seen(theirs));
    });
  }

  const reasons: [string, unknown][] = [
    ['none', undefined],
    ['an error', new Error('why')],
    ['a text', 'enough'],
    ['null', null],
    ['an AxiosError', new AxiosError('mine', 'E_MINE')],
  ];
  for (const [name, reason] of reasons) {
    it(`abort, its reason ${name}`, async () => {
      const controller = new AbortController();
      const config = configOf({ url: origin.url, signal: controller.signal });
      const attempt = failure(ask('fetch', config));
      controller.abort(reason);
      const theirs = seen(await attempt);
      const ours = cancellationOf(config);
      expect(seen(endedByFetch(ours, config))).to.deep.equal(theirs);
    });
  }

  // An old one does not obey a token.
  (isMirrored ? it : it.skip)('a cancelled token gives its own reason', async () => {
    const { token, cancel } = axios.CancelToken.source();
    const config = configOf({ url: origin.url, cancelToken: token });
    const attempt = failure(ask('fetch', config));
    cancel('enough');
    const theirs = seen(await attempt);
    const ours = endedByFetch(cancellationOf(config), config);
    expect(ours).to.equal(token.reason);
    expect(seen(ours)).to.deep.equal(theirs);
  });
});

describe('response/errors: onCancel', () => {
  it('calls once and leaves nothing behind, whichever comes first', async () => {
    for (const first of ['signal', 'token'] as const) {
      const { token, cancel } = axios.CancelToken.source();
      const signal = new CountingSignal();
      const config = configOf({ signal, cancelToken: token });
      const errors: unknown[] = [];
      onCancel(config, (error) => errors.push(error));
      const abort = () => signal.abort();
      for (const give of first === 'signal' ? [abort, cancel] : [cancel, abort]) {
        give();
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(errors).to.have.lengthOf(1);
      expect(errors[0]).to.include({ code: 'ERR_CANCELED', ...(first === 'signal' && { config }) });
      expect(signal.listeners.size).to.equal(0);
    }
  });

  it('unsubscribes from both', async () => {
    const { token, cancel } = axios.CancelToken.source();
    const signal = new CountingSignal();
    let calls = 0;
    const unsubscribe = onCancel(configOf({ signal, cancelToken: token }), () => {
      calls += 1;
    });
    expect(signal.listeners.size).to.equal(1);
    unsubscribe();
    unsubscribe();
    expect(signal.listeners.size).to.equal(0);
    cancel();
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).to.equal(0);
  });

  it('calls at once when the caller has already given up', () => {
    const errors: unknown[] = [];
    const config = configOf({ signal: AbortSignal.abort() });
    onCancel(config, (error) => errors.push(error))();
    expect(errors).to.have.lengthOf(1);
    expect(errors[0]).to.include({ name: 'CanceledError', config });
  });

  it('asks nothing of a config without signal and token', () => {
    expect(cancellationOf(configOf())).to.equal(undefined);
    onCancel(configOf(), () => {
      throw new Error('called');
    })();
  });
});

/** A signal of somebody else's make, as axios allows. */
class CountingSignal {
  aborted = false;
  readonly listeners = new Set<() => void>();
  addEventListener(_type: string, listener: () => void): void {
    this.listeners.add(listener);
  }
  removeEventListener(_type: string, listener: () => void): void {
    this.listeners.delete(listener);
  }
  abort(): void {
    this.aborted = true;
    for (const listener of this.listeners) listener();
  }
}

describe('response/errors: ownError', () => {
  it("is the network error with the caller's config", async () => {
    const theirs = (await failure(ask('http', configOf({ url: 'http://127.0.0.1:1/' })))) as AxiosError;
    const config = configOf({ url: 'mine' });
    const own = ownError(theirs, config) as AxiosError;
    expect(own).not.to.equal(theirs);
    expect(own).to.be.instanceOf(AxiosError);
    expect(told(own)).to.deep.equal({ ...told(theirs), config });
    expect(own.config).to.equal(config);
    expect(own.cause).to.equal(theirs.cause);
    expect(own.request).to.equal(theirs.request);
    expect(own.stack).to.equal(theirs.stack);
    expect(Object.keys(own).sort()).to.deep.equal(Object.keys(theirs).sort());
    expect(own.toJSON()).to.include({ message: theirs.message, code: 'ECONNREFUSED' });
    expect(theirs.config).not.to.equal(config);
  });

  it('keeps a cancellation one', () => {
    const config = configOf();
    const own = ownError(new CanceledError('enough', configOf(), {}), config);
    expect(own).to.be.instanceOf(CanceledError);
    expect(told(own)).to.include({
      name: 'CanceledError',
      message: 'enough',
      code: 'ERR_CANCELED',
      isCancel: true,
    });
    expect(own).to.have.property('config', config);
  });

  it("keeps the class of an inner adapter's own error", () => {
    class Refused extends AxiosError {
      readonly retries: number;
      constructor(retries: number) {
        super('refused', 'E_REFUSED');
        this.retries = retries;
      }
      get isFinal(): boolean {
        return this.retries === 0;
      }
    }
    const error = new Refused(0);
    const config = configOf();
    const own = ownError(error, config) as Refused;
    expect(own).not.to.equal(error);
    expect(own).to.be.instanceOf(Refused);
    expect(own).to.include({ code: 'E_REFUSED', message: 'refused', retries: 0, isFinal: true, config });
    expect(own.stack).to.equal(error.stack);
    expect(isNativeError(own)).to.equal(true);
    expect(error.config).to.equal(undefined);
  });

  it('keeps fields that somebody added', () => {
    const error = Object.assign(new AxiosError('x', 'E'), { errno: -1, url: 'u', exists: true });
    expect(ownError(error, configOf())).to.include({ errno: -1, url: 'u', exists: true });
  });

  it('gives each caller its own response', () => {
    const data = Buffer.from('body');
    const response = {
      status: 500,
      statusText: '',
      headers: new AxiosHeaders({ a: '1' }),
      config: configOf(),
      request: {},
      data,
    };
    const error = new AxiosError(
      'm',
      'ERR_BAD_RESPONSE',
      response.config,
      response.request,
      response as never,
    );
    const config = configOf();
    const own = ownError(error, config) as AxiosError;
    expect(own.response?.config).to.equal(config);
    expect(own.status).to.equal(error.status);
    if (own.response === undefined) throw new Error('no response');
    Object.assign(own.response.headers, { a: '2' });
    (own.response.data as Buffer).fill(0);
    expect(response.headers.get('a')).to.equal('1');
    expect(data.toString()).to.equal('body');
  });

  it("shares a response's stream, since there is only one", () => {
    const data = new ReadableStream();
    const response = { status: 500, statusText: '', headers: new AxiosHeaders(), config: configOf(), data };
    const own = ownError(new AxiosError('m', 'E', response.config, undefined, response as never), configOf());
    expect(own).to.have.nested.property('response.data', data);
  });

  for (const [name, error] of [
    ['an Error', new TypeError('x')],
    ['a string', 'x'],
    ['undefined', undefined],
  ] as const) {
    it(`passes ${name} through`, () => expect(ownError(error, configOf())).to.equal(error));
  }
});
