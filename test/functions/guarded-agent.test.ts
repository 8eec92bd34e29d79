// A name that resolves to a private address is not connected to, neither when it is saved nor later: `localhost` stands for
// any name whose owner has changed his mind.
import { createServer } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { assertEndpoint, guardedAgents } from "#functions/stores/guarded-agent.ts";

test("a private name is refused when it is typed in, and allowed where that is configured", async () => {
  await expect(assertEndpoint("https://localhost:9000", false)).rejects.toMatchObject({
    code: "invalid_request",
  });
  await assertEndpoint("http://localhost:9000", true);
});

test("a name that is not there is refused by its field", async () => {
  await expect(assertEndpoint("https://nowhere.invalid", false)).rejects.toMatchObject({
    code: "invalid_request",
    message: expect.stringContaining("cannot be resolved"),
  });
});

test("a connection asks again where it goes, and is not made", async () => {
  let connections = 0;
  const server = createServer().on("connection", (socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const { port } = server.address() as AddressInfo;
  const call = (isPrivateAllowed: boolean): Promise<unknown> =>
    new Promise((resolve) => {
      const { httpsAgent: agent } = guardedAgents(isPrivateAllowed);
      request({ host: "localhost", port, agent }).once("error", resolve).end();
    });
  expect(await call(false)).toMatchObject({ code: "invalid_request" });
  expect(connections).toBe(0);
  await call(true);
  expect(connections).toBe(1);
  await new Promise((resolve) => server.close(resolve));
});
