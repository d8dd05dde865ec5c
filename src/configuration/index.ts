export {
  type ConfigurationInput,
  type EffectiveSetting,
  type LoadedConfiguration,
  loadConfiguration,
  type SettingSource,
} from "./load.ts";
export { readSettingFile } from "./read-setting-file.ts";
export {
  type Configuration,
  flagOf,
  type Program,
  SETTING_KEYS,
  SETTINGS,
  type Setting,
  type SettingKey,
  type Surroundings,
  variableOf,
} from "./settings.ts";
export { type ShownSetting, showConfiguration } from "./show.ts";
export { isLoopback, type ListenAddress, type StoreLocation } from "./values.ts";
