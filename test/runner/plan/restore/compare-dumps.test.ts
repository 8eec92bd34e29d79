// What counts as the same dump, what as a lost thing, and what only as another hand's writing.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareDumps, type DumpComparison } from "#runner/plan/restore/compare-dumps.ts";
import { type DumpFingerprint, fingerprintDump } from "#runner/plan/restore/dump-fingerprint.ts";

const MARIADB = "MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)";

const DUMP = `/*!999999\\- enable the sandbox mode */
-- ${MARIADB}
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version\t10.11.6-MariaDB-0+deb12u1

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40103 SET TIME_ZONE='+00:00' */;

--
-- Table structure for table \`wp_posts\`
--

DROP TABLE IF EXISTS \`wp_posts\`;
CREATE TABLE \`wp_posts\` (
  \`id\` int(11) NOT NULL
) ENGINE=InnoDB AUTO_INCREMENT=3;

LOCK TABLES \`wp_posts\` WRITE;
/*!40000 ALTER TABLE \`wp_posts\` DISABLE KEYS */;
INSERT INTO \`wp_posts\` VALUES
(1),
(2);
/*!40000 ALTER TABLE \`wp_posts\` ENABLE KEYS */;
UNLOCK TABLES;
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
/*!50003 SET sql_mode              = 'STRICT_TRANS_TABLES' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=\`wp\`@\`localhost\`*/ /*!50003 TRIGGER tr BEFORE INSERT ON wp_posts FOR EACH ROW
BEGIN
-- a comment of the trigger's
  SET NEW.id = 1;
END */;;
DELIMITER ;
/*!50106 DROP EVENT IF EXISTS \`ev\` */;
DELIMITER ;;
/*!50106 CREATE*/ /*!50117 DEFINER=\`wp\`@\`localhost\`*/ /*!50106 EVENT \`ev\` ON SCHEDULE EVERY 1 DAY DO SELECT 1 */ ;;
DELIMITER ;
/*!50003 DROP PROCEDURE IF EXISTS \`p\` */;
DELIMITER ;;
CREATE DEFINER=\`wp\`@\`localhost\` PROCEDURE \`p\`()
SELECT 1 ;;
DELIMITER ;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

-- Dump completed
`;

function fingerprint(text: string, cuts: readonly number[] = []): DumpFingerprint {
  const bytes = Buffer.from(text);
  const fingerprinter = fingerprintDump();
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    fingerprinter.write(bytes.subarray(at, Math.max(at, cut)));
    at = Math.max(at, cut);
  }
  return fingerprinter.end();
}

const compared = (after: string, before: string = DUMP): DumpComparison =>
  compareDumps(fingerprint(before), fingerprint(after));

const change = (from: string, to: string): string => {
  expect(DUMP).toContain(from);
  return DUMP.replaceAll(from, to);
};

it("knows the things in a dump, who made it, and of which database it is", () => {
  const { things, maker, databaseName } = fingerprint(DUMP);
  expect([...things.keys()]).toEqual([
    "the definition of wp_posts",
    "the rows of wp_posts",
    "the definition of event ev",
    "the definition of procedure p",
  ]);
  expect(maker).toEqual({ program: MARIADB, server: "10.11.6-MariaDB-0+deb12u1" });
  expect(databaseName).toBe("shop");
});

it("is the same however the dump is cut into pieces", () => {
  const whole = fingerprint(DUMP);
  fc.assert(
    fc.property(fc.array(fc.nat(DUMP.length), { maxLength: 20 }), (cuts) => {
      expect(
        fingerprint(
          DUMP,
          cuts.toSorted((a, b) => a - b),
        ),
      ).toEqual(whole);
    }),
  );
});

describe("no difference is", () => {
  it.each<[string, () => string]>([
    ["another account", () => change("DEFINER=`wp`@`localhost`", "DEFINER=`backupd_proof`@`localhost`")],
    ["another host in the first lines", () => change("Host: localhost", "Host: db.example.com")],
    ["another patch release of the server", () => change("version\t10.11.6-", "version\t10.11.19-")],
    [
      "a comment, or a variable of the session",
      () => change("-- Dump completed", "-- Done\n/*!40101 SET NAMES utf8 */;"),
    ],
  ])("%s", (_what, after) => {
    expect(compared(after())).toEqual({ faults: [], notes: [] });
  });
});

describe("a fault is", () => {
  it.each<[string, () => string, string]>([
    ["a changed row", () => change("(2);", "(3);"), "Not the same after the import: the rows of wp_posts"],
    ["a lost row", () => change("(1),\n", ""), "Not the same after the import: the rows of wp_posts"],
    [
      "a counter that goes back",
      () => change("AUTO_INCREMENT=3", "AUTO_INCREMENT=2"),
      "the definition of wp_posts",
    ],
    [
      "a comment within code",
      () => change("-- a comment of", "-- no comment of"),
      "the definition of wp_posts",
    ],
    [
      "the rules that a trigger was written under",
      () => change("STRICT_TRANS_TABLES", "ANSI"),
      "the definition of wp_posts",
    ],
    [
      "a lost procedure",
      () => change("`p`", "`q`"),
      "Not there after the import: the definition of procedure p",
    ],
    [
      "rows from nowhere",
      () => change("(2);\n", "(2);\nINSERT INTO `x` VALUES (1);\n"),
      "Nowhere in the dump",
    ],
  ])("%s", (_what, after, words) => {
    expect(compared(after()).faults).toContainEqual(expect.stringContaining(words));
  });
});

it("a text that another release writes otherwise is a warning, which says whose it is", () => {
  const after = change("(1),\n(2)", "(1),(2)").replace("version\t10.11.6-MariaDB", "version\t11.4.2-MariaDB");
  const { faults, notes } = compared(after);
  expect(faults).toEqual([]);
  expect(notes).toEqual([expect.stringMatching(/not byte for byte.*10\.11\.6.*11\.4\.2.*rows of wp_posts/)]);
});

it("a lost thing is a fault whoever wrote it; an event whose time is over is none", () => {
  const other = (text: string): string => text.replace("version\t10.11.6-MariaDB", "version\t8.0.1");
  expect(compared(other(change("PROCEDURE", "FUNCTION"))).faults).toHaveLength(2);
  const without = DUMP.replace(/\/\*!50106 DROP EVENT[\s\S]*?DELIMITER ;\n/, "");
  expect(compared(without)).toEqual({ faults: [], notes: [expect.stringContaining("event ev")] });
});
