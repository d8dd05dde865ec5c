import type { Verb } from "../verb.ts";

/** `parasaus up`. */
export const up: Verb = {
  arguments: [],
  options: [],
  programs: ["up"],
  examples: [
    ["Everything on this machine, with the standard settings", "parasaus up"],
    ["Another data directory and port", "parasaus up --data-dir /srv/parasaus --listen 127.0.0.1:7000"],
    ["Forward on two devices only", "parasaus up --devices eth0,eth1"],
  ],
  run: async ({ loadPrograms, configuration, terminal }) =>
    (await loadPrograms()).runUp(configuration, terminal),
};
