// The database: one pool for the process.
import pg from 'pg';

export function createDatabase(connectionString, log) {
  // The pool times the number of instances must stay below what the server allows (max_connections).
  const pool = new pg.Pool({ connectionString, max: 10, connectionTimeoutMillis: 3000, idleTimeoutMillis: 30_000, statement_timeout: 15_000 });
  // An idle connection that breaks (a failover) is no reason to end: the pool makes a new one.
  pool.on('error', (error) => log.warn({ error: error.code }, 'idle connection lost'));
  return {
    pool,
    async answers() {
      try {
        await pool.query('SELECT 1');
        return true;
      } catch (error) {
        // The code only: the text of the error can hold the address of the database.
        log.warn({ error: error.code }, 'database does not answer');
        return false;
      }
    },
    close: () => pool.end(),
  };
}
