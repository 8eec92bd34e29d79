// Installs Debian packages without starting the services some of them bring (WordPress' depends on a web server):
// this machine may have its own database and web server on those ports.
import { spawnSync } from "node:child_process";
import { SetupError } from "./setup-error.mjs";

/**
 * apt asks /usr/sbin/policy-rc.d before it starts a service. Ours says no only while this very shell lives, so
 * that one left behind by a kill -9 stops nothing later; a policy that is already there is left as it is.
 */
const INSTALL = `
set -eu
policy=$1; update_first=$2; shift 2
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\\n[ -d /proc/%s ] && exit 101\\nexit 0\\n' "$$" > "$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends "$@"; }
update() { apt-get update -qq -o DPkg::Lock::Timeout=300; }
if [ "$update_first" = yes ]; then update; install "$@"; else install "$@" || { update; install "$@"; }; fi
`;

/** `env` and `policyPath` are for its test: a pretended apt-get instead of the machine's. */
export function installWithApt(
  { packages, sudo, updateFirst },
  say,
  { env = process.env, policyPath = "/usr/sbin/policy-rc.d" } = {},
) {
  say(`Installing system packages with apt: ${packages.join(" ")} …`);
  const command = ["sh", "-c", INSTALL, "install", policyPath, updateFirst ? "yes" : "no", ...packages];
  const [program, ...args] = sudo ? ["sudo", "-n", ...command] : command;
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return;
  throw new SetupError(
    `apt could not install them:\n${error?.message ?? ""}${stdout ?? ""}${stderr ?? ""}`.trimEnd(),
  );
}
