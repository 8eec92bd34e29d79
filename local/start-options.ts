// The command line of `npm start`.
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";

export interface StartOptions {
  /** All state of the local stack. */
  readonly dir: string;
  /** First of the ports to use when the stack is made; later starts use the same ones. */
  readonly port: number;
  /** Back up, restore, compare, and end. */
  readonly exit: boolean;
  /** The last line on standard output is one JSON object; everything for people goes to standard error. */
  readonly json: boolean;
}

const HELP = `
A whole Backupd on this machine: the Master's API, S3, SQS, DynamoDB, EventBridge Scheduler and STS on 127.0.0.1,
a real WordPress on a real MariaDB, and backupd enrolled and running. The first start makes the site and takes
about half a minute; later ones find everything again. Ctrl-C ends all of it.

Examples:
  npm start                        keep serving, with the site's schedule running
  npm start -- --exit --json       one backup, restored with stock tools and compared; exit code 0 if all is the same
  npm start -- --dir /tmp/try      keep the state somewhere else; remove the directory to start over
`;

export function parseStartOptions(argv: readonly string[], projectDir: string): StartOptions {
  const command = new Command("npm start --")
    .description("Runs Backupd with a demo site on this machine.")
    .option("--dir <directory>", "where the stack keeps its state", resolve(projectDir, ".backupd"))
    .option("--port <number>", "the API's port, others follow; 0 for any", parsePort, 4680)
    .option("--exit", "back up, restore with stock tools, compare, and end", false)
    .option("--json", "end with one JSON line on standard output; needs --exit", false)
    .addHelpText("after", HELP)
    .allowExcessArguments(false);
  command.parse([...argv], { from: "user" });
  const { dir, port, exit, json } = command.opts<{
    dir: string;
    port: number;
    exit: boolean;
    json: boolean;
  }>();
  if (json && !exit) command.error("error: --json needs --exit");
  return { dir: resolve(dir), port, exit, json };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_000)
    throw new InvalidArgumentError("It is a number from 0 to 65000.");
  return port;
}
