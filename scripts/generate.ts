import { generate } from "./buf.ts";

await generate();
