// Settings: the environment, checked once at start, so that a wrong value stops the rollout and not a request.
import { existsSync, readFileSync } from 'node:fs';

const LEVELS = ['debug', 'info', 'warn', 'error'];

function number(environment, name, otherwise, least, most) {
  const text = environment[name] ?? String(otherwise);
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw new Error(`${name}: a number from ${least} to ${most}, not "${text}"`);
  return value;
}
<% if database %>

// Docker mounts its secrets as files named like the setting; elsewhere the variable is set.
function secret(environment, name) {
  const file = `/run/secrets/${name.toLowerCase()}`;
  const value = environment[name] ?? (existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined);
  if (!value) throw new Error(`${name} is not set`);
  return value;
}
<% endif %>

export function readSettings(environment = process.env) {
  const logLevel = environment.LOG_LEVEL ?? 'info';
  if (!LEVELS.includes(logLevel)) throw new Error(`LOG_LEVEL: one of ${LEVELS.join(', ')}, not "${logLevel}"`);
  return {
    port: number(environment, 'PORT', <{ port }>, 1, 65535),
    shutdownGraceS: number(environment, 'SHUTDOWN_GRACE_S', 20, 1, 300),
    logLevel,
    environment: environment.ENVIRONMENT ?? 'local',
    version: environment.VERSION ?? 'dev',
<% if database %>
    databaseUrl: secret(environment, 'DATABASE_URL'),
<% endif %>
  };
}
