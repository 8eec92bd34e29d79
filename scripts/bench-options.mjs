// What the benches take: here and not beside them, since --help is answered before anything is installed for them.
import { tmpdir } from "node:os";

const text = { type: "string" };
const flag = { type: "boolean", default: false };

export const BENCH = {
  usage: `Usage: npm run bench -- [options]

Builds a site of 1.4 GB, backs it up and restores it with backupd and with what people use today (tar | zstd, restic), and
holds the result against the bars. Exit code 1 if one is missed. Installs what is compared with first.

  --rows NAME[,NAME]  only these rows of the table
  --rounds N          3
  --dir DIR           keeps the site there for the next run
  --small             a site of 1/30, to try the bench itself
  --json              one JSON object per row
  --save              keeps the results in bench/results
`,
  options: {
    json: flag,
    rows: text,
    rounds: { ...text, default: "3" },
    dir: text,
    save: flag,
    small: flag,
  },
};

export const BENCH_SIZES = {
  usage: `Usage: npm run bench:sizes -- [options]

What a first backup and one of the unchanged site cost in seconds, memory, bytes and requests: from 1,000 to a million files,
and from 0.1 to 10 GB.

  --only NAME[,NAME]  only these sizes: "1k files", "10 GB"
  --dir DIR           for the sites, on a disk with 25 GB free; ${tmpdir()}
  --save              keeps table and plot in bench/results
`,
  options: {
    only: text,
    dir: { ...text, default: tmpdir() },
    save: flag,
  },
};
