// A disk that is full when a test wants it to be.
import type { TestContext } from "vitest";
import { runProgram } from "#local/run-program.ts";

export interface SmallDisk extends AsyncDisposable {
  resize(size: string): Promise<void>;
}

/** A file system of its own for one directory; the test is skipped where that may not be had. */
export async function mountSmallDisk(dir: string, size: string, { skip }: TestContext): Promise<SmallDisk> {
  try {
    await runProgram("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0700`, "tmpfs", dir]);
  } catch (error) {
    return skip(`a full disk needs the right to mount a tmpfs: ${String(error)}`);
  }
  return {
    resize: async (newSize) => void (await runProgram("mount", ["-o", `remount,size=${newSize}`, dir])),
    [Symbol.asyncDispose]: async () => void (await runProgram("umount", [dir])),
  };
}
