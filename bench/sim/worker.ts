// One processor's share of the simulation.
import { parentPort, workerData } from "node:worker_threads";
import type { SimOptions } from "./plan.ts";
import { runWorld } from "./world.ts";

const result = await runWorld(workerData as SimOptions, (day) => parentPort?.postMessage({ day }));
parentPort?.postMessage({ result });
