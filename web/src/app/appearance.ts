import { createTheme, isMantineColorScheme, type MantineColorSchemeManager } from "@mantine/core";
import { readSetting, writeSetting } from "../lib/settings.ts";

/** Dark shades, so that text on them and links in them can be read by everybody (contrast of 4.5 and more). */
export const theme = createTheme({
  primaryColor: "cyan",
  primaryShade: 9,
  autoContrast: true,
  luminanceThreshold: 0.35,
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: "650" },
});

/** Light, dark, or as the system; remembered with the other settings. */
export const colorSchemeManager: MantineColorSchemeManager = {
  get: (fallback) => {
    const chosen = readSetting("colorScheme");
    return isMantineColorScheme(chosen) ? chosen : fallback;
  },
  set: (chosen) => writeSetting("colorScheme", chosen),
  subscribe: () => undefined,
  unsubscribe: () => undefined,
  clear: () => writeSetting("colorScheme", "auto"),
};

/** The server's word that style sheets with it are the page's own. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}
