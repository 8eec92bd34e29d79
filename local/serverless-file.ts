// serverless.yml as data, so that the local stack cannot differ from what is deployed: routes, handler files,
// authorizers and the table all come from there. CloudFormation's functions (!Ref …) stay as their plain values.
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

export async function readServerlessFile(): Promise<ServerlessFile> {
  const text = await readFile(join(PROJECT_ROOT, "serverless.yml"), "utf8");
  return parse(text, { logLevel: "error" }) as ServerlessFile;
}
