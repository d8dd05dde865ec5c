// Runs a command under another version of Node.js: `node scripts/with-node.mjs 24 -- COMMAND`. The npm package `node` brings
// the binary; it is kept in dist/node-VERSION, which git ignores. Nothing is installed where this version runs already.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The folder that holds a `node` of this version. */
function folderOf(version) {
  if (`${process.versions.node}.`.startsWith(`${version}.`)) return path.dirname(process.execPath);
  const home = path.join(root, "dist", `node-${version}`);
  const folder = path.join(home, "node_modules/node/bin");
  if (!existsSync(path.join(folder, "node"))) install(version, home);
  const found = execFileSync(path.join(folder, "node"), ["--version"], { encoding: "utf8" }).trim();
  if (!`${found}.`.startsWith(`v${version}.`))
    throw new Error(`Cannot run Node.js ${version}: the package brought ${found}`);
  return folder;
}

/** Into a folder beside it first, so that an install that was cut short is never taken for a whole one. */
function install(version, home) {
  process.stderr.write(`Installing Node.js ${version} into ${path.relative(root, home)}\n`);
  mkdirSync(path.dirname(home), { recursive: true });
  const draft = mkdtempSync(`${home}-`);
  try {
    // The package fetches the binary for this machine's architecture in its install script.
    writeFileSync(
      path.join(draft, "package.json"),
      JSON.stringify({ private: true, allowScripts: { node: true } }),
    );
    const options = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
    execFileSync("npm", ["install", ...options, "--prefix", draft, `node@${version}`], {
      cwd: draft,
      stdio: ["ignore", "ignore", "inherit"],
    });
    rmSync(home, { recursive: true, force: true });
    renameSync(draft, home);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function run(folder, [program, ...words]) {
  const environment = { ...process.env, PATH: `${folder}${path.delimiter}${process.env.PATH ?? ""}` };
  const child = spawn(program, words, { stdio: "inherit", env: environment });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`Cannot run "${program}": ${error.message}\n`);
    process.exitCode = 127;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + os.constants.signals[signal];
  });
}

const [version = "", separator, ...command] = process.argv.slice(2);
if (!/^\d+(\.\d+){0,2}$/.test(version) || separator !== "--" || command.length === 0) {
  process.stderr.write("Usage: node scripts/with-node.mjs VERSION -- COMMAND [ARGUMENT...]\n");
  process.exitCode = 2;
} else {
  run(folderOf(version), command);
}
