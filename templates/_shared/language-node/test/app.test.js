// The promises that the platform relies on: probes, metrics, settings.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp } from '../src/app.js';
import { readSettings } from '../src/settings.js';

<% if database %>
// Nobody listens on port 1: the tests need no database, and the connection is refused at once.
const BASE = { LOG_LEVEL: 'error', VERSION: '1.2.3', DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' };
<% else %>
const BASE = { LOG_LEVEL: 'error', VERSION: '1.2.3' };
<% endif %>

async function withApp(work) {
  const app = createApp(readSettings(BASE));
  try {
    await work(app);
  } finally {
    await app.close();
  }
}

test('alive without asking anybody', () =>
  withApp(async (app) => assert.deepEqual((await app.inject('/healthz')).json(), { status: 'alive' })));

<% if database %>
test('not ready without its database', () =>
  withApp(async (app) => {
    const answer = await app.inject('/readyz');
    assert.equal(answer.statusCode, 503);
    assert.equal(answer.json().status, 'database does not answer');
  }));

test('the address of the database is required', () => {
  assert.throws(() => readSettings({}), /DATABASE_URL/);
});
<% else %>
test('ready once started', () => withApp(async (app) => assert.equal((await app.inject('/readyz')).statusCode, 200)));
<% endif %>

test('not ready while stopping', () =>
  withApp(async (app) => {
    app.stopping();
    assert.equal((await app.inject('/readyz')).json().status, 'stopping');
  }));

test('the version that answers', () =>
  withApp(async (app) => assert.equal((await app.inject('/api/v1/info')).json().version, '1.2.3')));

test('requests are counted by route and probes are not', () =>
  withApp(async (app) => {
    for (const url of ['/api/v1/info', '/healthz', '/no/such/path']) await app.inject(url);
    const { body } = await app.inject('/metrics');
    assert.match(body, /http_requests_total\{method="GET",route="\/api\/v1\/info",code="200"\} 1/);
    assert.match(body, /route="unmatched"/);
    assert.doesNotMatch(body, /route="\/healthz"/);
    assert.match(body, /le="<{ latency_s }>"/);
  }));

test('metrics are not for outside', () =>
  withApp(async (app) => {
    const answer = await app.inject({ url: '/metrics', headers: { 'x-forwarded-for': '203.0.113.7' } });
    assert.equal(answer.statusCode, 404);
  }));

test('a wrong setting stops the start', () => {
  assert.throws(() => readSettings({ ...BASE, PORT: '0' }), /PORT/);
  assert.throws(() => readSettings({ ...BASE, LOG_LEVEL: 'loud' }), /LOG_LEVEL/);
});
<% if events %>

test('an event is acknowledged and a broken one is not', () =>
  withApp(async (app) => {
    const push = (message) => app.inject({ method: 'POST', url: '/events', payload: { message, subscription: 'projects/p/subscriptions/s' } });
    assert.equal((await push({ messageId: '1', data: 'aGVsbG8=' })).statusCode, 204);
    assert.equal((await push({ messageId: '1', data: 'not base64!' })).statusCode, 400);
    assert.equal((await push({})).statusCode, 400);
  }));
<% endif %>
