// Writes docs/COSTS.md from the cost formula that the fleet simulation uses, too. `npm run docs` runs it.
import { writeFileSync } from "node:fs";
import { callsOfMonth, costOf, PRICES, totalOf } from "../bench/sim/cost.ts";

const FLEETS = [10, 1_000, 100_000];
const SITES_PER_NODE = 20;
/** Of one site: an archive, and how many of its size are kept. What has not changed is stored again in each. */
const ARCHIVE_BYTES = 1e9;
const ARCHIVES_KEPT = 14;

export function costsPage(): string {
  const fleets = FLEETS.map((sites) => {
    const nodes = Math.max(1, sites / SITES_PER_NODE);
    const fleet = { sites, nodes, storedBytes: sites * ARCHIVE_BYTES * ARCHIVES_KEPT };
    return { sites, nodes, lines: costOf(callsOfMonth(fleet), fleet) };
  });
  const rows = (fleets[0]?.lines ?? []).map(({ what }, row) =>
    cells([what, ...fleets.map(({ lines }) => dollars(lines[row]?.dollars ?? 0))]),
  );
  const sums = fleets.map(({ lines }) => totalOf(lines, ["S3 storage"]));
  return [
    "# Costs",
    "",
    "Made from `bench/sim/cost.ts` by `npm run docs`; do not edit.",
    "",
    `What a month of 30 days costs on AWS, in US dollars (us-east-1, on demand, free tiers left out, prices of 2026-11), with a`,
    `backup of each site each night, ${SITES_PER_NODE} sites on a node, archives of ${ARCHIVE_BYTES / 1e9} GB of which ${ARCHIVES_KEPT} are kept. \`npm run sim\` counts the calls of`,
    "a simulated month instead of assuming them ([the last](../bench/results/2026-11-28-sim.md): 1,534 dollars but for storage,",
    "with 100,000 sites). What a call reads and writes is estimated; no bill was compared.",
    "",
    cells([
      "",
      ...fleets.map(
        ({ sites, nodes }) => `${number(sites)} sites, ${nodes === 1 ? "1 node" : `${number(nodes)} nodes`}`,
      ),
    ]),
    cells(["---", ...fleets.map(() => "---:")]),
    ...rows,
    cells(["**all but storage**", ...sums.map((sum) => `**${dollars(sum)}**`)]),
    cells(["per site", ...sums.map((sum, index) => dollars(sum / (fleets[index]?.sites ?? 1), 4))]),
    "",
    "## The formula",
    "```",
    "jobs       = sites × 30",
    "API calls  = jobs × (config 1 + claim 1 + quota 1 + report 1 + job seconds / 10) + nodes × 43,200 heartbeats",
    "polls      = (nodes × 2,592,000 s − jobs × job seconds) / 20 s + jobs",
    "",
    `API        = API calls × $${PRICES.httpApi} per million`,
    `Lambda     = API calls × 2 (authorizer) × $${PRICES.lambdaRequests} per million + GB-seconds × $${PRICES.lambdaGbSeconds}`,
    `DynamoDB   = writes × $${PRICES.dynamodbWrites} + reads × $${PRICES.dynamodbReads} per million; units per call are in bench/sim/cost.ts`,
    `SQS        = (polls + one call per beat) × $${PRICES.sqsRequests} per million`,
    `Scheduler  = jobs × $${PRICES.schedulerInvocations} per million`,
    `S3         = jobs × 8 PUTs × $${PRICES.s3Puts} per thousand + stored GB × $${PRICES.s3Gigabyte}`,
    "```",
    "",
    "- **Polling is what an idle fleet costs**: a node asks its queue every 20 seconds, some $0.05 a month, and beats once a",
    "  minute. Both grow with nodes, not with sites.",
    "- **Storage is nearly all of the rest**, on AWS. An archive is whole, so that each takes its full size; retention and",
    "  the bucket's lifecycle (a colder class after some days) are the levers, and other S3-compatible storages cost a fourth.",
    "- Not in it: traffic (into S3 it is free; downloads cost what S3 egress costs), CloudFront, alarms, KMS keys of your own.",
    "",
  ].join("\n");
}

const cells = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
const number = (value: number): string => value.toLocaleString("en-US");
const dollars = (value: number, digits = 2): string =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

if (import.meta.main) writeFileSync(new URL("../docs/COSTS.md", import.meta.url), costsPage());
