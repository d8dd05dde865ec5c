import { ParasausError } from "../../foundation/index.ts";
import { isSet, type Verb } from "../verb.ts";

/** `parasaus uninstall`. */
export const uninstall: Verb = {
  arguments: [],
  options: [{ flags: "-y, --yes", description: "do it: every connection through this node ends" }],
  programs: ["agent"],
  examples: [
    [
      "Take everything that the agent put there out of the kernel, after the agent has ended",
      "parasaus uninstall --yes",
    ],
  ],
  run: async (invocation) => {
    if (!isSet(invocation, "yes")) {
      throw new ParasausError(
        "Usage",
        "Cannot uninstall: every connection through this node would end; say so with --yes",
      );
    }
    const { loadPrograms, configuration, terminal } = invocation;
    return (await loadPrograms()).uninstallNode(configuration, terminal);
  },
};
