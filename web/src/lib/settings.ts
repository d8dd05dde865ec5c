/** What the browser remembers, with what it is before anybody chose. */
const DEFAULTS = { operator: "console", language: "", colorScheme: "auto" } as const;

/** Name of a setting. */
export type SettingName = keyof typeof DEFAULTS;

/** Reads a setting. */
export function readSetting(name: SettingName): string {
  try {
    return localStorage.getItem(`parasaus.${name}`) ?? DEFAULTS[name];
  } catch {
    return DEFAULTS[name];
  }
}

/** Writes a setting; where the browser keeps nothing it holds until the page is left. */
export function writeSetting(name: SettingName, value: string): void {
  try {
    localStorage.setItem(`parasaus.${name}`, value);
  } catch {
    // Private windows may refuse.
  }
}
