// Whose a table is, where several WordPress share one database: a restore of one site must not take the tables of
// another one back in time, and the dump of a database has them all.

/** What every WordPress of its own has; the sites of a network share their `users`. */
const OWN_TABLES = ["options", "posts", "users"] as const;

export type TableOwner = "site" | "other-site" | "nobody";

/**
 * `tables`: of the database and of the dump. The longest prefix of a WordPress that fits decides: with `wp_` and
 * `wp_shop_`, `wp_shop_posts` is the latter's, unless `wp_shop_` has no users and so is a site of `wp_`'s network.
 */
export function tableOwnerOf(
  sitePrefix: string | undefined,
  tables: Iterable<string>,
): (table: string) => TableOwner {
  const names = new Set(tables);
  const prefixes = new Set<string>();
  for (const name of names) {
    if (!name.endsWith(OWN_TABLES[0])) continue;
    const prefix = name.slice(0, -OWN_TABLES[0].length);
    if (OWN_TABLES.every((table) => names.has(prefix + table))) prefixes.add(prefix);
  }
  // Whose they are is not known then, so all that a dump has is taken for the site's.
  if (sitePrefix === undefined) return () => "nobody";
  prefixes.add(sitePrefix);
  const longestFirst = [...prefixes].sort((left, right) => right.length - left.length);
  return (table) => {
    const prefix = longestFirst.find((candidate) => table.startsWith(candidate));
    if (prefix === undefined) return "nobody";
    return prefix === sitePrefix ? "site" : "other-site";
  };
}
