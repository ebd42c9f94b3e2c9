// Makes load in a process of its own: says that it is there, takes a job as a message and answers with
// what came back. Lives as long as its parent.

import { type LoadJob, load } from "./raw-client.ts";

process.on("message", (job: LoadJob) => {
  void load(job).then((result) => process.send?.(result));
});
process.once("disconnect", () => process.exit());
process.send?.("ready");
