import { type Command, Option } from "commander";
import {
  flagOf,
  type Program,
  SETTING_KEYS,
  SETTINGS,
  type Setting,
  type SettingKey,
} from "../configuration/index.ts";

function keysOf(programs: readonly Program[]): readonly SettingKey[] {
  return SETTING_KEYS.filter((key) => {
    const setting: Setting<unknown> = SETTINGS[key];
    return setting.programs.some((program) => programs.includes(program));
  });
}

/** Makes each setting of the programs a flag of `command`. */
export function addSettingOptions(command: Command, programs: readonly Program[]): void {
  for (const key of keysOf(programs)) {
    const option = optionOf(key);
    option.description += defaultText(key, programs[0] ?? "client");
    command.addOption(option);
  }
}

/** The settings that were given as flags, as texts. */
export function givenSettings(
  command: Command,
  programs: readonly Program[],
): Readonly<Partial<Record<SettingKey, string>>> {
  const given = keysOf(programs).flatMap((key) => {
    const name = optionOf(key).attributeName();
    return command.getOptionValueSource(name) === "cli" ? [[key, textOf(key, command.opts()[name])]] : [];
  });
  return Object.fromEntries(given);
}

function optionOf(key: SettingKey): Option {
  const { placeholder, description }: Setting<unknown> = SETTINGS[key];
  const value = placeholder === undefined ? "" : ` <${placeholder}>`;
  return new Option(`--${flagOf(key)}${value}`, description);
}

/** The default for people: what depends on the machine is named, not computed. */
function defaultText(key: SettingKey, program: Program): string {
  const setting: Setting<unknown> = SETTINGS[key];
  const around = { program, isRoot: false, homeDirectory: "~", hostname: "this machine's name" };
  const text = setting.fallback(around, (name) => `<${flagOf(name)}>`);
  const isTold = text === "" || text === "false" || setting.description.includes("default");
  return isTold ? "" : ` (default: ${text})`;
}

/** `--no-auth` reaches us as `auth: false`; other switches as `true`. */
function textOf(key: SettingKey, value: unknown): string {
  return key.startsWith("no") && value === false ? "true" : String(value);
}
