export { runCli } from "./run.ts";
export type { LoadPrograms, Programs, RunProgram } from "./verb.ts";
