// Bundles the program and builds the BPF objects. Plain JavaScript, because it runs before anything is built.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, "dist");

// Splitting keeps what a verb does not need (LMDB, koffi, the HTTP server) out of its start-up.
const { outputFiles } = await build({
  entryPoints: { parasaus: path.join(root, "bin/main.ts") },
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  packages: "external",
  platform: "node",
  target: "node20",
  format: "esm",
  sourcemap: true,
  write: false,
  logLevel: "warning",
});
for (const file of outputFiles) replace(file);
removeStaleChunks(new Set(outputFiles.map((file) => file.path)));

await buildConsole();

if (process.platform === "linux" && !process.argv.includes("--no-bpf")) {
  execFileSync("make", ["--no-print-directory", "-s", "-C", path.join(root, "bpf")], { stdio: "inherit" });
}

/** A program that starts meanwhile finds each file whole. */
function replace({ path: file, contents }) {
  if (existsSync(file) && readFileSync(file).equals(contents)) return;
  mkdirSync(path.dirname(file), { recursive: true });
  // Not in the folder of the chunks, where another build takes it for a stale one.
  const draft = path.join(dist, `${path.basename(file)}.${process.pid}`);
  writeFileSync(draft, contents);
  renameSync(draft, file);
}

function removeStaleChunks(current) {
  const folder = path.join(dist, "chunks");
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    if (!current.has(file)) rmSync(file);
  }
}

/** The console, unless it is there already from the same sources: bundling it takes longer than everything else. */
async function buildConsole() {
  const stamp = path.join(dist, "console", "sources.sha256");
  const sources = hashOfConsoleSources();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === sources) return;
  const { build: bundle } = await import("vite");
  const draft = path.join(dist, `console.${process.pid}`);
  await bundle({
    root: path.join(root, "web"),
    configFile: path.join(root, "web/vite.config.ts"),
    logLevel: "warn",
    build: { outDir: draft },
  });
  writeFileSync(path.join(draft, path.basename(stamp)), sources);
  rmSync(path.join(dist, "console"), { recursive: true, force: true });
  renameSync(draft, path.join(dist, "console"));
}

function hashOfConsoleSources() {
  const hash = createHash("sha256");
  const folders = ["web", "src/model"].map((folder) => path.join(root, folder));
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.includes(".test."))
      .map((entry) => path.join(entry.parentPath, entry.name)),
  );
  for (const file of [path.join(root, "package-lock.json"), ...files.sort()]) {
    hash.update(path.relative(root, file)).update("\0").update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}
