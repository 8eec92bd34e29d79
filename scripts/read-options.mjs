// A command line's options; --help and what is not understood are answered here, in plain words. Plain JavaScript because
// that comes before anything is installed.
import { parseArgs } from "node:util";

/** Ends the program with 0 after --help, with 1 after an option that there is none of. */
export function readOptions({ usage, options }, args = process.argv.slice(2)) {
  let values;
  try {
    ({ values } = parseArgs({ args, options: { ...options, help: { type: "boolean" } } }));
  } catch (error) {
    // Its first sentence; the others are for programs that take more than options.
    console.error(`${/^[^\n]*?(?=\. |\.?\n|\.?$)/.exec(error.message)[0]}.\n\n${usage}`);
    process.exit(1);
  }
  if (!values.help) return values;
  console.log(usage);
  process.exit(0);
}
