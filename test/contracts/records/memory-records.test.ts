// The simulation's records hold what the real table holds.
import { describe } from "vitest";
import { openMemoryRecords } from "../../../bench/sim/memory-records.ts";
import { commitContract } from "./commit-contract.ts";

const records = openMemoryRecords();
describe("commit in memory", () => commitContract(() => records));
