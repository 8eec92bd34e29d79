// What a configuration file has set so far: constants and variables, with a journal so that a branch that may or may
// not run can be tried and then taken back at a cost that follows from what it changed.
import { equal, isArray, isUnknown, type PhpValue, undecidable } from "./php-value.ts";

interface Change {
  readonly names: Map<string, PhpValue>;
  readonly name: string;
  readonly before: PhpValue | undefined;
}

export interface PhpState {
  readonly constants: ReadonlyMap<string, PhpValue>;
  readonly variables: ReadonlyMap<string, PhpValue>;
  define(name: string, value: PhpValue): void;
  assign(name: string, value: PhpValue): void;
  /** Exactly one of the branches runs, and it is not known which: what they do not agree on becomes unknown. */
  oneOf(branches: readonly (() => void)[]): void;
}

export function createPhpState(constants: Readonly<Record<string, PhpValue>>): PhpState {
  const state = {
    constants: new Map<string, PhpValue>(Object.entries(constants)),
    variables: new Map<string, PhpValue>(),
  };
  let journal: Change[] = [];

  const set = (names: Map<string, PhpValue>, name: string, value: PhpValue | undefined): void => {
    journal.push({ names, name, before: names.get(name) });
    if (value === undefined) names.delete(name);
    else names.set(name, value);
  };

  /** Runs `branch`, takes its changes back, and says what it would have left. */
  const attempt = (branch: () => void): Map<string, { change: Change; after: PhpValue | undefined }> => {
    const outer = journal;
    journal = [];
    try {
      branch();
      const changed = new Map<string, { change: Change; after: PhpValue | undefined }>();
      for (const change of journal) {
        const key = `${change.names === state.constants ? "c" : "v"}:${change.name}`;
        changed.set(key, { change, after: change.names.get(change.name) });
      }
      for (const { names, name, before } of journal.reverse()) {
        if (before === undefined) names.delete(name);
        else names.set(name, before);
      }
      return changed;
    } finally {
      journal = outer;
    }
  };

  return {
    ...state,
    define: (name, value) => set(state.constants, name, value),
    assign: (name, value) => set(state.variables, name, value),
    oneOf(branches) {
      const outcomes = branches.map(attempt);
      const touched = new Map(outcomes.flatMap((outcome) => [...outcome]));
      for (const [key, { change }] of touched) {
        const now = change.names.get(change.name);
        const values = outcomes.map((outcome) => (outcome.has(key) ? outcome.get(key)?.after : now));
        set(change.names, change.name, agreed(values));
      }
    },
  };
}

function agreed(values: readonly (PhpValue | undefined)[]): PhpValue | undefined {
  const [first, ...rest] = values;
  if (first === undefined && rest.every((value) => value === undefined)) return undefined;
  if (first !== undefined && rest.every((value) => value !== undefined && same(first, value))) return first;
  return undecidable("it is set under a condition that needs PHP to run");
}

function same(left: PhpValue, right: PhpValue): boolean {
  if (isUnknown(left) || isUnknown(right) || isArray(left) || isArray(right)) return left === right;
  return equal(left, right) === true;
}
