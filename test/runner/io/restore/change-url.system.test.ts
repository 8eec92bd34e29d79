// A site's address changed in a real MariaDB, held against PHP itself: whatever PHP serialized before, PHP reads after,
// with nothing but the address different.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findProgram } from "#local/demo/find-program.ts";
import { type Mariadb, startMariadb } from "#local/demo/mariadb.ts";
import { dumpForComparison } from "#local/prove-restore.ts";
import { runProgram } from "#local/run-program.ts";
import { changeUrl, type UrlChanged } from "#runner/io/restore/change-url.ts";
import { countUrl } from "#runner/io/restore/count-url.ts";
import { openPlainDump } from "#runner/io/restore/plain-dump.ts";
import type { SiteDatabase } from "#runner/io/site.ts";
import { replaceInValue } from "#runner/plan/restore/replace-serialized.ts";
import { tableOwnerOf } from "#runner/plan/restore/table-owner.ts";
import { urlReplacer } from "#runner/plan/restore/url-pattern.ts";

const [FROM, TO] = ["http://alt.example", "https://ein-längerer-name.example/shop"];
const STORED_TO = new URL(TO).href;
const signal = new AbortController().signal;

let dir: string;
let server: Mariadb;
let db: SiteDatabase;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "backupd-url-"));
  server = await startMariadb({ dataDir: join(dir, "db"), port: 0 });
  await server.exec("CREATE USER wp@localhost IDENTIFIED BY 'x'; GRANT ALL ON shop.* TO wp@localhost");
  db = { name: "shop", user: "wp", password: "x", address: { socketPath: server.socketPath } };
});
afterAll(async () => {
  await server?.close();
  rmSync(dir, { recursive: true, force: true });
});

async function php(script: string, input: unknown): Promise<unknown> {
  return JSON.parse(
    await runProgram(await findProgram("php"), ["-r", script], { input: JSON.stringify(input) }),
  );
}

/** Arrays, objects with private properties, strings of any bytes, and serialized values within strings. */
const SERIALIZE = `
class Thing { public $a; protected $b; private $c; function __construct($v) { $this->a = $v; $this->b = $v; $this->c = [$v]; } }
function build($v) {
  if (!is_array($v)) return $v;
  if (array_key_exists('bytes', $v)) return base64_decode($v['bytes']);
  if (array_key_exists('nested', $v)) return serialize(build($v['nested']));
  if (array_key_exists('object', $v)) return new Thing(build($v['object']));
  return array_map('build', $v['list']);
}
echo json_encode(array_map(fn($v) => bin2hex(serialize(build($v))), json_decode(stream_get_contents(STDIN), true)));`;

/** Both sides as PHP reads them, strings within strings, too; in the old one PHP replaces the address. */
const COMPARE = `
class Thing { public $a; protected $b; private $c; }
function read($v, $from, $to) {
  if (is_string($v)) {
    $inner = @unserialize($v);
    return is_array($inner) || is_object($inner) ? ['nested', read($inner, $from, $to)] : str_replace($from, $to, $v);
  }
  if (is_array($v)) return array_map(fn($x) => read($x, $from, $to), $v);
  return is_object($v) ? ['object', read((array) $v, $from, $to)] : $v;
}
$in = json_decode(stream_get_contents(STDIN), true);
$wrong = [];
foreach ($in['pairs'] as $i => [$old, $new]) {
  $expected = read(unserialize(hex2bin($old)), $in['from'], $in['to']);
  if ($expected !== read(unserialize(hex2bin($new)), '\\0never', '')) $wrong[] = $i;
}
echo json_encode($wrong);`;

const text = fc.string({
  unit: fc.constantFrom("a", '"', ";", "}", "ü", "\0", "s:3:", `${FROM}/x `, `"${FROM}"`),
});
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "medium" },
    text.map((each) => ({ bytes: Buffer.from(each).toString("base64") })),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    tie("value").map((object) => ({ object })),
    tie("value").map((nested) => ({ nested: { list: [nested] } })),
    fc.array(tie("value"), { maxLength: 4 }).map((list) => ({ list })),
  ),
}));

