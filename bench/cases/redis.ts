/** A hit from Redis on loopback, against what it can't do without: one round trip by the same client. */
import { randomUUID } from 'node:crypto';
import { createClient, RESP_TYPES } from '@redis/client';
import { findService } from '../../spec/support/services.js';
import { type Case, Unavailable } from '../harness.js';
import { startOrigin } from '../origin.js';
import { floor, ours, target } from '../subjects.js';

const BYTES = 1024;

export const redisCases: Case[] = [
  {
    name: 'redis-hit-1k',
    what: 'a hit of 1.0 kB of JSON in Redis on loopback',
    limits: [
      { subject: 'redis', over: 'floor + GET', atMost: 1.2 },
      { subject: 'redis, clientSideCache', over: 'floor', atMost: 1.2 },
    ],
    async open() {
      const service = await findService('redis');
      if (!('url' in service)) throw new Unavailable(service.missing);
      const origin = await startOrigin(BYTES);
      const wanted = target(origin.url, BYTES, 'json');
      const client = createClient({ url: service.url });
      await client.connect();
      const bare = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
      const namespace = `bench-${randomUUID()}`;
      const record = `${namespace}:bare`;
      await client.set(record, Buffer.alloc(BYTES + 500, 0x61)); // as long as the stored record
      const cached = [
        await ours('redis', wanted, { backend: 'redis', client, namespace }),
        await ours('redis, clientSideCache', wanted, {
          backend: 'redis',
          url: service.url,
          namespace: `${namespace}-tracked`,
          clientSideCache: true,
        }),
      ];
      return {
        subjects: [
          await floor('floor', wanted),
          await floor('floor + GET', wanted, () => bare.get(record)),
          ...cached.map(({ subject }) => subject),
        ],
        async close() {
          for (const { adapter } of cached) {
            await adapter.clear();
            await adapter.close();
          }
          await client.del(record);
          await client.close();
          await origin.close();
        },
      };
    },
  },
];
