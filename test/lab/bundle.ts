import { symlinkSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";

const LAB = import.meta.dirname;

/**
 * Turns the lab's programs into plain JavaScript in `folder`, for a machine so slow that it must not compile TypeScript.
 *
 * @param programs Paths under `test/lab`; `programs/member.ts` becomes `programs/member.mjs`.
 */
export async function bundleLabPrograms(programs: readonly string[], folder: string): Promise<void> {
  await build({
    entryPoints: programs.map((program) => path.join(LAB, program)),
    outdir: folder,
    outbase: LAB,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node20",
    format: "esm",
    outExtension: { ".js": ".mjs" },
    logLevel: "warning",
  });
  symlinkSync(path.join(LAB, "../../node_modules"), path.join(folder, "node_modules"));
}
