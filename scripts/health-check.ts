// HEALTHCHECK of the images: whether the process of this container is ready. Runs in the service's folder.

import { resolve } from "node:path";

const { settings } = await import(resolve("src/config.js"));
const [setting = ""] = Object.keys(settings).filter((name) => name.endsWith("_ADMIN_PORT"));
const port = process.env[setting] || settings[setting].default;
const status = await fetch(`http://127.0.0.1:${port}/readyz`, {
  signal: AbortSignal.timeout(2_000),
}).then(
  (response) => response.status,
  (error) => String(error.cause ?? error),
);
// What it prints, `docker inspect` shows.
process.stdout.write(`/readyz on port ${port}: ${status}\n`);
process.exitCode = status === 200 ? 0 : 1;
