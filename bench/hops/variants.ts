/** How a gateway gets the order: from itself, or over one hop from a service. */
export const hopVariants = [
  "fastify",
  "stock",
  "stock-interceptors",
  "grpc-js",
  "own",
  "own-interceptors",
] as const;
export type HopVariant = (typeof hopVariants)[number];

/** Which implementation of Connect, and whether with what one usually has around a call. */
export interface ConnectHop {
  readonly stack: "own" | "stock";
  readonly usual: boolean;
}

/** The variants that go through Connect. */
export const connectHops: Partial<Record<HopVariant, ConnectHop>> = {
  stock: { stack: "stock", usual: false },
  "stock-interceptors": { stack: "stock", usual: true },
  own: { stack: "own", usual: false },
  "own-interceptors": { stack: "own", usual: true },
};

/** What a process of a hop tells the bench once it listens. */
export interface Listening {
  readonly port: number;
}
