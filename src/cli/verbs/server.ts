import type { Verb } from "../verb.ts";

/** `parasaus server`. */
export const server: Verb = {
  arguments: [],
  options: [],
  programs: ["server"],
  examples: [
    ["The control plane alone, for agents on this machine", "parasaus server"],
    [
      "For other machines, over TLS; without a client certificate nobody gets in from there",
      "parasaus server --listen 10.0.0.5:6780 --tls-san lb.example.org",
    ],
    [
      "The same with a certificate of your own",
      "parasaus server --listen 0.0.0.0:6780 --tls-cert lb.pem --tls-key lb.key",
    ],
    [
      "For everybody, plainly too: only in a network that nobody but operators and nodes reaches",
      "parasaus server --listen 10.0.0.5:6780 --insecure",
    ],
  ],
  run: async ({ loadPrograms, configuration, terminal }) =>
    (await loadPrograms()).runServer(configuration, terminal),
};
