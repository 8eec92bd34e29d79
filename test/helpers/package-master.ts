// npm run package, offline and without credentials, and the template that it makes.
import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);

export interface TemplateResource {
  readonly Type: string;
  readonly Condition?: string;
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: string;
  // biome-ignore lint/suspicious/noExplicitAny: CloudFormation, as deep as it goes
  readonly Properties: any;
}

export interface Template {
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Condition?: string; readonly Value: unknown }>>;
}

export interface PackageOptions {
  readonly region?: string;
  /** As `--param name=value`. */
  readonly params?: Readonly<Record<string, string>>;
}

export function packageMaster(stage: string, options: PackageOptions = {}): Promise<Template> {
  return runPackage(stage, options, [], "dist");
}

/** The template without the functions' bundles, which take most of the time. */
export async function packageTemplate(stage: string, options: PackageOptions = {}): Promise<Template> {
  // Of its own: two files of tests may be at it at once.
  const name = `template-${process.pid}`;
  try {
    return await runPackage(stage, options, [`--template-into=${name}`], `dist/${name}`);
  } finally {
    await rm(join(ROOT, "dist", name), { recursive: true, force: true });
  }
}

async function runPackage(
  stage: string,
  { region = "eu-central-1", params = {} }: PackageOptions,
  flags: readonly string[],
  out: string,
): Promise<Template> {
  const { PATH, HOME } = process.env;
  const args = ["scripts/package.mjs", ...flags, "--stage", stage, "--region", region];
  for (const [name, value] of Object.entries(params)) args.push("--param", `${name}=${value}`);
  await run(process.execPath, args, { cwd: ROOT, env: { PATH, HOME } });
  const path = join(ROOT, out, ".serverless/cloudformation-template-update-stack.json");
  return JSON.parse(await readFile(path, "utf8")) as Template;
}

export function resourcesOfType(template: Template, type: string): [string, TemplateResource][] {
  return Object.entries(template.Resources).filter(([, { Type }]) => Type === type);
}
