// Dumps cut into chunks anywhere: the lines, their verdicts and what is left of them do not depend on where.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DumpLine, type LineVerdict, mapDumpLines } from "#runner/plan/restore/dump-lines.ts";
import { importFilter, planImport } from "#runner/plan/restore/import-plan.ts";
import { scanDump } from "#runner/plan/restore/scan-dump.ts";
import { tableOwnerOf } from "#runner/plan/restore/table-owner.ts";

async function mapped(
  text: string,
  cuts: readonly number[],
  judge: (line: DumpLine) => LineVerdict,
): Promise<string> {
  const bytes = Buffer.from(text, "latin1");
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const [index, place] of places.slice(1).entries()) {
      // Its own memory, overwritten afterwards, as a reader that uses one buffer again and again does.
      const chunk = Buffer.from(bytes.subarray(places[index], place));
      yield chunk;
      chunk.fill("!");
    }
  }
  const pieces: Buffer[] = [];
  for await (const piece of mapDumpLines(chunks(), judge)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString("latin1");
}

const line = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b", ";", " ", "\r"), maxLength: 20 }),
  fc.integer({ min: 900, max: 3000 }).map((length) => "x".repeat(length)),
);
const cuts = fc.array(fc.nat(10_000), { maxLength: 12 });

describe("lines of a dump", () => {
  it("are kept, dropped or changed whole, wherever the chunks end", async () => {
    const lines = fc.array(
      fc.record({ line, verdict: fc.constantFrom<"keep" | "drop" | "change">("keep", "drop", "change") }),
    );
    await fc.assert(
      fc.asyncProperty(lines, fc.boolean(), cuts, async (given, endsWithBreak, where) => {
        const texts = given.map((one) => one.line);
        const text = texts.join("\n") + (endsWithBreak && given.length > 0 ? "\n" : "");
        const seen: DumpLine[] = [];
        const output = await mapped(text, where, (dumpLine) => {
          seen.push(dumpLine);
          const verdict = given[seen.length - 1]?.verdict ?? "keep";
          return verdict === "change" ? `<${dumpLine.head}>` : verdict === "keep";
        });
        const judged = given.slice(0, seen.length);
        expect(seen.map(({ head }) => head)).toEqual(judged.map((one) => one.line.slice(0, 1024)));
        for (const [index, { endBefore }] of seen.slice(1).entries()) {
          expect(texts[index]?.trimEnd().endsWith(endBefore)).toBe(true);
        }
        const expected = given
          .map((one, index) => {
            const lineBreak = index < given.length - 1 || endsWithBreak ? "\n" : "";
            if (one.verdict === "drop") return "";
            if (one.verdict === "keep" || index >= seen.length) return one.line + lineBreak;
            return `<${one.line.slice(0, 1024)}>${one.line.slice(1024)}${lineBreak}`;
          })
          .join("");
        expect(output).toBe(expected);
      }),
    );
  });
});

const SECTION = (table: string): string => `
DROP TABLE IF EXISTS \`${table}\`;
CREATE TABLE \`${table}\` (
  \`a\` text DEFAULT 'CREATE TABLE \`lie\`;'
);
LOCK TABLES \`${table}\` WRITE;
/*!40000 ALTER TABLE \`${table}\` DISABLE KEYS */;
INSERT INTO \`${table}\` VALUES
('-- Dump completed'),
('DROP TABLE \`lie\`;');
/*!40000 ALTER TABLE \`${table}\` ENABLE KEYS */;
UNLOCK TABLES;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=\`root\`@\`localhost\`*/ /*!50003 TRIGGER t_${table}
BEFORE INSERT ON \`${table}\` FOR EACH ROW BEGIN
DROP TABLE IF EXISTS \`lie\`;
END */;;
DELIMITER ;
`;

