import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { readSetting, writeSetting } from "../lib/settings.ts";

/** Languages that the console speaks, each by its own name. */
export const LANGUAGES = [
  { value: "en", label: "English" },
  { value: "zh-CN", label: "简体中文" },
] as const;

/** A language of the console. */
export type Language = (typeof LANGUAGES)[number]["value"];

/** Sets up the language that was chosen before, else the browser's. */
export async function startLanguage(): Promise<void> {
  const language = preferredLanguage();
  await i18next.use(initReactI18next).init({
    lng: language,
    resources: { [language]: { translation: await catalogueOf(language) } },
    fallbackLng: false,
    // React escapes what it shows.
    interpolation: { escapeValue: false },
    keySeparator: false,
    nsSeparator: false,
  });
  document.documentElement.lang = language;
}

/** Changes the language, and remembers it. */
export async function chooseLanguage(language: Language): Promise<void> {
  i18next.addResourceBundle(language, "translation", await catalogueOf(language));
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  writeSetting("language", language);
}

/** The language that the console speaks now. */
export function currentLanguage(): Language {
  return i18next.language === "zh-CN" ? "zh-CN" : "en";
}

function preferredLanguage(): Language {
  const chosen = readSetting("language");
  const wanted = chosen === "" ? navigator.languages : [chosen];
  const first = wanted.find((each) => /^(en|zh)\b/i.test(each)) ?? "en";
  return first.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
}

/** Only the language that is spoken is loaded. */
async function catalogueOf(language: Language): Promise<Readonly<Record<string, string>>> {
  return language === "en" ? (await import("./en.ts")).en : (await import("./zh-cn.ts")).zhCn;
}
