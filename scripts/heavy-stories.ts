/**
 * Stories that keep the processor busy nearly all the time. One of them runs at a time, beside others that
 * mostly wait: for a token to expire, a service to come back, a browser.
 */
export const heavyStories: readonly string[] = [
  "e2e/add-an-rpc.test.ts",
  "e2e/auth/logins.test.ts",
  "e2e/auth/races.test.ts",
  "e2e/client-package.test.ts",
  "e2e/consistency.test.ts",
  "e2e/deletion.test.ts",
  "e2e/deploy/images.test.ts",
  "e2e/drain.test.ts",
  "e2e/grpc/many-calls.test.ts",
  "e2e/many-machines.test.ts",
  "e2e/proto-check.test.ts",
  "e2e/rate-limit.test.ts",
];

/** Stories that measure for moments only, and need the machine in them. They come last, one at a time. */
export const loneStories: readonly string[] = ["e2e/bench.test.ts"];
