// A service with one trivial method: node service.ts <variant>. Tells its port, and lives as long as its parent.

import { connectService } from "./connect-hop.ts";
import { grpcJsService } from "./grpc-js-hop.ts";
import { connectHops, type HopVariant, type Listening } from "./variants.ts";

const variant = process.argv[2] as HopVariant;
process.once("disconnect", () => process.exit());
const hop = connectHops[variant];
const port = await (hop === undefined ? grpcJsService() : connectService(hop));
process.send?.({ port } satisfies Listening);
