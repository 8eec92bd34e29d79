// Whom files belong to that come from another site: its owner, but for those who have files there already.
import { expect, test } from "vitest";
import { mapOwner, type OwnerMap } from "#runner/plan/restore/owner-map.ts";

const WEB = 33;
const map: OwnerMap = {
  from: { uid: 1001, gid: 1001 },
  to: { uid: 2002, gid: 2000 },
  knownUids: [0, 2002, WEB],
  knownGids: [0, 2000, WEB],
};

test.each([
  ["the site's own user's", { uid: 1001, gid: 1001 }, { uid: 2002, gid: 2000 }],
  ["the web server's, which both sites have", { uid: WEB, gid: WEB }, { uid: WEB, gid: WEB }],
  ["root's", { uid: 0, gid: 0 }, { uid: 0, gid: 0 }],
  ["of the site's user and the web server's group", { uid: 1001, gid: WEB }, { uid: 2002, gid: WEB }],
  ["of a number that is somebody else's here", { uid: 1003, gid: 1003 }, { uid: 2002, gid: 2000 }],
])("files that were %s", (_, before, after) => {
  expect(mapOwner(map, before)).toEqual(after);
});

test("a site that was the web server's, or root's, becomes the other site's user's as a whole", () => {
  for (const id of [0, WEB]) {
    const all = { ...map, from: { uid: id, gid: id } };
    expect(mapOwner(all, { uid: id, gid: id })).toEqual({ uid: 2002, gid: 2000 });
  }
});

test("without knowing whose the site was, nobody's files become a stranger's", () => {
  const { from: _, ...unknown } = map;
  expect(mapOwner(unknown, { uid: 1001, gid: WEB })).toEqual({ uid: 2002, gid: WEB });
});
