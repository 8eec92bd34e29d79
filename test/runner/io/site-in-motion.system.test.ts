// Files that change, shrink, grow, vanish or turn into something else while they are read: the archive is valid to the
// last byte, by stock tools and by the reader written from docs/FORMAT.md, the operator is told, and the next backup,
// with all the copying that it may do, is exactly the tree.
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readArchive } from "#test/format/spec-reader.ts";
import { packInline } from "./pack-inline.ts";
import { extract, makeSite, type PackedArchive, packTo, type SiteOnDisk } from "./pack-to-tree.ts";
import { treeFacts } from "./tree-facts.ts";

const BIG_BYTES = 4_000_000;
const OLD = new Date("2026-01-15T12:00:00Z");

interface Motion {
  readonly what: string;
  /** While `a-big` is read: it takes more frames than the packer may have on the way, so it waits in the middle. */
  readonly happens: (at: (name: string) => string) => void;
  readonly warnings: readonly string[];
}

const MOTIONS: readonly Motion[] = [
  {
    what: "a file that is read becomes shorter",
    happens: (at) => truncateSync(at("a-big"), BIG_BYTES / 2),
    warnings: ["file_changed wp-content/dir/a-big"],
  },
  {
    what: "a file that is read is emptied and written anew",
    happens: (at) => writeFileSync(at("a-big"), "short"),
    warnings: ["file_changed wp-content/dir/a-big"],
  },
  {
    what: "a file that is read grows",
    happens: (at) => appendFileSync(at("a-big"), "more"),
    warnings: ["file_changed wp-content/dir/a-big"],
  },
  {
    what: "a file that is read gets other bytes of the same length",
    happens: (at) => writeFileSync(at("a-big"), Buffer.alloc(BIG_BYTES, "b"), { flag: "r+" }),
    warnings: ["file_changed wp-content/dir/a-big"],
  },
  {
    what: "a file that is read gets other bytes of the same length, and its old mtime back",
    happens: (at) => {
      writeFileSync(at("a-big"), Buffer.alloc(BIG_BYTES, "b"), { flag: "r+" });
      utimesSync(at("a-big"), OLD, OLD);
    },
    warnings: [],
  },
  { what: "a file that is read is removed", happens: (at) => unlinkSync(at("a-big")), warnings: [] },
  {
    what: "a file that is read is replaced by another",
    happens: (at) => {
      writeFileSync(at("new"), Buffer.alloc(BIG_BYTES, "n"));
      utimesSync(at("new"), OLD, OLD);
      renameSync(at("new"), at("a-big"));
    },
    warnings: [],
  },
  {
    what: "a file is removed before its turn",
    happens: (at) => unlinkSync(at("z-later")),
    warnings: ["file_vanished wp-content/dir/z-later"],
  },
  {
    what: "a file turns into a directory before its turn",
    happens: (at) => {
      unlinkSync(at("z-later"));
      mkdirSync(at("z-later"));
      writeFileSync(join(at("z-later"), "inner"), "inner");
    },
    warnings: ["file_vanished wp-content/dir/z-later"],
  },
  {
    what: "a file grows and a link to it appears before its turn",
    happens: (at) => {
      appendFileSync(at("z-later"), "more");
      linkSync(at("z-later"), at("z-link"));
    },
    warnings: [],
  },
  {
    what: "a whole directory is removed before its turn",
    happens: (at) => rmSync(at("z-sub"), { recursive: true }),
    warnings: ["file_vanished wp-content/dir/z-sub/inner"],
  },
  {
    what: "a link gets another target, and files come, after they were seen",
    happens: (at) => {
      unlinkSync(at("y-link"));
      symlinkSync("elsewhere", at("y-link"));
      writeFileSync(at("came-late"), "late");
    },
    warnings: [],
  },
];

async function expectValid({ archive, summary }: PackedArchive, motion: Motion): Promise<void> {
  expect(() => readArchive(readFileSync(archive)).verify()).not.toThrow();
  const { complaints } = await extract(archive, `${archive}.tree`);
  expect(complaints).toBe("");
  const told = summary.warnings.map(({ code, message }) => `${code} ${message.split(" ")[0]}`);
  expect(told).toEqual(motion.warnings);
}

async function expectExact(packed: PackedArchive, on: SiteOnDisk): Promise<void> {
  const { tree } = await extract(packed.archive, `${packed.archive}.tree`);
  expect(treeFacts(join(tree, "wp-content"))).toEqual(treeFacts(on.content));
  expect(await readFile(join(tree, "wp-config.php"))).toEqual(await readFile(join(on.site, "wp-config.php")));
}

it.each(MOTIONS)("$what", async (motion) => {
  await using on = await makeSite();
  const at = (name: string): string => join(on.content, "dir", name);
  mkdirSync(at("z-sub"), { recursive: true });
  writeFileSync(at("a-big"), Buffer.alloc(BIG_BYTES, "a"));
  for (const name of ["z-later", "z-sub/inner", "zz-quiet"]) writeFileSync(at(name), name);
  symlinkSync("z-later", at("y-link"));
  utimesSync(at("a-big"), OLD, OLD);
  // Without the two seconds that would have everything read again: what is noticed now is noticed by itself.
  const how = { racyWindowNs: 0n };
  const first = await packTo(join(on.dir, "1"), on, { ...how, meanwhile: async () => motion.happens(at) });
  await expectValid(first, motion);
  const second = await packTo(join(on.dir, "2"), on, { ...how, packer: packInline, previous: first });
  await expectExact(second, on);
  const third = await packTo(join(on.dir, "3"), on, { ...how, packer: packInline, previous: second });
  await expectExact(third, on);
  expect(third.plan).toMatchObject({ mode: "incremental", counts: { changed: 0, added: 0, deleted: 0 } });
});
