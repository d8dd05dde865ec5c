// Bundles the program and builds the BPF objects. Plain JavaScript, because it runs before anything is built.
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, "dist");

// Splitting keeps what a verb does not need (LMDB, koffi, the HTTP server) out of its start-up.
const { metafile } = await build({
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
  metafile: true,
  logLevel: "warning",
});
removeStaleChunks(new Set(Object.keys(metafile.outputs).map((file) => path.join(root, file))));

if (process.platform === "linux" && !process.argv.includes("--no-bpf")) {
  execFileSync("make", ["--no-print-directory", "-s", "-C", path.join(root, "bpf")], { stdio: "inherit" });
}

function removeStaleChunks(current) {
  const folder = path.join(dist, "chunks");
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    if (!current.has(file)) rmSync(file);
  }
}
