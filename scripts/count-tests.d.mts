// Types of count-tests.mjs for its test; it is plain JavaScript like everything npm test starts with.
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}
export function readTally(path: string): Tally;
export function tally(report: VitestReport): Tally;
export function summarize(results: readonly (Tally & { readonly exitCode: number })[]): {
  line: string;
  exitCode: number;
};
