// Types of setup-apt.mjs for its test; it is plain JavaScript because it runs before anything is installed.
export function installWithApt(
  action: { readonly packages: readonly string[]; readonly sudo: boolean; readonly updateFirst: boolean },
  say: (text: string) => void,
  machine?: { readonly env?: NodeJS.ProcessEnv; readonly policyPath?: string },
): void;
