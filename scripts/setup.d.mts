// Types of setup.mjs for scripts in TypeScript: it stays plain JavaScript because it runs before anything is installed.
export const ROOT: string;
export function setUp(profile: "start" | "test"): string;
export function runMain(main: () => number | Promise<number>): Promise<void>;
