// The worker thread that walks, plans and packs: it reads with synchronous calls, hands filled frames to its owner,
// and sleeps while all of them are there. See pack-thread.ts and pack-site.ts for the other side.
import { parentPort } from "node:worker_threads";
import { asBackupError } from "#shared/errors.ts";
import type { FrameSink } from "./frame-writer.ts";
import { judgeFrame } from "./judge-frame.ts";
import {
  type PlannedPack,
  packPlanned,
  planPack,
  readPreviousIndex,
  type Surveyed,
  surveyAgainst,
} from "./pack-planned.ts";
import type { PackInput, PackMessage, PackPlace, ToPacker } from "./pack-protocol.ts";

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

let index = readPreviousIndex(undefined);
/** Asked for ahead. */
let ahead: { readonly usesIndex: boolean; readonly surveyed: Surveyed } | undefined;

async function survey(place: PackPlace, usesIndex: boolean): Promise<Surveyed> {
  return surveyAgainst(place, usesIndex ? await index : "none");
}

/** What nobody needs beyond the plan is free to go with it. */
async function plan(input: PackInput): Promise<PlannedPack> {
  const { usesIndex } = input;
  // What was compared with an archive that cannot be copied from after all is of no use.
  const surveyed = ahead?.usesIndex === usesIndex ? ahead.surveyed : await survey(input, usesIndex);
  ahead = undefined;
  index = readPreviousIndex(undefined);
  return planPack(input, surveyed);
}

async function pack(input: PackInput): Promise<void> {
  const planned = await plan(input);
  post({ type: "plan", plan: planned.told });
  const summary = packPlanned(input, planned, {
    sink: sinkOf(input),
    putIndex: (frame) => post({ type: "index", frame }, [frame.buffer]),
    putEntries: (block) => post({ type: "entries", block }),
  });
  post({ type: "done", summary });
}

async function take(message: ToPacker): Promise<void> {
  if (message.type === "index") index = readPreviousIndex(message.index);
  if (message.type === "survey") {
    const { place, usesIndex } = message;
    ahead = { usesIndex, surveyed: await survey(place, usesIndex) };
  }
  if (message.type !== "pack") return;
  await pack(message.input);
  port?.close();
}

let taken: Promise<void> = Promise.resolve();

function fail(error: unknown): void {
  const { code, message } = asBackupError(error, "archive_read_failed");
  post({ type: "failed", code, detail: message });
  port?.close();
}

// One after another, in their order.
port.on("message", (message: ToPacker) => {
  taken = taken.then(() => take(message)).catch(fail);
});
