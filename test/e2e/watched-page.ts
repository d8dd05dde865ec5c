import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { ROOT } from "../scenario/program.ts";
import type { ConsoleWorld } from "./console-world.ts";

const AXE = createRequire(import.meta.url).resolve("axe-core");

/** How somebody looks at the console. */
export interface Viewer {
  readonly language: "en" | "zh-CN";
  readonly colorScheme: "light" | "dark";
  /** Pixels. */
  readonly width: 1280 | 390;
}

export const ENGLISH: Viewer = { language: "en", colorScheme: "light", width: 1280 };
export const CHINESE: Viewer = { language: "zh-CN", colorScheme: "dark", width: 390 };
export const CHINESE_WIDE: Viewer = { language: "zh-CN", colorScheme: "light", width: 1280 };

/** A page, and everything that went wrong in it. */
export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors and refused content since it was opened. */
  readonly problems: readonly string[];
  /** What axe-core has against the page as it is now: `rule: selector`. */
  violations(): Promise<readonly string[]>;
  /** Leaves a picture in `screenshots/`. */
  photograph(name: string): Promise<void>;
}

/** Opens a page of the console. @param where Path after `/console/`. */
export async function openPage(world: ConsoleWorld, where: string, viewer: Viewer): Promise<WatchedPage> {
  const { language, colorScheme, width } = viewer;
  const options: BrowserContextOptions = {
    viewport: { width, height: 800 },
    colorScheme,
    locale: language,
    reducedMotion: "reduce",
  };
  const context = await world.browser.newContext(options);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", ({ message }) => problems.push(`error: ${message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
  });
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(`${world.url}/console/${where}`);
  await page.locator("h1").first().waitFor();
  return {
    page,
    problems,
    async violations() {
      await page.evaluate(await axeSource());
      const found = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: AxeViolation[] }> } };
        return (await axe.run()).violations;
      });
      return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
    },
    async photograph(name) {
      const folder = path.join(ROOT, "screenshots");
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: path.join(folder, `${name}-${language}-${colorScheme}-${width}.png`) });
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

interface AxeViolation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

async function axeSource(): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return readFile(AXE, "utf8");
}

/** Waits until the page with just this title is there: another's, or a dialog's, may contain the same words. */
export async function untilTitled(page: Page, name: string): Promise<void> {
  await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
}

/** Presses a key until something has the focus. @throws after 40 times */
export async function pressUntilFocused(page: Page, key: string, wanted: Locator): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`40 times ${key} did not lead there`);
}
