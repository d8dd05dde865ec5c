import { useTranslation } from "react-i18next";
import type { en } from "./en.ts";

type PluralBase<Key extends string> = Key extends `${infer Base}_${"one" | "other"}` ? Base : Key;

/** Name of a text in the catalogues. */
export type TextKey = PluralBase<keyof typeof en>;

/** Says a text in the language of now. */
export type Say = (key: TextKey, values?: Readonly<Record<string, string | number>>) => string;

/** The texts of the language that is chosen; a component that uses it is drawn anew when that changes. */
export function useTexts(): Say {
  const { t } = useTranslation();
  // i18next takes any text for a key; which there are is known here. The same function as long as the language is the same.
  return t as unknown as Say;
}
