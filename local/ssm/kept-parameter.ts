// A parameter of the local SSM that a stack finds again at its next start.
import { readFile, rename, writeFile } from "node:fs/promises";

export const ALERT_TARGETS = "/backupd/local/alert-targets";

export interface KeptParameter {
  /** By its name; empty before anybody has put it. */
  read(): Promise<Record<string, string>>;
  /** Other parameters are left to themselves. */
  onPut(name: string, value: string): Promise<void>;
}

export function keptParameter(file: string, name: string): KeptParameter {
  return {
    async read() {
      try {
        return { [name]: await readFile(file, "utf8") };
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
        throw error;
      }
    },
    async onPut(put, value) {
      if (put !== name) return;
      await writeFile(`${file}.new`, value, { mode: 0o600 });
      await rename(`${file}.new`, file);
    },
  };
}
