// The command line and the environment, parsed once at the entry, with all faults reported together.
import { isAbsolute } from "node:path";
import * as z from "zod";
import { DEFAULT_SITE_ROOTS } from "./io/discover.ts";

const AbsolutePath = z.string().refine(isAbsolute, "must be an absolute path");

const Settings = z.object({
  stateDir: AbsolutePath.default("/var/lib/backupd"),
  logFormat: z.enum(["json", "pretty"]).optional(),
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
  siteRoots: z
    .string()
    .transform((text) => text.split(":").filter((root) => root !== ""))
    .pipe(z.array(AbsolutePath))
    .default([...DEFAULT_SITE_ROOTS]),
});
export type Settings = z.infer<typeof Settings>;

const VARIABLES: Readonly<Record<keyof Settings, string>> = {
  stateDir: "BACKUPD_STATE_DIR",
  logFormat: "BACKUPD_LOG_FORMAT",
  logLevel: "BACKUPD_LOG_LEVEL",
  siteRoots: "BACKUPD_SITE_ROOTS",
};

export type ParsedSettings =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly faults: readonly string[] };

/** An option wins over its variable; an empty variable counts as absent. */
export function parseSettings(
  options: Readonly<Partial<Record<keyof Settings, string>>>,
  env: Readonly<Record<string, string | undefined>>,
): ParsedSettings {
  const keys = Object.keys(VARIABLES) as (keyof Settings)[];
  const given = Object.fromEntries(
    keys.map((key) => [key, options[key] ?? (env[VARIABLES[key]] || undefined)]),
  );
  const parsed = Settings.safeParse(given);
  if (parsed.success) return { ok: true, settings: parsed.data };
  const faults = parsed.error.issues.map(({ path, message }) => {
    const key = path[0] as keyof Settings;
    const option = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return `--${option} (${VARIABLES[key]}): ${message}`;
  });
  return { ok: false, faults };
}
