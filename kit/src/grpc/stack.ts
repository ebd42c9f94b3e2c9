/** Which implementation carries gRPC between our processes. */
export type GrpcStack = "own" | "stock";

/**
 * The one switch between our own unary gRPC path and the stock one of
 * @connectrpc/connect-node, for clients and servers alike. Both speak the same
 * protocol, so processes on different settings understand each other.
 */
export const grpcStack: GrpcStack = "own";
