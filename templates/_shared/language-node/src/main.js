// Starts the server: node src/main.js
import { createApp } from './app.js';
import { readSettings } from './settings.js';

const settings = readSettings();
const app = createApp(settings);

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    app.log.info({ signal }, 'stopping');
    // No new requests; running ones get this long. Shorter than the platform's own grace period, so that the process ends by itself.
    setTimeout(() => process.exit(1), settings.shutdownGraceS * 1000).unref();
    app.stopping();
    app.close().then(
      () => process.exit(0),
      (error) => {
        app.log.error(error, 'could not stop cleanly');
        process.exit(1);
      },
    );
  });
}

// Every interface: inside a container the loopback address is reachable by nobody else.
await app.listen({ host: '0.0.0.0', port: settings.port });
