// Bundles the program and builds the BPF objects. Plain JavaScript, because it runs before anything is built.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

await build({
  entryPoints: { parasaus: path.join(root, "bin/main.ts") },
  outdir: path.join(root, "dist"),
  bundle: true,
  packages: "external",
  platform: "node",
  target: "node20",
  format: "esm",
  sourcemap: true,
  logLevel: "warning",
});

if (process.platform === "linux" && !process.argv.includes("--no-bpf")) {
  execFileSync("make", ["--no-print-directory", "-s", "-C", path.join(root, "bpf")], { stdio: "inherit" });
}
