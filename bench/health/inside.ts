/**
 * Measures inside the network namespace that `run.ts` made; prints one line of JSON, a HealthReport.
 *
 *     inside PLAN_JSON
 */
import { type HealthPlan, measureHealth } from "./measure.ts";

const plan = JSON.parse(process.argv[2] ?? "{}") as HealthPlan;
const report = await measureHealth(plan, (line) => process.stderr.write(`health: ${line}\n`));
process.stdout.write(`${JSON.stringify(report)}\n`);
