import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { type ConsoleWorld, memberAt, poolOf, startConsoleWorld } from "../../test/e2e/console-world.ts";
import { type Figure, figure } from "../statistics.ts";

/** What is measured, and where progress goes. */
export interface ConsoleBenchOptions {
  /** Pools that there are, a count. */
  readonly poolCount: number;
  /** Rounds of everything, a count. */
  readonly rounds: number;
  readonly print: (line: string) => void;
}

const LOADER = fileURLToPath(new URL("load-program.ts", import.meta.url));
const PATIENCE_MS = 120_000;
/** The pool whose member changes its verdict; the others are not checked, so that nothing but the list is large. */
const VICTIM = "victim";

/** A browser with many pools before it: how long each thing takes until it is on the screen. */
export async function runConsole({
  poolCount,
  rounds,
  print,
}: ConsoleBenchOptions): Promise<readonly Figure[]> {
  await using world = await startConsoleWorld("--no-auth");
  world.apply(poolOf("bench", VICTIM, [memberAt(0), memberAt(1)]));
  // The victim is one of them.
  world.run(
    process.execPath,
    "--import",
    import.meta.resolve("tsx"),
    LOADER,
    world.url,
    "1",
    `${poolCount - 1}`,
  );
  print(`console: ${poolCount} pools made`);
  await untilAllAreThere(world, poolCount);
  const contender = `${poolCount}-pools`;
  const views: FirstView[] = [];
  for (let round = 0; round < rounds; round += 1) views.push(await viewFirst(world));
  const searches = await searchOften(world, rounds, poolCount);
  const verdicts = await changeVerdicts(world, rounds);
  return [
    figure(
      "console-first-view",
      contender,
      "ms",
      views.map(({ shownMs }) => shownMs),
    ),
    figure(
      "console-first-load-js",
      contender,
      "kB",
      views.map(({ scriptBytes }) => scriptBytes / 1_000),
    ),
    figure("console-search", contender, "ms", searches),
    figure("console-verdict-on-screen", contender, "ms", verdicts),
  ];
}

async function untilAllAreThere(world: ConsoleWorld, poolCount: number): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const { totalCount } = world.ask("GET", "/api/console/pools?limit=1") as { readonly totalCount: number };
    const { pools } = world.ask("GET", "/api/console/overview") as Overview;
    if (totalCount === poolCount && pools.up === poolCount) return;
    if (performance.now() > deadlineMs) throw new Error(`${totalCount} of ${poolCount} pools are there`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

interface Overview {
  readonly pools: { readonly up: number };
}

interface FirstView {
  readonly shownMs: number;
  readonly scriptBytes: number;
}

/** Opens the list in a browser that has nothing yet, until the first pool is drawn. */
async function viewFirst(world: ConsoleWorld): Promise<FirstView> {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    // The page's own clock begins with the navigation.
    await page.addInitScript(`{
      const look = () => {
        if (document.querySelector(".pool-name")) requestAnimationFrame(() => { globalThis.shownMs = performance.now(); });
        else requestAnimationFrame(look);
      };
      look();
    }`);
    await page.goto(`${world.url}/console/pools`);
    const shownMs = await page.evaluate<number>(`new Promise((resolve) => {
      const look = () => {
        if (globalThis.shownMs === undefined) requestAnimationFrame(look);
        else resolve(globalThis.shownMs);
      };
      look();
    })`);
    const scriptBytes = await page.evaluate<number>(
      `performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js"))
        .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`,
    );
    return { shownMs, scriptBytes };
  } finally {
    await context.close();
  }
}

/** From a keystroke in the field until the rows that it finds are on the screen, each time other ones. */
async function searchOften(world: ConsoleWorld, rounds: number, poolCount: number): Promise<number[]> {
  await using opened = await openList(world);
  const { page } = opened;
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const wanted = `pool-${String(1 + ((round * 4_999) % (poolCount - 1))).padStart(5, "0")}`;
    const timed = page.evaluate<number>(`new Promise((resolve) => {
      const field = document.querySelector("input[type=search]");
      let pressedMs;
      field.addEventListener("input", (event) => { pressedMs = event.timeStamp; }, { once: true });
      const look = () => {
        const names = [...document.querySelectorAll(".pool-name")].map(({ title }) => title);
        if (pressedMs !== undefined && names.length === 1 && names[0] === "bench/${wanted}") resolve(performance.now() - pressedMs);
        else requestAnimationFrame(look);
      };
      look();
    })`);
    await page.getByRole("searchbox").fill(wanted);
    times.push(await timed);
  }
  return times;
}

/** From the verdict, as the server dates it, until the list in the browser shows it. */
async function changeVerdicts(world: ConsoleWorld, rounds: number): Promise<number[]> {
  await using opened = await openList(world, `?search=${VICTIM}`);
  const { page } = opened;
  await page.getByText("2/2", { exact: true }).waitFor({ timeout: PATIENCE_MS });
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const isWell = round % 2 === 1;
    const shown = page.evaluate<number>(`new Promise((resolve) => {
      const look = () => {
        if (document.body.innerText.includes("${isWell ? "2/2" : "1/2"}")) resolve(Date.now());
        else requestAnimationFrame(look);
      };
      look();
    })`);
    world.setWell("10.77.0.2", isWell);
    const shownMs = await shown;
    times.push(shownMs - Date.parse(sinceOfSecond(world)));
  }
  return times;
}

function sinceOfSecond(world: ConsoleWorld): string {
  const where = `/apis/parasaus.io/v1/namespaces/bench/pools/${VICTIM}`;
  const { status } = world.ask("GET", where) as StoredPool;
  return status.members[1]?.since ?? "";
}

interface StoredPool {
  readonly status: { readonly members: readonly { readonly since: string }[] };
}

async function openList(world: ConsoleWorld, query = ""): Promise<{ readonly page: Page } & AsyncDisposable> {
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(`${world.url}/console/pools${query}`);
  await page.locator(".pool-name").first().waitFor({ timeout: PATIENCE_MS });
  return { page, [Symbol.asyncDispose]: () => context.close() };
}
