// What `npm run console` does: builds the web console into web/dist. `npm start` does it by itself.

import { buildConsole } from "../dev/console-build.ts";
import { root } from "./run.ts";

await buildConsole(root);
