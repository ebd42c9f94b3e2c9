import assert from "node:assert/strict";
import { test } from "node:test";
import { networkOf } from "./network.ts";

test("an IPv4 address stands for itself, however it is written", () => {
  assert.equal(networkOf("192.0.2.7"), "192.0.2.7");
  assert.equal(networkOf("::ffff:192.0.2.7"), "192.0.2.7");
});

test("IPv6 addresses of one /64 are one network", () => {
  const network = "2001:db8:0:1::/64";
  for (const ip of ["2001:db8:0:1::1", "2001:DB8::1:a:b:c:d", "2001:0db8:0000:0001:ffff::%eth0"])
    assert.equal(networkOf(ip), network, ip);
  assert.notEqual(networkOf("2001:db8:0:2::1"), network);
  assert.equal(networkOf("::1"), "0:0:0:0::/64");
  assert.equal(networkOf("fe80::"), "fe80:0:0:0::/64");
  assert.equal(networkOf("64:ff9b::192.0.2.7"), "64:ff9b:0:0::/64");
  assert.equal(networkOf("1:2:3:4:5:6:7:8"), "1:2:3:4::/64");
});

test("an address that is not known is a network of its own", () => {
  assert.equal(networkOf(""), "");
});
