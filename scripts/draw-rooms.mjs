// Draws which room imports which into docs/architecture.md, from the imports themselves.
// `--check` writes nothing and fails when the drawing there is out of date.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const PAGE = "docs/architecture.md";
const BEGIN = "<!-- rooms: begin, drawn by scripts/draw-rooms.mjs -->";
const END = "<!-- rooms: end -->";
const ROOM = /^src\/([^/]+)\//;

const cruised = JSON.parse(
  execFileSync(
    process.execPath,
    [
      "node_modules/dependency-cruiser/bin/dependency-cruise.mjs",
      ...["--config", ".dependency-cruiser.mjs", "--output-type", "json", "src"],
    ],
    { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
  ),
);
const arrows = new Set();
for (const module of cruised.modules.filter(({ source }) => !/[.]test(-d)?[.]ts$/.test(source))) {
  const from = ROOM.exec(module.source)?.[1];
  for (const { resolved } of module.dependencies) {
    const to = ROOM.exec(resolved)?.[1];
    // Every room imports foundation: drawn, those arrows would hide the others.
    if (from && to && from !== to && to !== "foundation") arrows.add(`  ${from} --> ${to}`);
  }
}
const drawing = `${BEGIN}\n\`\`\`mermaid\nflowchart TD\n${[...arrows].sort().join("\n")}\n\`\`\`\n${END}`;
const page = readFileSync(PAGE, "utf8");
const drawn = page.slice(0, page.indexOf(BEGIN)) + drawing + page.slice(page.indexOf(END) + END.length);
if (drawn !== page && process.argv.includes("--check")) {
  process.stderr.write(`${PAGE} shows other imports than the code has: run node scripts/draw-rooms.mjs\n`);
  process.exitCode = 1;
} else if (drawn !== page) {
  writeFileSync(PAGE, drawn);
}
