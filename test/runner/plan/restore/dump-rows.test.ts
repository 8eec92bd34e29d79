// Rows come out of INSERT statements as they went in, wherever the statements are cut; and tables' columns as servers say.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type DumpRow, readDumpRows } from "#runner/plan/restore/dump-rows.ts";
import { readDumpSchema, storedAs } from "#runner/plan/restore/dump-schema.ts";
import { textTableOf } from "#runner/plan/restore/text-columns.ts";

/** As mariadb-dump writes it. */
const ESCAPES: Record<string, string> = {
  "\0": "\\0",
  "\n": "\\n",
  "\r": "\\r",
  "\x1a": "\\Z",
  '"': '\\"',
  "'": "\\'",
  "\\": "\\\\",
};
const quoted = (text: string): string => `'${text.replace(/[\s\S]/g, (char) => ESCAPES[char] ?? char)}'`;
const written = (value: string | null | number): string =>
  value === null ? "NULL" : typeof value === "number" ? String(value) : quoted(value);

const cell = fc.oneof(
  fc.string({
    unit: fc.constantFrom("a", "'", "\\", '"', "(", ")", ",", ";", "\n", "\0", "\x1a", "\xe9", "`"),
  }),
  fc.constant(null),
  fc.integer(),
);

test("whatever is in them, and wherever they are cut", () => {
  const rows = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(rows, fc.array(fc.nat(400), { maxLength: 8 }), fc.boolean(), (given, cuts, hasBreaks) => {
      const tuples = given.map((row) => `(${row.map(written).join(",")})`).join(hasBreaks ? ",\n" : ",");
      const sql = `INSERT INTO \`wp_x\` VALUES${hasBreaks ? "\n" : " "}${tuples};\nINSERT INTO \`y\` (\`a\`, \`b(\`\`\`) VALUES (1,'z''z');\n`;
      const found: DumpRow[] = [];
      const reader = readDumpRows((row) => found.push(row));
      const at = [0, ...cuts.filter((cut) => cut < sql.length).sort((a, b) => a - b), sql.length];
      for (const [index, from] of at.slice(0, -1).entries()) reader.push(sql.slice(from, at[index + 1]));
      const values = given.map((row) =>
        row.map((value) => (typeof value === "number" ? String(value) : value)),
      );
      expect(found).toEqual([
        ...values.map((row) => ({ table: "wp_x", columns: undefined, values: row })),
        { table: "y", columns: ["a", "b(`"], values: ["1", "z'z"] },
      ]);
    }),
  );
});

test("a table's columns, with what may be changed in them", () => {
  const sql = `CREATE TABLE \`wp_posts\` (
  \`ID\` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  \`guid\` varchar(255) NOT NULL DEFAULT '',
  \`title\` varchar(200) COLLATE utf8mb4_bin NOT NULL DEFAULT 'GENERATED ALWAYS',
  \`old\` text CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  \`sum\` varchar(20) GENERATED ALWAYS AS (concat(\`title\`,'x')) VIRTUAL,
  \`at\` timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  PRIMARY KEY (\`ID\`,\`at\`),
  KEY \`title\` (\`title\`(191))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;`;
  const schema = readDumpSchema();
  let endBefore = "";
  for (const head of sql.split("\n")) {
    schema.see({ head, endBefore });
    endBefore = head.slice(-4);
  }
  const table = schema.tables().get("wp_posts");
  expect(table?.columns.map(({ name }) => name)).toEqual(["ID", "guid", "title", "old", "sum", "at"]);
  expect(textTableOf("wp_posts", table?.columns ?? [])).toMatchObject({
    columns: [
      { name: "title", charset: "utf8mb4", maxLength: 800, maxChars: 200 },
      { name: "old", charset: "latin1", maxLength: 65_535 },
    ],
    key: [{ name: "ID" }, { name: "at" }],
    selfSetting: ["at"],
  });
});

test("a value as long as it is stored", () => {
  expect(storedAs("a\xc3\xa9", "latin1")).toHaveLength(2);
  expect(storedAs("a\xc3\xa9", "utf8mb3")).toHaveLength(3);
  expect(storedAs("\xe4\xb8\xad", "gbk")).toHaveLength(2);
});
