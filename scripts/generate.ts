import { generate } from "./buf.ts";
import { root } from "./run.ts";

await generate(root);
