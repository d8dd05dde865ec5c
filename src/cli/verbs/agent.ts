import type { Verb } from "../verb.ts";

/** `parasaus agent`. */
export const agent: Verb = {
  arguments: [],
  options: [],
  programs: ["agent"],
  examples: [
    ["The node of the server on this machine", "parasaus agent --server http://127.0.0.1:6780"],
    [
      "One node of a server elsewhere; the token is needed once, `parasaus node token edge-7` makes it",
      "parasaus agent --server https://10.0.0.5:6780 --node-name edge-7 --token-file token",
    ],
    [
      "Listen on one address, take fullnat source ports from two others",
      "parasaus agent --address 10.0.0.9 --source-addresses 10.0.0.10,10.0.0.11",
    ],
  ],
  run: async ({ loadPrograms, configuration, terminal }) =>
    (await loadPrograms()).runAgent(configuration, terminal),
};
