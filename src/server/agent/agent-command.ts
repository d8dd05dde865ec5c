import {
  flagOf,
  type LoadedConfiguration,
  SETTING_KEYS,
  SETTINGS,
  type Setting,
  type SettingKey,
} from "../../configuration/index.ts";

/** What `up` decides itself, whatever its own settings say. */
const DECIDED: readonly SettingKey[] = [
  "server",
  "ca",
  "tokenFile",
  "agentTokenFile",
  "metricsListen",
  "logFormat",
];

/**
 * Arguments of the `parasaus agent` that belongs to this `parasaus up`: every setting is given as a flag, so that the
 * child reads neither another file nor another environment into something else.
 */
export function agentArguments(
  { settings }: LoadedConfiguration,
  { url, agentTokenFile }: { readonly url: string; readonly agentTokenFile: string },
  logFormat: "json" | "pretty",
): readonly string[] {
  const inherited = SETTING_KEYS.filter((key) => isAgentSetting(SETTINGS[key]) && !DECIDED.includes(key));
  return [
    "agent",
    `--server=${url}`,
    // On this machine it needs no certificate.
    "--ca=",
    "--token-file=",
    `--agent-token-file=${agentTokenFile}`,
    "--metrics-listen=127.0.0.1:0",
    `--log-format=${logFormat}`,
    ...inherited.map((key) => `--${flagOf(key)}=${settings[key].text}`),
  ];
}

function isAgentSetting(setting: Setting<unknown>): boolean {
  return setting.programs.includes("agent") && setting.placeholder !== undefined;
}
