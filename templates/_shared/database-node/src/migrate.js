// Brings the database to the state of this release: node src/migrate.js. Each file of migrations/ runs once, in the order of the names,
// in a transaction. It runs before the release takes traffic; a second one at the same time waits for the first.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import pg from 'pg';
import { readSettings } from './settings.js';

// Any number, the same in every release of this service.
const LOCK = 7301944;
const folder = new URL('../migrations/', import.meta.url);
const log = (fields) => console.log(JSON.stringify({ time: new Date().toISOString(), severity: 'INFO', ...fields }));

const client = new pg.Client({ connectionString: readSettings().databaseUrl, connectionTimeoutMillis: 10_000 });
await client.connect();
try {
  await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
  // A statement that waits for a lock makes every request behind it wait: rather fail, and be tried again.
  await client.query("SET lock_timeout = '5s'");
  await client.query('CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())');
  const { rows } = await client.query('SELECT name, sha256 FROM schema_migrations');
  const applied = new Map(rows.map((row) => [row.name, row.sha256]));
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.sql')).sort()) {
    const sql = readFileSync(new URL(name, folder), 'utf8');
    const sha256 = createHash('sha256').update(sql).digest('hex');
    if (applied.has(name)) {
      // What ran must not be rewritten: databases would differ without anybody seeing it.
      if (applied.get(name) !== sha256) throw new Error(`${name} was changed after it had been applied; write a new one`);
      continue;
    }
    await client.query('BEGIN');
    try {
      await client.query(sql);
      await client.query('INSERT INTO schema_migrations (name, sha256) VALUES ($1, $2)', [name, sha256]);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    }
    log({ message: 'applied', migration: name });
  }
  log({ message: 'the database is up to date' });
} finally {
  await client.end();
}
