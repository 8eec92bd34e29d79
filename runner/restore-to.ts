// The story of `restore --to`: what is wanted of an archive goes into a new directory, beside nothing and over nothing.
// The directory appears when it is whole; what fails on the way leaves no half tree that could be taken for one.
import { lstat, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { BackupError } from "#shared/errors.ts";
import type { Clock } from "./clock.ts";
import {
  type Extracted,
  type ExtractProgress,
  extractArchive,
  planExtraction,
} from "./io/restore/extract-archive.ts";
import { extractPlain } from "./io/restore/extract-plain.ts";
import type { OpenArchive } from "./io/restore/open-archive.ts";
import type { Selection } from "./plan/restore/select-entries.ts";

export interface RestoreToRequest {
  readonly archive: OpenArchive;
  readonly selection: Selection;
  /** New, or empty. */
  readonly to: string;
  readonly dryRun: boolean;
}

export interface RestoreToDeps {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly onProgress?: (progress: ExtractProgress) => void;
}

export interface RestoredTo {
  /** Undefined in a dry run of an archive without an index: what it holds shows only when it is read. */
  readonly extracted: Extracted | undefined;
  readonly seconds: number;
}

/** Names what a killed restore leaves behind: nobody takes it for a site, and anybody may remove it. */
const PARTIAL_SUFFIX = ".backupd-partial";

/** @throws BackupError `restore_target_unusable`, and what extracting throws. */
export async function restoreTo(request: RestoreToRequest, deps: RestoreToDeps): Promise<RestoredTo> {
  const { archive, selection, dryRun } = request;
  const startedMs = deps.clock.monotonicMs();
  const to = resolve(request.to);
  await checkTarget(to);
  const extracted = dryRun ? planned(archive, selection) : await extractBeside(to, request, deps);
  return { extracted, seconds: (deps.clock.monotonicMs() - startedMs) / 1000 };
}

function planned(archive: OpenArchive, selection: Selection): Extracted | undefined {
  return archive.kind === "indexed" ? planExtraction(archive, selection).result : undefined;
}

async function extractBeside(
  to: string,
  { archive, selection }: RestoreToRequest,
  { signal, onProgress }: RestoreToDeps,
): Promise<Extracted> {
  const partial = `${to}${PARTIAL_SUFFIX}`;
  await makePartial(partial);
  try {
    const how = {
      selection,
      targetDir: partial,
      signal,
      ...(onProgress === undefined ? {} : { onProgress }),
    };
    const extracted =
      archive.kind === "indexed"
        ? await extractArchive({ archive, ...how })
        : await extractPlain({ archive, ...how });
    signal.throwIfAborted();
    await rename(partial, to);
    return extracted;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

async function makePartial(partial: string): Promise<void> {
  try {
    // Others stay out: there may be a database in it.
    await mkdir(partial, { mode: 0o700 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw unusable(partial, cause);
    throw new BackupError("restore_target_unusable", {
      detail: `${partial} is there: another restore works on it, or was killed`,
      hint: `If no other restore runs, remove it: rm -rf ${partial}`,
    });
  }
}

/** Absent or empty, on the file system of its parent: it has to be replaced by a rename. */
async function checkTarget(to: string): Promise<void> {
  const parent = await stat(dirname(to)).catch((cause: unknown) => {
    throw unusable(dirname(to), cause);
  });
  const there = await lstat(to).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unusable(to, cause);
  });
  if (there === undefined) return;
  if (!there.isDirectory())
    throw new BackupError("restore_target_unusable", { detail: `${to} is no directory` });
  if (there.dev !== parent.dev) {
    throw new BackupError("restore_target_unusable", {
      detail: `${to} is a mount point`,
      hint: "Name a new directory in it.",
    });
  }
  if ((await readdir(to)).length > 0) {
    throw new BackupError("restore_target_unusable", { detail: `${to} is not empty` });
  }
}

function unusable(path: string, cause: unknown): BackupError {
  const { code = "no code" } = cause as NodeJS.ErrnoException;
  return new BackupError("restore_target_unusable", { detail: `${path}: ${code}`, cause });
}
