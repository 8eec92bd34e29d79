// The host around the handlers: what happens when one throws, and that nothing of it stays when it closes.
import { expect, test } from "vitest";
import { startMaster } from "#test/helpers/master.ts";

test("a handler that cannot answer is a 500 without a word of why, and the host is told", async () => {
  const brokenClock = (): Date => {
    throw new Error("the clock of the secret bunker broke");
  };
  await using broken = await startMaster({ now: brokenClock });
  const answer = await broken.anonymous.request("GET", "/health");
  expect([answer.status, answer.json.code]).toEqual([500, "internal"]);
  expect(answer.text).not.toContain("bunker");
});

test("closing gives the environment and the port back", async () => {
  const before = { ...process.env };
  const master = await startMaster();
  expect(process.env["TABLE_NAME"]).toBe("backupd-local");
  const { url } = master;
  await master.close();
  expect({ ...process.env }).toEqual(before);
  await expect(fetch(url)).rejects.toThrow();
});
