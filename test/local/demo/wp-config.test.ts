// The configuration is text that PHP, the runner and a restore all read: values and ports must survive in it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findDbPassword, renderWpConfig, repointWpConfig, SALT_NAMES } from "#local/demo/wp-config.ts";

const render = (password: string): string =>
  renderWpConfig({
    db: { host: "127.0.0.1", port: 3310, name: "wordpress", user: "wordpress", password },
    sitePort: 8090,
    salts: SALT_NAMES.map((name) => `salt-of-${name}`),
  });

describe("wp-config.php", () => {
  it("gives back any password", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (password) => {
        expect(findDbPassword(render(password))).toBe(password);
      }),
    );
  });

  it("has a secret of its own for each key and salt", () => {
    const text = render("secret");
    for (const name of SALT_NAMES) expect(text).toContain(`define( '${name}', 'salt-of-${name}' );`);
  });

  it("moves to other ports and keeps what somebody added", () => {
    const edited = `${render("secret")}\ndefine( 'MY_OWN', '127.0.0.1:3310' );\n`;
    const moved = repointWpConfig(edited, { mariadbPort: 4410, sitePort: 9090 });
    expect(moved).toBe(
      edited
        .replace("'DB_HOST', '127.0.0.1:3310'", "'DB_HOST', '127.0.0.1:4410'")
        .replace("'DEMO_SITE_PORT', 8090", "'DEMO_SITE_PORT', 9090"),
    );
    expect(moved).toContain("define( 'MY_OWN', '127.0.0.1:3310' );");
  });

  it("is left alone when the ports are right", () => {
    expect(repointWpConfig(render("secret"), { mariadbPort: 3310, sitePort: 8090 })).toBe(render("secret"));
  });
});
