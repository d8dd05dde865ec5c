import type { Verb } from "../verb.ts";

/** `parasaus agent`. */
export const agent: Verb = {
  arguments: [],
  options: [],
  programs: ["agent"],
  examples: [
    ["One node of a server", "parasaus agent --server http://10.0.0.5:6780"],
    [
      "Listen on one address, take fullnat source ports from two others",
      "parasaus agent --server http://10.0.0.5:6780 --address 10.0.0.9 --source-addresses 10.0.0.10,10.0.0.11",
    ],
  ],
  run: async ({ loadPrograms, configuration, terminal }) =>
    (await loadPrograms()).runAgent(configuration, terminal),
};
