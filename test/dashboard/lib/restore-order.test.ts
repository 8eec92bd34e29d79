// The dialog's choices and the request they become: a mistake here replaces somebody's site.
import { expect, test } from "vitest";
import { StartRestore } from "#shared/contracts/restores.ts";
import {
  isComplete,
  isInPlace,
  type RestoreDraft,
  restoreOrder,
  WHATS,
} from "../../../dashboard/lib/restore-order.ts";

const draft: RestoreDraft = {
  what: "all",
  paths: ["wp-content/uploads/a.jpg"],
  where: "site",
  directory: "/root/restored",
  newUrl: "https://new.example",
};

test("what is not chosen is not sent, whatever was typed before", () => {
  expect(restoreOrder(draft, false)).toEqual({ new_url: "https://new.example", dry_run: false });
  expect(restoreOrder({ ...draft, what: "files" }, true)).toEqual({ only: ["files"], dry_run: true });
  expect(restoreOrder({ ...draft, what: "paths" }, false)).toEqual({ paths: draft.paths, dry_run: false });
  expect(restoreOrder({ ...draft, where: "directory" }, false)).toEqual({
    to: "/root/restored",
    dry_run: false,
  });
  expect(restoreOrder({ ...draft, newUrl: " " }, false)).toEqual({ dry_run: false });
});

test("every complete draft is a request that the API takes", () => {
  for (const what of WHATS) {
    for (const where of ["site", "directory"] as const) {
      const one = { ...draft, what, where };
      expect(isComplete(one)).toBe(true);
      expect(StartRestore.safeParse(restoreOrder(one, true)).success).toBe(true);
      expect(isInPlace(one)).toBe(where === "site");
    }
  }
});

test("nothing ticked, or no directory, is not complete", () => {
  expect(isComplete({ ...draft, what: "paths", paths: [] })).toBe(false);
  for (const directory of ["", "/", "relative", "//x"]) {
    expect(isComplete({ ...draft, where: "directory", directory })).toBe(false);
  }
});
