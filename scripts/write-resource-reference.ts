/** Writes the reference of all kinds from their schemas. */
import { writeFileSync } from "node:fs";
import { RESOURCE_REFERENCE_PATH, renderResourceReference } from "./resource-reference.ts";

writeFileSync(RESOURCE_REFERENCE_PATH, renderResourceReference());
