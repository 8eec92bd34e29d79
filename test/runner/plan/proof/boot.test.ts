// The wp-config.php of the cage leads nowhere but into the cage, and what comes out of it is data, whatever it is.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderBootConfig } from "#runner/plan/proof/boot-config.ts";
import { bootOutcome } from "#runner/plan/proof/boot-outcome.ts";
import { ANSWER_MARK } from "#runner/plan/proof/boot-scripts.ts";

function configOf(constants: Record<string, string | number | boolean>): string {
  return renderBootConfig({
    constants: new Map(Object.entries(constants)),
    tablePrefix: "wp_",
    db: { name: "shop", user: "proof", socketPath: "/db/sock" },
    root: "/site",
    isHttps: true,
    secret: "s3",
  });
}

describe("the configuration", () => {
  test("keeps what the site sets, but for what leads out of the cage or is secret", () => {
    const config = configOf({
      WP_HOME: "https://shop.example",
      WPLANG: "de_DE",
      MULTISITE: false,
      DB_HOST: "db.internal",
      DB_PASSWORD: "real",
      DB_SSL_CA: "/x",
      ABSPATH: "/var/www/",
      WP_CONTENT_DIR: "/var/www/app",
      AUTH_KEY: "real key",
      JWT_AUTH_SECRET_KEY: "real too",
      DISABLE_WP_CRON: false,
      WP_HTTP_BLOCK_EXTERNAL: false,
    });
    expect(config).toContain("define('WP_HOME', 'https://shop.example');");
    expect(config).toContain("define('WPLANG', 'de_DE');");
    expect(config).toContain("define('DISABLE_WP_CRON', true);");
    expect(config).toContain("define('WP_HTTP_BLOCK_EXTERNAL', true);");
    expect(config).toContain("define('DB_HOST', 'localhost:/db/sock');");
    expect(config).toContain("define('DB_PASSWORD', '');");
    for (const gone of ["db.internal", "real", "/var/www", "/x"]) expect(config).not.toContain(gone);
  });

  test("has values that cannot end their quotes", () => {
    const config = configOf({ WPLANG: "'); system('id'); //\\", "evil); x": "y" });
    expect(config).toContain(String.raw`define('WPLANG', '\'); system(\'id\'); //\\');`);
    expect(config).not.toContain("evil");
  });
});

const said = (answer: unknown): string => `noise\n${ANSWER_MARK}${JSON.stringify(answer)}\n`;

describe("the outcome", () => {
  test("is good for a 200 without a fatal error", () => {
    const good = { status: 200, seconds: 0.4, log: "PHP Deprecated: old", location: null, text: "Hello" };
    expect(bootOutcome(said(good), "code 0")).toEqual({
      kind: "booted",
      status: 200,
      seconds: 0.4,
      findings: [],
      warnings: [],
    });
    const late = {
      ...good,
      log: "[x] PHP Fatal error:  Uncaught Error: late in /site/wp-content/a.php:3\nStack trace:\n#0 x('pw')",
    };
    expect(bootOutcome(said(late), "code 0")).toMatchObject({
      findings: [
        {
          code: "boot_failed",
          message:
            "The restored WordPress answered 200: PHP Fatal error: Uncaught Error: late in wp-content/a.php:3",
        },
      ],
    });
  });

  test("is no finding where the cage could not be had", () => {
    expect(bootOutcome("bwrap: No permissions\n", "code 1")).toEqual({
      kind: "not-booted",
      why: "the cage ended with code 1: bwrap: No permissions",
    });
    expect(bootOutcome(said({ skipped: "no mysqli" }), "code 0")).toEqual({
      kind: "not-booted",
      why: "no mysqli",
    });
  });

  test("takes any answer for what it is: short and printable", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.record({ status: fc.jsonValue(), log: fc.string(), text: fc.string({ maxLength: 5000 }) }),
        ),
        (answer) => {
          const outcome = bootOutcome(said(answer), "code 0");
          const words =
            outcome.kind === "booted" ? outcome.findings.map(({ message }) => message) : [outcome.why];
          for (const word of words) {
            expect(word.length).toBeLessThan(700);
            expect(word).not.toMatch(/\p{Cc}/u);
          }
        },
      ),
    );
  });
});
