// The parameter of alert targets: a SecureString, because a chat's webhook address is a secret by itself. SSM has no write
// that depends on what was read, but it numbers the versions: whoever writes over a change that was made meanwhile sees it
// by the number, and makes the own change again on top of that one.
import { GetParameterCommand, ParameterNotFound, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { BackupError } from "#shared/errors.ts";
import { TargetSettings } from "../core/alert-targets.ts";
import { awsClient } from "./aws-client.ts";

const NONE: TargetSettings = { webhooks: [] };

/** Without the parameter there are no further targets; one that cannot be read is an error, and never shown. */
export async function readTargets(name: string | undefined): Promise<TargetSettings> {
  if (name === undefined) return NONE;
  const client = awsClient(new SSMClient({}));
  try {
    return (await readVersion(client, name)).settings;
  } finally {
    client.destroy();
  }
}

/**
 * Saves what `change` makes of the settings, and says what it was made of. @throws what `change` throws, then nothing is saved; BackupError `conflict`
 * when others have changed them at the same time and it is not certain that every change is in.
 */
export async function changeTargets(
  name: string | undefined,
  change: (settings: TargetSettings) => TargetSettings,
): Promise<TargetSettings> {
  if (name === undefined) {
    throw new BackupError("conflict", { detail: "This Master has no parameter for alert targets." });
  }
  const client = awsClient(new SSMClient({}));
  const put = async (settings: TargetSettings): Promise<number> => {
    const Value = JSON.stringify(settings);
    const command = new PutParameterCommand({ Name: name, Value, Type: "SecureString", Overwrite: true });
    return (await client.send(command)).Version ?? 0;
  };
  try {
    const before = await readVersion(client, name);
    const written = await put(change(before.settings));
    if (written === before.version + 1) return before.settings;
    // What the others wrote last is the version below ours, which their readers may not see any more.
    const theirs = (await readVersion(client, `${name}:${written - 1}`)).settings;
    const { settings, failure } = attempt(change, theirs);
    if ((await put(settings)) === written + 1) {
      if (failure !== undefined) throw failure;
      return theirs;
    }
    throw new BackupError("conflict", {
      detail: "Others have changed the alert targets at the same time.",
      hint: "Look at the list: what is missing has to be added again.",
    });
  } finally {
    client.destroy();
  }
}

/** What the others wrote has to be put back also where the own change does not go with it. */
function attempt(
  change: (settings: TargetSettings) => TargetSettings,
  theirs: TargetSettings,
): { settings: TargetSettings; failure?: Error } {
  try {
    return { settings: change(theirs) };
  } catch (error) {
    return { settings: theirs, failure: error instanceof Error ? error : new Error(String(error)) };
  }
}

async function readVersion(
  client: SSMClient,
  name: string,
): Promise<{ settings: TargetSettings; version: number }> {
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
    return { settings: parse(name, Parameter?.Value), version: Parameter?.Version ?? 0 };
  } catch (error) {
    if (error instanceof ParameterNotFound) return { settings: NONE, version: 0 };
    throw error;
  }
}

function parse(name: string, value = "null"): TargetSettings {
  const parsed = TargetSettings.safeParse(fromJson(name, value));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Error(`The parameter ${name} is not valid: ${faults.join("; ")}`);
}

function fromJson(name: string, value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw new Error(`The parameter ${name} is not JSON.`);
  }
}
