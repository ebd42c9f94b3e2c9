import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { filesBehind } from "./import-graph.ts";
import { testFolder } from "./test-folder.ts";

test("a service is made of its own files, and of those of kit and gen that it uses", () => {
  const root = testFolder();
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  write("gateway/src/main.ts", 'import fs from "node:fs";\nimport { a } from "./a.ts";\n');
  write("gateway/src/a.ts", 'export * from "@3l1/kit/b.ts";\nawait import("./late/c.ts");\n');
  write("gateway/src/late/c.ts", 'import type { T } from "../main.ts";\n');
  write("gateway/src/unused.ts", "");
  write("kit/src/b.ts", 'import "@3l1/gen/order/v1/order_pb.ts";\nimport "./gone.ts";\n');
  write("gen/src/order/v1/order_pb.ts", 'import { x } from "@bufbuild/protobuf";\n');
  const files = [...filesBehind(join(root, "gateway/src/main.ts"), root)];
  assert.deepEqual(files.map((file) => relative(root, file)).sort(), [
    "gateway/src/a.ts",
    "gateway/src/late/c.ts",
    "gateway/src/main.ts",
    "gen/src/order/v1/order_pb.ts",
    "kit/src/b.ts",
    "kit/src/gone.ts",
  ]);
});
