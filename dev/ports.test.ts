import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { checkPorts, freePorts } from "./ports.ts";

function address(portSetting: string, port: number, host = "127.0.0.1") {
  return { host, port, portSetting, hostSetting: portSetting.replace("PORT", "HOST") };
}

test("free ports differ, and can be listened on", async () => {
  const ports = await freePorts(5);
  assert.equal(new Set(ports).size, 5);
  assert.ok(Math.max(...ports) < 32_768, `${ports}: no outgoing connection gets one of them`);
  await checkPorts(ports.map((port, index) => address(`PORT_${index}`, port)));
});

test("a taken port is told with what to do, and so is one that is wanted twice", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const [free = 0] = await freePorts(1);
  const wanted = [address("A_PORT", port), address("B_PORT", free), address("C_PORT", free)];
  await assert.rejects(checkPorts(wanted), {
    name: "StartError",
    message:
      `port ${port} is taken, perhaps by another platform: stop that, or set A_PORT to another port\n` +
      `port ${free} is wanted more than once: B_PORT, C_PORT`,
  });
});

test("an address that is not this machine's is named with its setting", async () => {
  const [port = 0] = await freePorts(1);
  await assert.rejects(
    checkPorts([address("A_PORT", port, "192.0.2.1")]),
    /192\.0\.2\.1 \(A_HOST\)/,
  );
});
