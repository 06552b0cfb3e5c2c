// The health command of the image: node src/healthcheck.js. The image has no curl, and needs none.
const port = process.env.PORT ?? '<{ port }>';

try {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(2000) });
  process.exit(answer.ok ? 0 : 1);
} catch {
  process.exit(1);
}
