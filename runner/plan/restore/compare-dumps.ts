// Holds the dump of an imported dump against the dump itself, and says what that means for the backup.
import type { DumpFingerprint, DumpMaker } from "./dump-fingerprint.ts";

export interface DumpComparison {
  /** The backup does not give back what was backed up. */
  readonly faults: readonly string[];
  /** It does, as far as can be told. */
  readonly notes: readonly string[];
}

const NAMED = 20;

export function compareDumps(backup: DumpFingerprint, imported: DumpFingerprint): DumpComparison {
  const [before, after] = [backup.things, imported.things];
  const missing = [...before.keys()].filter((thing) => !after.has(thing));
  const added = [...after.keys()].filter((thing) => !before.has(thing));
  const different = [...before].filter(([thing, hash]) => after.has(thing) && after.get(thing) !== hash);
  // A server drops an event whose time is over.
  const isOver = (thing: string): boolean => thing.startsWith("the definition of event ");
  const faults = [
    ...sentence(
      "Not there after the import",
      missing.filter((thing) => !isOver(thing)),
    ),
    ...sentence("Nowhere in the dump, but there after the import", added),
  ];
  const notes = sentence(
    "Events that the server did not take, as their time is over",
    missing.filter(isOver),
  );
  const changed = different.map(([thing]) => thing);
  if (changed.length === 0) return { faults, notes };
  if (isSameMaker(backup.maker, imported.maker)) {
    return { faults: [...faults, ...sentence("Not the same after the import", changed)], notes };
  }
  const makers = `the backup is of ${name(backup.maker)}, the proof was made with ${name(imported.maker)}`;
  return {
    faults,
    notes: [...notes, ...sentence(`Imported, but not byte for byte the same (${makers})`, changed)],
  };
}

/** The texts of two dump programs, or of two servers, differ in known ways; those of the same do not. */
function isSameMaker(left: DumpMaker, right: DumpMaker): boolean {
  return left.program === right.program && release(left.server) === release(right.server);
}

/** `mariadb 10.11` of 10.11.6-MariaDB-0+deb12u1. */
export function release(version: string): string {
  const [numbers = "", flavour = "MySQL"] = [
    /^\d+\.\d+/.exec(version)?.[0],
    /mariadb/i.exec(version)?.[0].toLowerCase(),
  ];
  return `${flavour} ${numbers}`;
}

function name({ server, program }: DumpMaker): string {
  return server === "" && program === ""
    ? "an unknown server"
    : `${server || "an unknown server"} (${program})`;
}

function sentence(what: string, things: readonly string[]): string[] {
  if (things.length === 0) return [];
  const more = things.length > NAMED ? ` and ${things.length - NAMED} more` : "";
  return [`${what}: ${things.slice(0, NAMED).join(", ")}${more}`];
}
