import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { MirrorDriver } from './driver.js';
import { TABLES } from './schema.js';

/**
 * PostgreSQL's logical replication in the place of pgfig's mirror, through the same networks: a mirror that is known to
 * work, so that what fails with it is the harness.
 */
export const standIn: MirrorDriver = {
  name: 'logical replication',
  settings: {
    wal_level: 'logical',
    wal_receiver_timeout: '2s',
    wal_sender_timeout: '2s',
    wal_receiver_status_interval: '1s',
    max_replication_slots: '20',
    max_logical_replication_workers: '8',
    max_sync_workers_per_subscription: '4',
    wal_retrieve_retry_interval: '100ms',
  },
  rules: () => ({ shop: { database: 'new_shop', tables: TABLES.map((name) => `public.${name}`), phase: 'monolith' } }),
  install: async (world) => {
    // Leaf by leaf: by way of the root, the TRUNCATE of a leaf is not replicated.
    await world.inSource(`CREATE PUBLICATION shop FOR TABLE ${TABLES.join()}`);
  },
  backfill: async (world) => {
    const [exists] = await world.inTarget('SELECT FROM pg_subscription');
    const url = new URL(world.sourceUrl);
    url.port = String(world.sourceNetwork.port);
    if (exists === undefined) {
      await world.inTarget(`CREATE SUBSCRIPTION shop CONNECTION '${url.href}' PUBLICATION shop`);
    }
    for (;;) {
      const left = await world.inTarget("SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r'");
      if (left.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  },
  behind: async (world) => {
    const [row] = await world.inSource<{ left: string | null }>(
      'SELECT max(pg_current_wal_lsn() - confirmed_flush_lsn) AS left FROM pg_replication_slots',
    );
    // The next keepalive tells of the last bytes.
    const left = Number(row?.left ?? Number.NaN);
    return left < 200 ? null : `${left} bytes`;
  },
  wholeSql: 'SELECT true AS whole',
  report: async (world) => {
    const slots = await world.inSource('SELECT * FROM pg_replication_slots').catch(String);
    const tables = await world.inTarget('SELECT * FROM pg_subscription_rel').catch(String);
    const log = await readFile(path.join(world.target.dataFolder, '..', 'server.log'), 'utf8');
    const errors = log.split('\n').filter((line) => /ERROR|FATAL|CONTEXT/.test(line));
    return JSON.stringify({ slots, tables, errors: errors.slice(-6) });
  },
};
