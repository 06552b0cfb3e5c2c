// What Prometheus reads.
import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

// Probes and scrapes are neither counted nor logged: they would dilute the error rate that the objectives are measured by.
export const QUIET = new Set(['/healthz', '/readyz', '/metrics']);
// <{ slo_latency_ms }> ms is the bound of the latency objective, so it must be a bucket: slo/openslo.yaml counts what is below it.
const BUCKETS = [...new Set([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, <{ slo_latency_ms }> / 1000])].sort((a, b) => a - b);

export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    requests: new Counter({ name: 'http_requests_total', help: 'Requests answered.', labelNames: ['method', 'route', 'code'], registers }),
    duration: new Histogram({ name: 'http_request_duration_seconds', help: 'Time to the end.', labelNames: ['method', 'route'], buckets: BUCKETS, registers }),
  };
}
