import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { thirdPartyLicenses } from "./third-party-licenses.ts";

const folder = join(import.meta.dirname, "../licenses");
const files = await thirdPartyLicenses();

await rm(folder, { recursive: true, force: true });
await mkdir(folder);
for (const [name, text] of files) await writeFile(join(folder, name), text);
