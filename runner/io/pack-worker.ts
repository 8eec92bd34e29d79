// The worker thread that walks, plans and packs: it reads with synchronous calls, hands filled frames to its owner,
// and sleeps while all of them are there. See pack-thread.ts and pack-site.ts for the other side.
import { parentPort } from "node:worker_threads";
import { asBackupError } from "#shared/errors.ts";
import type { FrameSink } from "./frame-writer.ts";
import { judgeFrame } from "./judge-frame.ts";
import { type PreviousIndex, packPlanned, planPack, readPreviousIndex } from "./pack-planned.ts";
import type { PackInput, PackMessage, ToPacker } from "./pack-protocol.ts";
import { createPackWarnings } from "./pack-warnings.ts";

const port = parentPort;
if (port === null) throw new Error("pack-worker.ts is started by pack-thread.ts only");

function post(message: PackMessage, transfer: ArrayBufferLike[] = []): void {
  port?.postMessage(message, transfer as ArrayBuffer[]);
}

function sinkOf(input: PackInput): FrameSink {
  const gate = new Int32Array(input.gate);
  return {
    take() {
      for (;;) {
        const returns = Atomics.load(gate, 0);
        // The first that is free, so that a small site never touches the others' memory.
        const slot = gate.subarray(1).indexOf(0);
        if (slot >= 0) {
          Atomics.store(gate, slot + 1, 1);
          return new Uint8Array(input.frames, slot * input.frameBytes, input.frameBytes);
        }
        Atomics.wait(gate, 0, returns);
      }
    },
    put(frame, length) {
      const rawSha256 = judgeFrame(frame.subarray(0, length));
      post({ type: "frame", slot: frame.byteOffset / input.frameBytes, length, rawSha256 });
    },
  };
}

function pack(input: PackInput, previous: PreviousIndex): void {
  try {
    const warnings = createPackWarnings();
    const { plan, told } = planPack(input, previous, warnings);
    post({ type: "plan", plan: told });
    const summary = packPlanned(input, plan, warnings, {
      sink: sinkOf(input),
      putIndex: (frame) => post({ type: "index", frame }, [frame.buffer]),
      putEntries: (block) => post({ type: "entries", block }),
    });
    post({ type: "done", summary });
  } catch (error) {
    const { code, message } = asBackupError(error, "archive_read_failed");
    post({ type: "failed", code, detail: message });
  }
}

let index: Promise<PreviousIndex> = readPreviousIndex(undefined);

async function take(message: ToPacker): Promise<void> {
  if (message.type === "index") {
    index = readPreviousIndex(message.index);
    return;
  }
  pack(message.input, message.input.usesIndex ? await index : "none");
  port?.close();
}

port.on("message", (message: ToPacker) => void take(message));
