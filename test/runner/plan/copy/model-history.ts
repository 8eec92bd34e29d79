// What can happen to a site between two backups, as data: random steps for the model of model-site.ts.
import fc from "fast-check";
import type { ModelSite } from "./model-site.ts";
import { ROOT } from "./model-site.ts";

export interface Step {
  readonly act: keyof typeof ACTS | "dump" | "nothing";
  readonly a: number;
  readonly b: number;
  /** On the model's clock, which has no finer tick. */
  readonly secondsBefore: number;
  readonly backup: boolean;
}

export interface History {
  readonly limits: {
    readonly minCopyBytes: number;
    readonly maxCopyPartBytes: number;
    readonly copyPieceBytes: number;
    readonly maxCopyParts: number;
  };
  /** Another writer than ours may end frames in the middle of entries, even of headers. */
  readonly cutAnywhere: boolean;
  readonly steps: readonly Step[];
}

/** Small, so that something is copied in every history; with too few parts only where parts may be large. */
const limits = fc
  .record({
    minCopyBytes: fc.constantFrom(1, 2048, 9000),
    room: fc.constantFrom([20_000, 1000], [50_000, 1000], [1e9, 3], [1e9, 1]),
  })
  .map(({ minCopyBytes, room: [maxCopyPartBytes = 0, maxCopyParts = 0] }) => ({
    minCopyBytes,
    maxCopyPartBytes,
    copyPieceBytes: 20_000,
    maxCopyParts,
  }));

/** Byte strings: not all of them UTF-8, one of the 255 bytes that a name may have at most. */
const ODD_NAMES = [
  "\xff\xfe",
  "caf\xe9",
  "\xc3\xbc",
  "new\nline",
  "-rf",
  "\x01",
  " ",
  "..b",
  "\xe2\x82",
  "n".repeat(255),
];

const ACTS = {
  add: (site, { a, b }) => addFile(site, a, b, (a * b) % 12_000),
  addHuge: (site, { a, b }) => addFile(site, a, b, 20_000 + b * 20),
  addMany: (site, { a, b }) => {
    for (let n = 0; n < a % 20; n += 1) site.write(`${ROOT}/m${(a + n) % 60}`, (n * b) % 5000);
  },
  rewrite: (site, { a }) => onFile(site, a, (file) => site.rewrite(file)),
  grow: (site, { a, b }) => onFile(site, a, (file) => site.write(file, site.content(file).length + b * 8)),
  growHuge: (site, { a, b }) => onFile(site, a, (file) => site.write(file, 20_000 + b * 30)),
  shrink: (site, { a, b }) =>
    onFile(site, a, (file) => site.write(file, Math.min(b, site.content(file).length))),
  link: (site, { a, b }) => onFile(site, a, (file) => onFresh(site, a, b, (name) => site.link(name, file))),
  mkdir: (site, { a, b }) => onFresh(site, a, b, (name) => site.mkdir(name)),
  symlink: (site, { a, b }) => {
    const name = nameIn(site, a, b);
    if (site.has(name)) site.remove(name);
    site.symlink(name, b % 2 === 0 ? `../t${b % 3}` : `t${b % 3}`);
  },
  chmod: (site, { a, b }) => onAny(site, a, (name) => site.chmod(name, 0o600 + (b % 0o200))),
  chown: (site, { a, b }) => onAny(site, a, (name) => site.chown(name, b % 3)),
  touch: (site, { a, b }) => onAny(site, a, (name) => site.touch(name, (b % 3) * 1000 - 1000)),
  remove: (site, { a }) => onAny(site, a, (name) => site.remove(name)),
  rename: (site, { a, b }) =>
    onAny(site, a, (from) =>
      onFresh(site, a, b, (to) => {
        if (!to.startsWith(`${from}/`)) site.rename(from, to);
      }),
    ),
  swapType: (site, { a, b }) =>
    onAny(site, a, (name) => {
      const wasDirectory = site.isDirectory(name);
      site.remove(name);
      if (wasDirectory) site.write(name, b * 5);
      else {
        site.mkdir(name);
        site.write(`${name}/inner`, b);
      }
    }),
} satisfies Record<string, (site: ModelSite, step: Pick<Step, "a" | "b">) => void>;

const OFTEN = ["add", "add", "link", "dump", "nothing"] as const;

export const history: fc.Arbitrary<History> = fc.record({
  limits,
  cutAnywhere: fc.constantFrom(false, false, false, true),
  steps: fc.array(
    fc.record<Step>({
      act: fc.constantFrom(...(Object.keys(ACTS) as (keyof typeof ACTS)[]), ...OFTEN),
      a: fc.nat(1000),
      b: fc.nat(1000),
      secondsBefore: fc.constantFrom(0, 0, 1, 10),
      backup: fc.boolean(),
    }),
    { minLength: 3, maxLength: 14 },
  ),
});

/** How every history ends: something to copy that no limit refuses, and two backups of a site that is at rest. */
export const REST: Step = { act: "nothing", a: 0, b: 0, secondsBefore: 10, backup: true };
export const EPILOGUE: readonly Step[] = [{ ...REST, act: "addHuge", a: 1, b: 1, backup: false }, REST, REST];

export function act(site: ModelSite, step: Step): void {
  if (step.act !== "dump" && step.act !== "nothing") ACTS[step.act](site, step);
}

function nameIn(site: ModelSite, a: number, b: number): string {
  const directories = site.directories();
  const odd = ODD_NAMES[a % 40];
  return `${directories[b % directories.length] ?? ROOT}/${odd ?? `n${a % 40}`}`;
}

function addFile(site: ModelSite, a: number, b: number, bytes: number): void {
  onFresh(site, a, b, (name) => site.write(name, bytes));
}

/** A name that nothing has, in some directory. */
function onFresh(site: ModelSite, a: number, b: number, then: (name: string) => void): void {
  const name = nameIn(site, a, b);
  if (!site.has(name)) then(name);
}

function onFile(site: ModelSite, a: number, then: (name: string) => void): void {
  const files = site.files();
  const file = files[a % Math.max(1, files.length)];
  if (file !== undefined) then(file);
}

function onAny(site: ModelSite, a: number, then: (name: string) => void): void {
  const names = site.names().filter((name) => name !== ROOT);
  const name = names[a % Math.max(1, names.length)];
  if (name !== undefined) then(name);
}
