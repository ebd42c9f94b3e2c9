import { root, run } from "./run.ts";

await run("buf", ["format", "--write", "proto"]);
process.stdout.write(await run("biome", ["check", "--write", root]));