describe("what PHP has serialized", () => {
  it("is read by PHP afterwards, with only the address changed", async () => {
    const to = "https://ein-laengerer-name.example/shop";
    const replacer = urlReplacer({ from: FROM, to });
    const values = fc.sample(anyValue, 2000).map((value) => ({ list: [value] }));
    const old = (await php(SERIALIZE, values)) as string[];
    const pairs = old.map((hex) => {
      const { text: changed } = replaceInValue(Buffer.from(hex, "hex").toString("latin1"), replacer);
      return [hex, Buffer.from(changed, "latin1").toString("hex")];
    });
    expect(pairs.filter(([before, after]) => before !== after).length).toBeGreaterThan(200);
    expect(await php(COMPARE, { pairs, from: FROM, to })).toEqual([]);
  });
});

describe("a site's database", () => {
  beforeEach(async () => {
    await server.exec(`DROP DATABASE IF EXISTS shop; CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop;
      CREATE TABLE wp_options (option_id INT PRIMARY KEY AUTO_INCREMENT, option_name VARCHAR(99), option_value LONGTEXT);
      INSERT INTO wp_options (option_name, option_value) VALUES ('siteurl', '${FROM}'), ('home', '${FROM}'),
        ('widget', 'a:1:{s:1:"u";s:20:"${FROM}/x";}'), ('ü', 'Grüße: ${FROM}/ü 😀');
      CREATE TABLE wp_posts (ID INT PRIMARY KEY, guid VARCHAR(255), post_content LONGTEXT,
        changed TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP);
      INSERT INTO wp_posts SELECT seq, CONCAT('${FROM}/?p=', seq), IF(seq % 2, '<a href="${FROM}/a">', 'none'), '2001-01-01 00:00:00'
        FROM seq_1_to_1000;
      CREATE TABLE wp_pairs (a VARCHAR(40) COLLATE utf8mb4_german2_ci, b INT, v TEXT CHARACTER SET latin1, PRIMARY KEY (a, b));
      INSERT INTO wp_pairs SELECT CONCAT('Ä', seq % 7), seq, '${FROM} \xe9' FROM seq_1_to_700;
      CREATE TABLE wp_nokey (v TEXT); INSERT INTO wp_nokey VALUES ('${FROM}');
      CREATE TABLE wp_short (id INT PRIMARY KEY, v VARCHAR(10)); CREATE TABLE other (id INT PRIMARY KEY, v TEXT);
      INSERT INTO other VALUES (1, '${FROM}');
      CREATE TABLE a_options LIKE wp_options; INSERT INTO a_options SELECT * FROM wp_options;
      UPDATE a_options SET option_value = 'https://neighbour.example' WHERE option_name = 'home';
      CREATE TABLE a_posts LIKE wp_posts; INSERT INTO a_posts SELECT * FROM wp_posts;
      CREATE TABLE a_users (id INT PRIMARY KEY);
      CREATE TABLE wp_users (id INT PRIMARY KEY, user_url VARCHAR(50) NOT NULL, v TEXT AS (CONCAT(user_url, '/x')) VIRTUAL);
      INSERT INTO wp_users (id, user_url) VALUES (1, '${FROM}/aaaaaaaaa'), (2, '${FROM}');
      CREATE TABLE wp_kinds (id INT PRIMARY KEY, c CHAR(120) CHARACTER SET ascii, t TINYTEXT CHARACTER SET latin1,
        u VARCHAR(90) CHARACTER SET utf16, j JSON, e ENUM('${FROM}'), n INT, b BLOB) COMMENT='it''s (a, b);';
      INSERT INTO wp_kinds VALUES (1, '${FROM}', CONCAT('a:1:{i:0;s:20:"é', '${FROM}', '";}'), '${FROM}', '{"u":"http:\\\\/\\\\/alt.example"}', '${FROM}', -1, '${FROM}'),
        (2, NULL, '(''\\\\'', "),(")', NULL, NULL, NULL, NULL, x'00275c2c');`);
  });

  /** What a dry run says of the dump of it. */
  async function counted(tablePrefix = "wp_", newUrl: string = TO): Promise<UrlChanged> {
    const file = join(dir, "count.sql");
    await dumpForComparison(server, "shop", file);
    const names = new Set((await server.exec("SHOW TABLES IN shop")).split("\n"));
    const owner = tableOwnerOf(tablePrefix, names);
    const isSites = (table: string): boolean => owner(table) === "site";
    return await countUrl(openPlainDump(file), { tablePrefix, isSites, newUrl }, signal);
  }

  it("is counted in its dump as it is changed: the site's own tables, rows and values, whoever's home comes first", async () => {
    const planned = await counted();
    expect(planned.from).toBe(FROM);
    expect(planned.skipped).toHaveLength(2);
    expect(planned).toEqual(await changeUrl({ db, tablePrefix: "wp_" }, TO, signal));
    expect(planned.tables).toBe(5);
    expect((await counted("a_", "https://other.example")).from).toBe("https://neighbour.example");
  });

  it("has the new address in every row and value of the site, and nowhere else", async () => {
    const changed = await changeUrl({ db, tablePrefix: "wp_" }, TO, signal);
    expect(changed).toMatchObject({
      from: FROM,
      to: STORED_TO,
      tables: 5,
      rows: 4 + 500 + 700 + 1 + 1,
      values: 1204 + 1 + 3,
    });
    expect(changed.skipped).toEqual([
      expect.stringContaining("wp_nokey"),
      expect.stringContaining("wp_users.user_url is too short"),
    ]);
    const count = async (sql: string): Promise<number> =>
      Number(await server.exec(`USE shop; SELECT count(*) FROM ${sql}`));
    expect(await count(`wp_posts WHERE post_content LIKE '%${FROM}%'`)).toBe(0);
    expect(await count(`wp_posts WHERE post_content = '<a href="${STORED_TO}/a">'`)).toBe(500);
    expect(await count(`wp_posts WHERE guid LIKE '${FROM}%'`)).toBe(1000);
    expect(await count("wp_posts WHERE changed = '2001-01-01 00:00:00'")).toBe(1000);
    expect(await count(`wp_pairs WHERE v LIKE '${STORED_TO} %'`)).toBe(700);
    expect(await count(`other WHERE v = '${FROM}'`)).toBe(1);
    const widget = (
      await server.exec("SELECT option_value FROM shop.wp_options WHERE option_name = 'widget'")
    ).trim();
    expect(widget).toBe(`a:1:{s:1:"u";s:${Buffer.byteLength(STORED_TO) + 2}:"${STORED_TO}/x";}`);
    expect(await server.exec("SELECT option_value FROM shop.wp_options WHERE option_name = 'ü'")).toContain(
      `Grüße: ${STORED_TO}/ü 😀`,
    );
    expect(await changeUrl({ db, tablePrefix: "wp_" }, TO, signal)).toMatchObject({ rows: 0 });
  });

  it("may have the new address begin with the old one", async () => {
    await changeUrl({ db, tablePrefix: "wp_" }, `${FROM}/blog`, signal);
    const home = await server.exec("SELECT option_value FROM shop.wp_options WHERE option_name = 'home'");
    expect(home.trim()).toBe(`${FROM}/blog`);
  });

  it("of a network is refused", async () => {
    await server.exec("CREATE TABLE shop.wp_blogs (id INT PRIMARY KEY, domain VARCHAR(99))");
    const refused = { code: "restore_failed", message: expect.stringContaining("network") };
    await expect(changeUrl({ db, tablePrefix: "wp_" }, TO, signal)).rejects.toMatchObject(refused);
    await expect(counted()).rejects.toMatchObject(refused);
  });

  it("ends with what the server said when it fails", async () => {
    await server
      .exec(`ALTER TABLE shop.wp_options ADD UNIQUE (option_value(90));
      INSERT INTO shop.wp_options (option_name, option_value) VALUES ('x', '${STORED_TO}/ü 😀 Grüße')`)
      .catch(() => undefined);
    await server.exec("DROP TABLE shop.wp_options");
    await expect(changeUrl({ db, tablePrefix: "wp_" }, TO, signal)).rejects.toMatchObject({
      message: expect.stringContaining("wp_options"),
    });
  });
});
