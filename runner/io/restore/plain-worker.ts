// The worker thread around plain-tree.ts. See extract-plain.ts for the other side.
import { parentPort, workerData } from "node:worker_threads";
import { asBackupError } from "#shared/errors.ts";
import type { FromPlainExtractor, PlainInput, ToPlainExtractor } from "./plain-protocol.ts";
import { createPlainTree } from "./plain-tree.ts";
import { openTreeBuilder } from "./tree-builder.ts";

const port = parentPort;
if (port === null) throw new Error("plain-worker.ts is started by extract-plain.ts only");
const input = workerData as PlainInput;
const plain = createPlainTree(openTreeBuilder(input.root, input.owners), input);
let hasFailed = false;

function post(message: FromPlainExtractor): void {
  port?.postMessage(message);
}

port.on("message", (message: ToPlainExtractor) => {
  if (hasFailed) return;
  try {
    if (message.type === "end") post({ type: "done", summary: plain.finish() });
    else {
      plain.tar.write(message.bytes);
      post({ type: "tar-done", bytes: message.bytes.length });
    }
  } catch (error) {
    hasFailed = true;
    const { code, message: detail } = asBackupError(error, "restore_write_failed");
    post({ type: "failed", code, detail });
  }
});
