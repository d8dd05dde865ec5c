import type { Verb } from "../verb.ts";

/** `parasaus server`. */
export const server: Verb = {
  arguments: [],
  options: [],
  programs: ["server"],
  examples: [
    ["The control plane alone, for agents on this machine", "parasaus server"],
    [
      "For agents on other machines, in a network that only operators reach",
      "parasaus server --listen 10.0.0.5:6780 --insecure",
    ],
  ],
  run: async ({ loadPrograms, configuration, terminal }) =>
    (await loadPrograms()).runServer(configuration, terminal),
};