describe("a dump's contents", () => {
  it("are its tables, not what its values and bodies say", async () => {
    await fc.assert(
      fc.asyncProperty(cuts, async (where) => {
        const scan = scanDump();
        const text = `-- MariaDB dump 10.19\n${SECTION("wp_a")}${SECTION("b``c")}/*!50106 DROP EVENT IF EXISTS \`ev\` */;\n-- Dump completed\n`;
        await mapped(text, where, (dumpLine) => {
          scan.see(dumpLine);
          return true;
        });
        const { tables, views, routines, databases, isWhole } = scan.contents();
        expect([[...tables], [...views], routines, [...databases], isWhole]).toEqual([
          ["wp_a", "b`c"],
          [],
          [{ kind: "event", name: "ev" }],
          [],
          true,
        ]);
      }),
    );
  });

  it("keep an event and a procedure that come after another site's tables", async () => {
    const code = `/*!50106 DROP EVENT IF EXISTS \`ev\` */;
DELIMITER ;;
/*!50106 CREATE*/ /*!50117 DEFINER=\`root\`@\`localhost\`*/ /*!50106 EVENT \`ev\` ON SCHEDULE EVERY 1 DAY DO SELECT 1 */ ;;
DELIMITER ;
/*!50003 DROP PROCEDURE IF EXISTS \`p\` */;
DELIMITER ;;
CREATE DEFINER=\`root\`@\`localhost\` PROCEDURE \`p\`()
SELECT 1 ;;
DELIMITER ;
`;
    const isLeft = (table: string): boolean => table === "other_posts";
    const plan = { ...planImport({ dump: emptyDump(), existing: [], tablePrefix: "wp_" }), isLeft };
    const filter = importFilter(plan, "root@localhost");
    const filtered = await mapped(`${SECTION("wp_a")}${SECTION("other_posts")}${code}`, [100], filter);
    expect(filtered.endsWith(code)).toBe(true);
  });

  it("lose exactly what belongs to another site", async () => {
    const isLeft = (table: string): boolean => table === "other_posts";
    const plan = { ...planImport({ dump: emptyDump(), existing: [], tablePrefix: "wp_" }), isLeft };
    const filtered = await mapped(
      `${SECTION("wp_a")}${SECTION("other_posts")}${SECTION("wp_b")}`,
      [100],
      importFilter(plan, "root@localhost"),
    );
    expect(filtered).not.toContain("INSERT INTO `other_posts`");
    expect(filtered).not.toContain("t_other_posts");
    const rest = filtered.replaceAll(/^(?:UNLOCK TABLES;|DELIMITER ;+|)\n/gm, "");
    const wanted = (SECTION("wp_a") + SECTION("wp_b")).replaceAll(
      /^(?:UNLOCK TABLES;|DELIMITER ;+|)\n/gm,
      "",
    );
    expect(rest).toBe(wanted);
  });
});

function emptyDump(): ReturnType<ReturnType<typeof scanDump>["contents"]> {
  return scanDump().contents();
}

describe("whose a table is", () => {
  const wordpress = (prefix: string): string[] => ["options", "posts", "users"].map((name) => prefix + name);
  it.each([
    ["wp_", [...wordpress("wp_"), ...wordpress("wp_shop_")], "wp_shop_posts", "other-site"],
    ["wp_", [...wordpress("wp_"), ...wordpress("wp_shop_")], "wp_postmeta", "site"],
    ["wp_", [...wordpress("wp_"), "wp_2_options", "wp_2_posts"], "wp_2_posts", "site"],
    ["wp_shop_", [...wordpress("wp_"), ...wordpress("wp_shop_")], "wp_shop_x", "site"],
    ["wp_shop_", [...wordpress("wp_"), ...wordpress("wp_shop_")], "wp_posts", "other-site"],
    ["wp_", wordpress("wp_"), "mailing_list", "nobody"],
    ["", [...wordpress(""), ...wordpress("b_")], "b_x", "other-site"],
    ["", wordpress(""), "anything", "site"],
    [undefined, wordpress("wp_"), "wp_posts", "nobody"],
  ] as const)("prefix %s of %j: %s is of %s", (prefix, tables, table, owner) => {
    expect(tableOwnerOf(prefix, tables)(table)).toBe(owner);
  });
});
