import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, run } from "./run.ts";

/** Writes the OpenAPI document for proto/ to a file. Code and third-party schemas must be there. */
export async function writeOpenApi(file: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "3l1-openapi-"));
  try {
    const image = join(folder, "image.binpb");
    await run("buf", ["build", "--output", image]);
    // Only now: it needs code that has just been generated.
    const { openApiDocument } = await import("../gateway/openapi/document.ts");
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    const document = openApiDocument(await readFile(image), version);
    await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
