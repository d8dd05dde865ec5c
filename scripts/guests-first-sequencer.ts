import { BaseSequencer, type TestSpecification } from "vitest/node";

/** A guest takes minutes with one CPU: begun last, it would run alone at the end. */
export class GuestsFirstSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isGuest = ({ project, moduleId }: TestSpecification) =>
      project.config.sequence.groupOrder === 0 && moduleId.includes("/test/uml/");
    return [...sorted.filter(isGuest), ...sorted.filter((file) => !isGuest(file))];
  }
}
