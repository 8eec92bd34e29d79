// Types of setup-plan.mjs for the tests: it stays plain JavaScript because it runs before anything is installed.
export interface SystemPackage {
  readonly apt: string;
  readonly elsewhere: string;
  readonly commands?: readonly string[];
  readonly phpModules?: readonly string[];
  readonly files?: readonly string[];
  readonly onlyFor?: "test";
  readonly onlyOn?: "linux";
}
export interface Found {
  readonly commands: ReadonlySet<string>;
  readonly phpModules: ReadonlySet<string>;
  readonly files: ReadonlySet<string>;
  /** Node's name of it; Linux, if absent. */
  readonly os?: string;
}
export interface SetupFacts {
  readonly platform: string;
  /** `changed`: npm ci is due; `unstamped`: somebody ran npm themselves and it fits; `current`: nothing to do. */
  readonly nodeModules: "current" | "unstamped" | "changed";
  readonly bundledNodeExists: boolean;
  /** npm has a Node 24 package for this platform, so that npm ci will bring one. */
  readonly bundledNodeExpected: boolean;
  readonly nodeMajor: number;
  readonly missing: readonly SystemPackage[];
  readonly hasApt: boolean;
  readonly hasAptLists: boolean;
  readonly hasMysqlServer: boolean;
  readonly isRoot: boolean;
  readonly canSudo: boolean;
}
export type SetupAction =
  | { readonly kind: "npm-ci" }
  | { readonly kind: "adopt" }
  | {
      readonly kind: "apt";
      readonly packages: readonly string[];
      readonly sudo: boolean;
      readonly updateFirst: boolean;
    }
  | { readonly kind: "fail"; readonly message: string };
interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      {
        version?: string;
        link?: boolean;
        optional?: boolean;
        devOptional?: boolean;
        optionalDependencies?: Readonly<Record<string, string>>;
      }
    >
  >;
}
export const WORDPRESS_DIRS: readonly string[];
export const PACKAGES: readonly SystemPackage[];
export function missingPackages(profile: "start" | "test", found: Found): SystemPackage[];
export function installedMatchesLock(lock: Lock, installed: Lock): boolean;
export function planSetup(facts: SetupFacts): SetupAction[];
