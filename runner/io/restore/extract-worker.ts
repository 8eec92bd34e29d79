// The worker thread that makes files of frames: hashing, decompressing and writing are synchronous calls here, which is
// the fastest way there is for WordPress' many small files.
import { workerData } from "node:worker_threads";
import { readCheckedEntries } from "../../plan/restore/checked-entries.ts";
import type { ExtractInput, LateStep, UnitFile } from "./extract-protocol.ts";
import { openFrame } from "./open-frame.ts";
import { serveFrames, type UnitWork } from "./serve-frames.ts";
import { type FileWriter, openTreeBuilder } from "./tree-builder.ts";

const { root, owners } = workerData as ExtractInput;
const tree = openTreeBuilder(root, owners);

function beginUnit(files: readonly UnitFile[]): UnitWork<void> {
  let file: FileWriter | undefined;
  const entries = readCheckedEntries(files, {
    begin: ({ name, entry }) => {
      file = tree.createFile(name, entry);
    },
    content: (bytes) => file?.write(bytes),
    end: () => file?.close(),
  });
  return {
    frame: ({ frame, stored }) => openFrame(frame, stored, (at, tar) => entries.write(at, tar)),
    end: () => entries.end(),
  };
}

function takeLateStep(step: LateStep): void {
  if (step.kind === "hardLink") tree.hardLink(step.name, step.target);
  else if (step.kind === "symlink") tree.symlink(step.name, step.target, step.metadata);
  else tree.finishDirectory(step.name, step.metadata);
}

serveFrames<readonly UnitFile[], readonly LateStep[], void>({
  begin: beginUnit,
  ask: (steps) => steps.forEach(takeLateStep),
  failure: "restore_write_failed",
});
