// Decides what set-up has to do from facts about the machine, without touching it: so every platform's case can
// be tested on any machine. Plain JavaScript, because it runs on whatever Node is there before npm ci.

/** Where an unpacked WordPress may be; local/demo/copy-wordpress.ts looks in the same places. */
export const WORDPRESS_DIRS = ["/usr/share/wordpress", "/usr/local/share/wordpress"];

const THEME = "wp-content/themes/twentytwentythree/style.css";
const wordpressFile = (name) => WORDPRESS_DIRS.map((dir) => `${dir}/${name}`);

/**
 * What each Debian package is there for. It counts as present when every command, PHP module and one of the
 * files is there, however they came. MariaDB's server comes as its -core package: the binaries without the
 * system service, which the demo does not use and must not start.
 */
export const PACKAGES = [
  { apt: "mariadb-server-core", elsewhere: "MariaDB", commands: ["mariadbd", "mariadb-install-db"] },
  { apt: "mariadb-client", elsewhere: "MariaDB's client programs", commands: ["mysql", "mysqldump"] },
  { apt: "zstd", elsewhere: "zstd", commands: ["zstd"] },
  { apt: "rsync", elsewhere: "rsync", commands: ["rsync"] },
  { apt: "wget", elsewhere: "wget", commands: ["wget"] },
  { apt: "php-cli", elsewhere: "PHP 8", commands: ["php"] },
  { apt: "php-mysql", elsewhere: "PHP's mysqli module", phpModules: ["mysqli"] },
  { apt: "php-gd", elsewhere: "PHP's gd module", phpModules: ["gd"] },
  { apt: "php-mbstring", elsewhere: "PHP's mbstring module", phpModules: ["mbstring"] },
  { apt: "php-xml", elsewhere: "PHP's xml and dom modules", phpModules: ["xml", "dom"] },
  {
    apt: "wordpress",
    elsewhere: `WordPress (wordpress.org's archive, unpacked to ${WORDPRESS_DIRS[1]})`,
    files: wordpressFile("wp-load.php"),
  },
  {
    apt: "wordpress-theme-twentytwentythree",
    elsewhere: "the theme twentytwentythree in it",
    files: wordpressFile(THEME),
  },
  { apt: "restic", elsewhere: "restic", commands: ["restic"], onlyFor: "test" },
  { apt: "bubblewrap", elsewhere: "bubblewrap", commands: ["bwrap"], onlyFor: "test", onlyOn: "linux" },
  { apt: "age", elsewhere: "age", commands: ["age", "age-keygen"], onlyFor: "test" },
  {
    apt: "chromium",
    elsewhere: "Chromium",
    files: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
    onlyFor: "test",
  },
];

export function missingPackages(profile, { commands, phpModules, files, os = "linux" }) {
  const needed = PACKAGES.filter(
    (entry) => (entry.onlyFor ?? profile) === profile && (entry.onlyOn ?? os) === os,
  );
  return needed.filter((entry) => {
    const hasCommands = (entry.commands ?? []).every((name) => commands.has(name));
    const hasModules = (entry.phpModules ?? []).every((name) => phpModules.has(name));
    const hasFile = entry.files === undefined || entry.files.some((path) => files.has(path));
    return !(hasCommands && hasModules && hasFile);
  });
}

/** Every package of the lock file that this platform needs is what npm says it has installed. */
export function installedMatchesLock(lock, installed) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === "" || wanted.link) return true;
    const found = installed.packages[path];
    if (found === undefined) return wanted.optional === true || wanted.devOptional === true;
    return found.version === wanted.version;
  });
}

/**
 * The actions, in order: `adopt` and `npm-ci` (node_modules), `apt` (system packages), or a single `fail` with
 * what a person has to do first; nothing else is begun then.
 */
export function planSetup(facts) {
  const actions = [];
  if (facts.nodeModules === "changed") actions.push({ kind: "npm-ci" });
  if (facts.nodeModules === "unstamped") actions.push({ kind: "adopt" });
  if (!facts.bundledNodeExists && !facts.bundledNodeExpected && facts.nodeMajor < 24) {
    return [
      fail(`Node 24 or newer is needed, and npm has none for ${facts.platform}. Install it, then try again.`),
    ];
  }
  if (facts.missing.length === 0) return actions;
  const packages = facts.missing.map((entry) => entry.apt);
  if (!facts.hasApt) return [fail(howToGetElsewhere(facts))];
  if (packages.includes("mariadb-server-core") && facts.hasMysqlServer) return [fail(MYSQL_IN_THE_WAY)];
  if (!facts.isRoot && !facts.canSudo) return [fail(howToGetWithApt(packages))];
  actions.push({ kind: "apt", packages, sudo: !facts.isRoot, updateFirst: !facts.hasAptLists });
  return actions;
}

const fail = (message) => ({ kind: "fail", message });

const MYSQL_IN_THE_WAY =
  "The demo site needs MariaDB's server, and installing it here would remove the MySQL server that this machine\n" +
  "has. Nothing was changed. Run this in a container or a virtual machine, or replace MySQL by MariaDB yourself.";

function howToGetWithApt(packages) {
  return (
    `These system packages are missing: ${packages.join(" ")}\n` +
    "They need root, and sudo is not available here without a password. Run this line once, then try again:\n\n" +
    `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(" ")}\n`
  );
}

function howToGetElsewhere({ missing, platform }) {
  const lines = missing.map((entry) => `  - ${entry.elsewhere}`).join("\n");
  const how = platform.startsWith("darwin")
    ? "With Homebrew: brew install mariadb php zstd rsync wget (and restic age for the tests)."
    : "Install them with your system's package manager.";
  return `These are missing, and this system has no apt to get them with:\n${lines}\n${how} Then try again.`;
}
