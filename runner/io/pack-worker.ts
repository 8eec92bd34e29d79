// The worker thread that walks, plans and packs: it reads with synchronous calls, hands filled buffers to its owner,
// and sleeps while all of them are there. See pack-site.ts for the other side.
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { asBackupError } from "#shared/errors.ts";
import type { FrameSink } from "./frame-writer.ts";
import { packPlanned, planPack } from "./pack-planned.ts";
import type { PackInput, PackMessage } from "./pack-protocol.ts";
import { createPackWarnings } from "./pack-warnings.ts";

const port = parentPort;
if (port === null) throw new Error("pack-worker.ts is started by pack-site.ts only");
const input = workerData as PackInput;
const gate = new Int32Array(input.gate);
let made = 0;

function post(message: PackMessage, transfer: ArrayBufferLike[] = []): void {
  port?.postMessage(message, transfer as ArrayBuffer[]);
}

const sink: FrameSink = {
  take() {
    if (made < input.buffers) {
      made += 1;
      return new Uint8Array(new ArrayBuffer(input.frameBytes));
    }
    for (;;) {
      const seen = Atomics.load(gate, 0);
      const returned = receiveMessageOnPort(port) as { message: ArrayBuffer } | undefined;
      if (returned !== undefined) return new Uint8Array(returned.message);
      Atomics.wait(gate, 0, seen);
    }
  },
  put: (frame, length) => post({ type: "frame", buffer: frame.buffer, length }, [frame.buffer]),
};

try {
  const warnings = createPackWarnings();
  const { plan, told } = await planPack(input, warnings);
  post({ type: "plan", plan: told });
  const summary = packPlanned(input, plan, warnings, {
    sink,
    putIndex: (frame) => post({ type: "index", frame }, [frame.buffer]),
    putEntries: (block) => post({ type: "entries", block }),
  });
  post({ type: "done", summary });
} catch (error) {
  const { code, message } = asBackupError(error, "archive_read_failed");
  post({ type: "failed", code, detail: message });
}
