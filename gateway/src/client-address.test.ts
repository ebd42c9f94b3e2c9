import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { clientAddress } from "./client-address.ts";

const of = (ip: string, remoteAddress = "192.0.2.1") =>
  clientAddress({ ip, socket: { remoteAddress } as Socket });

test("an address is told plainly", () => {
  assert.equal(of("203.0.113.9"), "203.0.113.9");
  assert.equal(of("::ffff:203.0.113.9"), "203.0.113.9");
  assert.equal(of("2001:db8::1"), "2001:db8::1");
  assert.equal(of("fe80::1%eth0"), "fe80::1");
});

test("what is no address is not believed: the other end of the socket counts", () => {
  for (const told of ["nonsense", "", "203.0.113.9:80", "1.2.3"])
    assert.equal(of(told), "192.0.2.1");
  assert.equal(of("x", "::ffff:192.0.2.7"), "192.0.2.7");
});
