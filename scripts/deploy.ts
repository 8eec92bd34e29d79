// npm run deploy -- --stage prod: package, deploy with osls, upload the dashboard. Asks AWS who it is talking to before it
// does anything, so that nobody learns after minutes that there are no credentials.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { S3Client } from "@aws-sdk/client-s3";
import { SSMClient } from "@aws-sdk/client-ssm";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { ROOT, runMain } from "./setup.mjs";
import { SetupError } from "./setup-error.mjs";
import { ensureStorageIdentity } from "./storage-identity.ts";
import { uploadDashboard } from "./upload-dashboard.ts";

const OUT = join(ROOT, "dist");
const HELP = `Use: npm run deploy -- --stage STAGE [--region REGION] [--param NAME=VALUE]... [--dry-run]
The parameters are in serverless.yml and docs/OPERATIONS.md.`;

interface Options {
  readonly stage: string;
  readonly region: string;
  readonly params: readonly string[];
  readonly isDryRun: boolean;
}

await runMain(async () => {
  const options = readOptions();
  if (options.isDryRun) {
    run([join(ROOT, "scripts", "package.mjs"), ...serverlessArgs(options)], ROOT);
    console.log(`\nDry run: nothing was sent. ${describeTemplate()}`);
    return 0;
  }
  const account = await whoami(options.region);
  console.log(`Deploying stage ${options.stage} to account ${account}, region ${options.region}.`);
  run([join(ROOT, "scripts", "package.mjs"), ...serverlessArgs(options)], ROOT);
  const cli = join(ROOT, "node_modules", "serverless", "bin", "serverless.js");
  run([cli, "deploy", "--package", ".serverless", ...serverlessArgs(options)], OUT);
  await makeStorageIdentity(options);
  await deployDashboard(options, account);
  return 0;
});

function readOptions(): Options {
  const { values } = parse();
  const stage = values.stage ?? "";
  if (!/^[a-z][a-z0-9]{0,19}$/.test(stage)) {
    throw new SetupError(`Say which stage: a name of small letters and digits, such as prod.\n${HELP}`);
  }
  const region = values.region ?? process.env["AWS_REGION"] ?? "eu-central-1";
  return { stage, region, params: values.param ?? [], isDryRun: values["dry-run"] ?? false };
}

function parse(): { values: { stage?: string; region?: string; param?: string[]; "dry-run"?: boolean } } {
  try {
    return parseArgs({
      options: {
        stage: { type: "string" },
        region: { type: "string" },
        param: { type: "string", multiple: true },
        "dry-run": { type: "boolean" },
      },
    });
  } catch (error) {
    throw new SetupError(`${(error as Error).message}\n${HELP}`);
  }
}

function serverlessArgs({ stage, region, params }: Options): string[] {
  return ["--stage", stage, "--region", region, ...params.flatMap((param) => ["--param", param])];
}

/** The account of the credentials at hand. */
async function whoami(region: string): Promise<string> {
  const client = new STSClient({ region });
  try {
    const { Account } = await client.send(new GetCallerIdentityCommand({}));
    if (Account === undefined) throw new Error("AWS did not say which account this is");
    return Account;
  } catch (error) {
    throw new SetupError(
      `There are no AWS credentials that work: ${(error as Error).message}
Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and try again.
To see without credentials what would be deployed, add --dry-run.`,
    );
  } finally {
    client.destroy();
  }
}

/** What opens the secrets of storage providers; made once per stage, and never replaced. */
async function makeStorageIdentity({ stage, region }: Options): Promise<void> {
  const client = new SSMClient({ region });
  try {
    const name = `/backupd/${stage}/storage-identity`;
    const isNew = await ensureStorageIdentity(name, client);
    console.log(`Storage identity: ${name} ${isNew ? "made" : "is there"}.`);
  } finally {
    client.destroy();
  }
}

async function deployDashboard({ stage, region }: Options, account: string): Promise<void> {
  const config = join(ROOT, "dashboard", "vite.config.ts");
  if (!existsSync(config)) return;
  const { build } = await import("vite");
  await build({ configFile: config, configLoader: "native", logLevel: "warn" });
  const client = new S3Client({ region });
  try {
    const bucket = `backupd-${stage}-dashboard-${account}-${region}`;
    const count = await uploadDashboard(join(OUT, "dashboard"), bucket, client);
    console.log(`Dashboard: ${count} files. Its address is DashboardUrl in the stack's outputs.`);
  } finally {
    client.destroy();
  }
}

function describeTemplate(): string {
  const path = join(OUT, ".serverless", "cloudformation-template-update-stack.json");
  const { Resources } = JSON.parse(readFileSync(path, "utf8")) as {
    Resources: Record<string, { Type: string }>;
  };
  const types = Object.values(Resources).map(({ Type }) => Type);
  const functions = types.filter((type) => type === "AWS::Lambda::Function").length;
  return `The stack has ${types.length} resources, ${functions} functions among them: ${path}`;
}

function run(args: readonly string[], cwd: string): void {
  const { status, error } = spawnSync(process.execPath, args, { cwd, stdio: "inherit" });
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new SetupError("That did not work; the reason is above. Nothing after it was done.");
}
