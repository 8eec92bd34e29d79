// The worker thread that makes files of frames: hashing, decompressing and writing are synchronous calls here, which is
// the fastest way there is for WordPress' many small files. See extractors.ts for the other side.
import { parentPort, workerData } from "node:worker_threads";
import { asBackupError } from "#shared/errors.ts";
import { type CheckedEntries, readCheckedEntries } from "../../plan/restore/checked-entries.ts";
import type { ExtractInput, FromExtractor, LateStep, ToExtractor, UnitFile } from "./extract-protocol.ts";
import { openFrame } from "./open-frame.ts";
import { type FileWriter, openTreeBuilder } from "./tree-builder.ts";

const port = parentPort;
if (port === null) throw new Error("extract-worker.ts is started by extractors.ts only");
const { root } = workerData as ExtractInput;
const tree = openTreeBuilder(root);
const units = new Map<number, CheckedEntries>();
let hasFailed = false;

function post(message: FromExtractor): void {
  port?.postMessage(message);
}

function beginUnit(files: readonly UnitFile[]): CheckedEntries {
  let file: FileWriter | undefined;
  return readCheckedEntries(files, {
    begin: ({ name }) => {
      file = tree.createFile(name);
    },
    content: (bytes) => file?.write(bytes),
    end: ({ entry }) => file?.close(entry),
  });
}

function unitOf(id: number): CheckedEntries {
  const unit = units.get(id);
  if (unit === undefined) throw new Error(`there is no unit ${id}`);
  return unit;
}

function late(step: LateStep): void {
  if (step.kind === "hardLink") tree.hardLink(step.name, step.target);
  else if (step.kind === "symlink") tree.symlink(step.name, step.target, step.metadata);
  else tree.finishDirectory(step.name, step.metadata);
}

function handle(message: ToExtractor): void {
  switch (message.type) {
    case "unit":
      units.set(message.unit, beginUnit(message.files));
      break;
    case "frame":
      unitOf(message.unit).write(message.frame.tarOffset, openFrame(message.frame, message.stored));
      post({ type: "frame-done", tarBytes: message.frame.tarBytes });
      break;
    case "unit-end":
      unitOf(message.unit).end();
      units.delete(message.unit);
      post({ type: "unit-done", unit: message.unit });
      break;
    case "late":
      for (const step of message.steps) late(step);
      post({ type: "late-done" });
      break;
  }
}

port.on("message", (message: ToExtractor) => {
  // What was on its way when something failed is dropped.
  if (hasFailed) return;
  try {
    handle(message);
  } catch (error) {
    hasFailed = true;
    const { code, message: detail } = asBackupError(error, "restore_write_failed");
    post({ type: "failed", code, detail });
  }
});
