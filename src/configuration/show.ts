import type { LoadedConfiguration, SettingSource } from "./load.ts";
import { flagOf, type Program, SETTING_KEYS, SETTINGS, type Setting } from "./settings.ts";

/** One effective setting as `parasaus config` shows it. */
export interface ShownSetting {
  /** As in the file: `data-dir`. */
  readonly name: string;
  /** Secrets are masked. */
  readonly value: string;
  readonly source: SettingSource;
}

/** The effective settings that `program` reads, for people. */
export function showConfiguration(
  { settings }: LoadedConfiguration,
  program: Program,
): readonly ShownSetting[] {
  return SETTING_KEYS.filter((key) => isReadBy(SETTINGS[key], program)).map((key) => ({
    name: flagOf(key),
    value: maskSecrets(settings[key].text),
    source: settings[key].source,
  }));
}

function isReadBy(setting: Setting<unknown>, program: Program): boolean {
  return setting.programs.includes(program);
}

/** Hides the user and password that a URL may carry. */
function maskSecrets(text: string): string {
  return text.replaceAll(/\/\/[^/@,\s]+@/g, "//***@");
}
