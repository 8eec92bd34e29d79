// The Master's stores, opened on a running test Master's services: for contract tests below the API.
import { type Config, parseConfig } from "#functions/config.ts";

/** The configuration that the running host put into this process' environment. */
export function hostConfig(): Config {
  return parseConfig(process.env);
}
