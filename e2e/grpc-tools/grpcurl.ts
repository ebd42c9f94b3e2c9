import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where `install.ts` puts grpcurl. */
export const grpcurlFolder = fileURLToPath(new URL("../../.local/grpcurl", import.meta.url));

export const isInstalled = existsSync(`${grpcurlFolder}/grpcurl`);
