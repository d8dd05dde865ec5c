import path from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** `npx vite web` shows the console while it is worked on; the API is that of a running `parasaus up`. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/console/",
  plugins: [react()],
  build: {
    outDir: path.join(import.meta.dirname, "../dist/console"),
    emptyOutDir: true,
    target: "es2022",
    // Else light-dark() becomes something that needs more than it.
    cssTarget: "chrome123",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_000,
    // What the first page needs comes in one file: a browser asks for six at a time.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "first", tags: ["$initial"] }] } } },
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/apis", "/internal"].map((prefix) => [prefix, "http://127.0.0.1:6780"]),
    ),
  },
});
