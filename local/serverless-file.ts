// serverless.yml and the files below infra/ as data, so that the local stack cannot differ from what is deployed: routes,
// handler files, authorizers and the table all come from there. CloudFormation's functions (!Ref …) stay as their plain
// values.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";

export const PROJECT_ROOT: string = join(import.meta.dirname, "..");

export interface HttpEvent {
  readonly method?: string;
  readonly path?: string;
  readonly authorizer?: { readonly name: string };
}

export interface FunctionEvent {
  readonly httpApi?: string | HttpEvent;
  readonly schedule?: { readonly rate: string };
}

export interface ServerlessFile {
  readonly provider: {
    readonly timeout: number;
    readonly httpApi: { readonly authorizers: Readonly<Record<string, { readonly functionName: string }>> };
  };
  readonly functions: Readonly<
    Record<
      string,
      {
        readonly handler: string;
        readonly timeout?: number;
        readonly events?: readonly FunctionEvent[];
      }
    >
  >;
  readonly resources: {
    readonly Resources: Readonly<
      Record<string, { readonly Type: string; readonly Properties: Readonly<Record<string, unknown>> }>
    >;
  };
}

type Resources = ServerlessFile["resources"]["Resources"];

export async function readServerlessFile(): Promise<ServerlessFile> {
  const file = (await readYaml("serverless.yml")) as Omit<ServerlessFile, "resources"> & {
    readonly resources: readonly (string | Partial<ServerlessFile["resources"]>)[];
  };
  const parts = await Promise.all(file.resources.map(readPart));
  return { ...file, resources: { Resources: Object.assign({}, ...parts) as Resources } };
}

/** In line, or `${file(infra/records.yml)}`. */
async function readPart(part: string | Partial<ServerlessFile["resources"]>): Promise<Resources> {
  if (typeof part !== "string") return part.Resources ?? {};
  const path = /^\$\{file\(([^)]+)\)\}$/.exec(part)?.[1];
  if (path === undefined) throw new Error(`serverless.yml: ${part} is not a file of resources.`);
  return ((await readYaml(path)) as Partial<ServerlessFile["resources"]>).Resources ?? {};
}

async function readYaml(path: string): Promise<unknown> {
  return parse(await readFile(join(PROJECT_ROOT, path), "utf8"), { logLevel: "error" });
}
