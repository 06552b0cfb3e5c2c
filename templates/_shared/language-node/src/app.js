// The application: routes, and what is measured and logged of each request.
import Fastify from 'fastify';
<% if database %>
import { createDatabase } from './database.js';
<% endif %>
import { QUIET, createMetrics } from './metrics.js';

// The trace of a W3C traceparent header, so that a log line is found from its trace.
function traceId(header) {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(header ?? '')?.[1];
}

export function createApp(settings) {
  const app = Fastify({
    // One JSON object a line. `severity` is the name that Cloud Logging reads; others do not mind.
    logger: { level: settings.logLevel, messageKey: 'message', formatters: { level: (label) => ({ severity: label.toUpperCase() }) } },
    // Our own line for each request, with the route instead of the raw path, and none for probes.
    disableRequestLogging: true,
    bodyLimit: 1024 * 1024,
    requestTimeout: 30_000,
    trustProxy: true,
  });
  const metrics = createMetrics();
  let ready = true;
  app.decorate('stopping', () => {
    ready = false;
  });
<% if database %>
  const database = createDatabase(settings.databaseUrl, app.log);
  app.addHook('onClose', () => database.close());
<% endif %>

  app.addHook('onResponse', async (request, reply) => {
    // The label is the route (/items/:id), never the path: paths are endless, series are not.
    const route = request.routeOptions.url ?? 'unmatched';
    if (QUIET.has(route)) return;
    metrics.requests.inc({ method: request.method, route, code: reply.statusCode });
    metrics.duration.observe({ method: request.method, route }, reply.elapsedTime / 1000);
    const ms = Math.round(reply.elapsedTime * 10) / 10;
    request.log.info({ method: request.method, route, code: reply.statusCode, ms, trace_id: traceId(request.headers.traceparent) }, 'request');
  });

  // Liveness: the process answers. It asks nobody else, so that a failing database never restarts the service.
  app.get('/healthz', async () => ({ status: 'alive' }));

  // Readiness: may requests come here now?
  app.get('/readyz', async (_request, reply) => {
    if (!ready) return reply.code(503).send({ status: 'stopping' });
<% if database %>
    if (!(await database.answers())) return reply.code(503).send({ status: 'database does not answer' });
<% endif %>
    return { status: 'ready' };
  });

  // Prometheus asks inside the network. What came through a proxy came from outside, and sees no metrics.
  app.get('/metrics', async (request, reply) => {
    if (request.headers['x-forwarded-for']) return reply.code(404).send({ status: 'not found' });
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });

  // Which version answers, and where: the first thing asked in an incident.
  app.get('/api/v1/info', async () => ({ service: '<{ name }>', version: settings.version, environment: settings.environment }));
<% if events %>

  // Pub/Sub delivers here. 2xx acknowledges; anything else is delivered again, and after some tries put aside (dead-letter topic).
  // A message can come twice: handle it so that the second time changes nothing.
  const push = {
    type: 'object',
    required: ['message', 'subscription'],
    properties: {
      subscription: { type: 'string' },
      message: { type: 'object', required: ['messageId'], properties: { messageId: { type: 'string' }, data: { type: 'string', pattern: '^[A-Za-z0-9+/]*={0,2}$' } } },
    },
  };
  app.post('/events', { schema: { body: push } }, async (request, reply) => {
    const { messageId, data = '' } = request.body.message;
    request.log.info({ message_id: messageId, bytes: Buffer.from(data, 'base64').length }, 'event');
    return reply.code(204).send();
  });
<% endif %>

  return app;
}
