import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SiteName } from "#shared/contracts/common.ts";
import { archiveFileName, objectKey, objectPath, parseObjectPath } from "#shared/object-key.ts";

const uuid = fc.uuid().map((id) => id.toLowerCase());
const siteName = fc.stringMatching(/^[A-Za-z0-9](?:[._-]?[A-Za-z0-9]){0,20}$/);

describe("archive names", () => {
  it("is {site_name}_{YYYYMMDD}_{HHMMSS}.tar.zst in UTC, whatever the machine's zone", () => {
    expect(archiveFileName("shop.example.com", new Date("2026-03-29T01:59:59.999+02:00"))).toBe(
      "shop.example.com_20260328_235959.tar.zst",
    );
  });

  it("a path made of checked parts parses back to them", () => {
    fc.assert(
      fc.property(
        uuid,
        uuid,
        siteName,
        fc.date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true }),
        (nodeId, siteId, name, at) => {
          expect(SiteName.safeParse(name).success).toBe(true);
          const place = { nodeId, siteId, fileName: archiveFileName(name, at) };
          const path = objectPath(place);
          expect(path).toBe(`/${nodeId}/${siteId}/${place.fileName}`);
          expect(objectKey(path)).toBe(path.slice(1));
          expect(parseObjectPath(path)).toEqual(place);
        },
      ),
    );
  });

  const node = "01890a5d-ac96-774b-bcce-b302099a8057";
  it.each([
    `/${node}/../${node}/x_20260101_000000.tar.zst`,
    `/${node}/${node}/../x_20260101_000000.tar.zst`,
    `/${node}/${node}/.._20260101_000000.tar.zst`,
    `${node}/${node}/x_20260101_000000.tar.zst`,
    `/${node}/${node}/x_20260101_000000.tar.zst\n`,
    `/${node.toUpperCase()}/${node}/x_20260101_000000.tar.zst`,
    `/${node}/${node}/x.tar.zst`,
  ])("refuses %j", (path) => {
    expect(parseObjectPath(path)).toBeUndefined();
  });
});

describe("site names", () => {
  it.each([
    "a/b",
    "..",
    "a..b",
    ".a",
    "a.",
    "a b",
    "it's",
    'a"b',
    "🦊",
    "ü",
    "",
    "a\n",
    "-a",
    "a_-b",
    "x".repeat(64),
    "x".repeat(300),
  ])("refuses %j", (name) => {
    expect(SiteName.safeParse(name).success).toBe(false);
  });

  it.each(["a", "shop.example.com", "xn--bcher-kva.example", "My_Site-2", "x".repeat(63)])(
    "takes %j",
    (name) => {
      expect(SiteName.safeParse(name).success).toBe(true);
    },
  );
});
