export { type AppliedFile, appliedObject } from "./apply.ts";
export { applyPatch } from "./apply-patch.ts";
