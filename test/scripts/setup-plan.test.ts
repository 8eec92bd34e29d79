// Set-up runs first on strangers' machines: each kind of machine must get the right actions or the right words.
import { describe, expect, it } from "vitest";
import {
  installedMatchesLock,
  missingPackages,
  PACKAGES,
  planSetup,
  type SetupFacts,
} from "../../scripts/setup-plan.mjs";

const everything = {
  commands: new Set(PACKAGES.flatMap((entry) => entry.commands ?? [])),
  phpModules: new Set(PACKAGES.flatMap((entry) => entry.phpModules ?? [])),
  files: new Set(PACKAGES.flatMap((entry) => entry.files ?? [])),
};
const nothing = { commands: new Set<string>(), phpModules: new Set<string>(), files: new Set<string>() };

function facts(changes: Partial<SetupFacts> = {}): SetupFacts {
  return {
    platform: "linux-x64",
    nodeModules: "current",
    bundledNodeExists: true,
    bundledNodeExpected: true,
    nodeMajor: 20,
    missing: [],
    hasApt: true,
    hasAptLists: true,
    hasMysqlServer: false,
    isRoot: true,
    canSudo: false,
    ...changes,
  };
}
const messageOf = (changes: Partial<SetupFacts>): string => {
  const [action, ...more] = planSetup(facts(changes));
  expect(more).toEqual([]);
  return action?.kind === "fail" ? action.message : expect.fail(`not a failure: ${JSON.stringify(action)}`);
};
const zstdOnly = PACKAGES.filter((entry) => entry.apt === "zstd");

describe("what is missing", () => {
  it("is nothing on a machine that has it all", () => {
    expect(missingPackages("test", everything)).toEqual([]);
  });

  it("is more for the tests than for the start", () => {
    const names = (profile: "start" | "test"): string[] =>
      missingPackages(profile, nothing).map((entry) => entry.apt);
    expect(names("start")).toContain("wordpress");
    expect(names("test").filter((name) => !names("start").includes(name))).toEqual([
      "restic",
      "bubblewrap",
      "age",
      "chromium",
    ]);
  });

  it("is judged by what is there, not by where it came from", () => {
    const files = new Set(
      [...everything.files].filter((path) => path.startsWith("/usr/local/share/wordpress")),
    );
    expect(missingPackages("start", { ...everything, files })).toEqual([]);
  });

  it("is not what the system cannot have", () => {
    const names = missingPackages("test", { ...nothing, os: "darwin" }).map((entry) => entry.apt);
    expect(names).toContain("restic");
    expect(names).not.toContain("bubblewrap");
  });

  it("counts one absent PHP module", () => {
    const phpModules = new Set([...everything.phpModules].filter((name) => name !== "gd"));
    expect(missingPackages("start", { ...everything, phpModules }).map((entry) => entry.apt)).toEqual([
      "php-gd",
    ]);
  });

  it("never is a package that brings a database service", () => {
    expect(PACKAGES.map((entry) => entry.apt)).not.toContain("mariadb-server");
  });
});

describe("the plan", () => {
  it("is empty when all is there", () => {
    expect(planSetup(facts())).toEqual([]);
  });

  it("installs npm packages, then only the missing system packages", () => {
    expect(planSetup(facts({ nodeModules: "changed", missing: zstdOnly }))).toEqual([
      { kind: "npm-ci" },
      { kind: "apt", packages: ["zstd"], sudo: false, updateFirst: false },
    ]);
  });

  it("keeps what somebody's own npm install brought", () => {
    expect(planSetup(facts({ nodeModules: "unstamped" }))).toEqual([{ kind: "adopt" }]);
  });

  it("uses sudo when it asks nothing, and updates when there are no lists", () => {
    expect(planSetup(facts({ missing: zstdOnly, isRoot: false, canSudo: true, hasAptLists: false }))).toEqual(
      [{ kind: "apt", packages: ["zstd"], sudo: true, updateFirst: true }],
    );
  });

  it("gives the one line to run when it may not, and begins nothing", () => {
    const message = messageOf({ nodeModules: "changed", missing: zstdOnly, isRoot: false });
    expect(message).toContain("sudo apt-get install -y --no-install-recommends zstd\n");
  });

  it("never removes a MySQL server", () => {
    const missing = PACKAGES.filter((entry) => entry.apt === "mariadb-server-core");
    expect(messageOf({ missing, hasMysqlServer: true })).toContain("would remove the MySQL server");
  });

  it("names what is missing where there is no apt", () => {
    const message = messageOf({ missing: zstdOnly, hasApt: false, platform: "darwin-arm64" });
    expect(message).toContain("- zstd");
    expect(message).toContain("brew install");
  });

  it("asks for Node 24 only where npm has none and the system's is older", () => {
    const noneInNpm = { platform: "freebsd-x64", bundledNodeExists: false, bundledNodeExpected: false };
    expect(messageOf(noneInNpm)).toContain("Node 24");
    expect(planSetup(facts({ ...noneInNpm, nodeMajor: 24 }))).toEqual([]);
  });
});

describe("node_modules against the lock file", () => {
  const lock = {
    packages: {
      "": {},
      "node_modules/a": { version: "1.0.0" },
      "node_modules/mac-only": { version: "2.0.0", optional: true },
    },
  };

  it("matches without the optional packages of other platforms", () => {
    expect(installedMatchesLock(lock, { packages: { "node_modules/a": { version: "1.0.0" } } })).toBe(true);
  });

  it.each([
    ["an older package", { "node_modules/a": { version: "0.9.0" } }],
    ["a missing package", {}],
    [
      "an older optional package",
      { "node_modules/a": { version: "1.0.0" }, "node_modules/mac-only": { version: "1.0.0" } },
    ],
  ])("does not match with %s", (_, packages) => {
    expect(installedMatchesLock(lock, { packages })).toBe(false);
  });
});
