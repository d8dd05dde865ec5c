import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Guests that take longest, longest first. */
const LONGEST = ["driver-switch", "ipvs-fullnat", "ipvs-scenarios"];

/**
 * A guest takes minutes with one CPU: begun last, it would run alone at the end. So guests come first where others run
 * beside them, and among guests those that take longest.
 */
export class GuestsFirstSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted
      .map((file, place) => ({ file, place, rank: rankOf(file) }))
      .sort((a, b) => a.rank - b.rank || a.place - b.place)
      .map(({ file }) => file);
  }
}

function rankOf({ project, moduleId }: TestSpecification): number {
  const isGuest = moduleId.includes("/test/uml/");
  const { groupOrder } = project.config.sequence;
  const rank = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
  if (isGuest && rank >= 0) return rank;
  return isGuest && groupOrder === 0 ? LONGEST.length : LONGEST.length + 1;
}
