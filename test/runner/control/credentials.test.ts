// Sealed credentials: opened in memory only, refreshed in time, never printed.
import { inspect } from "node:util";
import { armor, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, expect, test } from "vitest";
import type { MasterClient } from "#runner/io/master-client.ts";
import { type ConfigSource, createConfigSource } from "#runner/io/node-config.ts";
import { type ManualClock, manualClock } from "#test/fakes/manual-clock.ts";

const NEVER = new AbortController().signal;
const ageIdentity = await generateX25519Identity();

async function seal(plaintext: string, identity = ageIdentity): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity));
  return armor.encode(await encrypter.encrypt(plaintext));
}

function source(
  clock: ManualClock,
  sealed: () => Promise<string>,
): { config: ConfigSource; fetches: () => number } {
  let count = 0;
  const master = {
    clockSkewMs: () => undefined,
    async call() {
      count += 1;
      return { server_time: clock.now().toISOString(), credentials: await sealed() };
    },
  } as unknown as MasterClient;
  return { config: createConfigSource({ master, ageIdentity, clock, stop: NEVER }), fetches: () => count };
}

const keys = (clock: ManualClock, seconds: number): string =>
  JSON.stringify({
    access_key_id: "AKID",
    secret_access_key: "PLANTED-SECRET",
    session_token: `PLANTED-${clock.monotonicMs()}`,
    expires_at: new Date(clock.now().getTime() + seconds * 1000).toISOString(),
  });

describe("credentials", () => {
  test("are fetched once for many askers, and again before they end", async () => {
    const clock = manualClock();
    const { config, fetches } = source(clock, () => seal(keys(clock, 3600)));
    const many = await Promise.all(Array.from({ length: 8 }, () => config.credentials()));
    expect(fetches()).toBe(1);
    expect(new Set(many.map(({ sessionToken }) => sessionToken)).size).toBe(1);
    await clock.advance(50 * 60_000);
    await config.credentials();
    expect(fetches()).toBe(1);
    // The SDK wants new ones five minutes before the end; by then we must have them.
    await clock.advance(4.5 * 60_000);
    const fresh = await config.credentials();
    expect(fetches()).toBe(2);
    expect(fresh.sessionToken).not.toBe(many[0]?.sessionToken);
    expect(fresh.expiration?.getTime()).toBeGreaterThan(clock.now().getTime() + 3_500_000);
  });

  test("that are static are kept", async () => {
    const clock = manualClock();
    const { config, fetches } = source(clock, () =>
      seal(JSON.stringify({ access_key_id: "A", secret_access_key: "B" })),
    );
    await config.credentials();
    await clock.advance(365 * 24 * 3_600_000);
    expect(await config.credentials()).toMatchObject({ accessKeyId: "A", secretAccessKey: "B" });
    expect(fetches()).toBe(1);
  });

  test("cannot be printed by accident", async () => {
    const clock = manualClock();
    const opened = await source(clock, () => seal(keys(clock, 3600))).config.credentials();
    expect(opened.secretAccessKey).toBe("PLANTED-SECRET");
    const printed = [
      JSON.stringify({ opened }),
      inspect({ opened }),
      String(opened as unknown),
      inspect([opened], { depth: 9 }),
    ];
    expect(printed.join()).not.toContain("PLANTED");
  });

  test.each([
    ["sealed to somebody else", async () => seal("{}", await generateX25519Identity())],
    ["not age at all", async () => "PLANTED"],
    ["not JSON inside", () => seal("PLANTED{")],
    ["of another shape", () => seal('{"password":"PLANTED"}')],
  ])("that are %s are refused without quoting them", async (_, sealed) => {
    const { config } = source(manualClock(), sealed);
    const error = await config.credentials().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "credentials_undecryptable" });
    expect(inspect(error)).not.toContain("PLANTED");
  });
});
