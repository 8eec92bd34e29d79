// What a person has to do something about before we can go on: shown as plain text, without a stack trace.
export class SetupError extends Error {}
