import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { unlessAborted } from "#runner/unless-aborted.ts";

const never = new Promise<never>(() => undefined);

it("waits for the work, and leaves nothing at the signal", async () => {
  const { signal } = new AbortController();
  expect(await unlessAborted(Promise.resolve("done"), signal)).toBe("done");
  await expect(unlessAborted(Promise.reject(new Error("failed")), signal)).rejects.toThrow("failed");
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

it("waits no longer than until the signal", async () => {
  const stop = new AbortController();
  const waiting = unlessAborted(never, stop.signal);
  stop.abort(new Error("told to"));
  await expect(waiting).rejects.toThrow("told to");
  await expect(unlessAborted(never, stop.signal)).rejects.toThrow("told to");
  await expect(unlessAborted(Promise.resolve("late"), stop.signal)).rejects.toThrow("told to");
});

it("minds no work that fails after the signal", async () => {
  const stop = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const waiting = unlessAborted(promise, stop.signal);
  stop.abort(new Error("told to"));
  await expect(waiting).rejects.toThrow("told to");
  reject(new Error("too late"));
});
