// Types of setup-error.mjs for scripts in TypeScript.
export class SetupError extends Error {}
