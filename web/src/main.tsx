import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./console.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { colorSchemeManager, styleNonce, theme } from "./app/appearance.ts";
import { router } from "./app/router.tsx";
import { startLanguage } from "./i18n/index.ts";
import { loadSession } from "./lib/session.ts";

// The scroll lock of dialogs makes a style sheet, and looks for its nonce where bundlers keep one.
Object.assign(globalThis, { __webpack_nonce__: styleNonce() });
void start();

/** No await at the top: parts that are loaded later wait for this module to be done. */
async function start(): Promise<void> {
  await Promise.all([startLanguage(), loadSession()]);
  await router.load();
  const root = document.getElementById("root");
  if (!root) throw new Error("the page has no root");
  createRoot(root).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        defaultColorScheme="auto"
        colorSchemeManager={colorSchemeManager}
        getStyleNonce={styleNonce}
      >
        <Notifications position="bottom-right" />
        <RouterProvider router={router} />
      </MantineProvider>
    </StrictMode>,
  );
}
