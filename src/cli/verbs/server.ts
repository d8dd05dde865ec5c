import type { Verb } from "../verb.ts";

/** `parasaus server`. */
export const server: Verb = {
  arguments: [],
  options: [],
  programs: ["server"],
  examples: [
    ["The control plane alone, for agents on this machine", "parasaus server"],
    [
      "For other machines, over TLS, for accounts and nodes that have enrolled",
      "parasaus server --listen 10.0.0.5:6780 --tls-san lb.example.org",
    ],
    [
      "The same with a certificate of your own",
      "parasaus server --listen 0.0.0.0:6780 --tls-cert lb.pem --tls-key lb.key",
    ],
    [
      "Plainly too, so that passwords can be read on the way: only in a network that nobody else reaches",
      "parasaus server --listen 10.0.0.5:6780 --insecure",
    ],
  ],
  run: async ({ loadPrograms, configuration, terminal }) =>
    (await loadPrograms()).runServer(configuration, terminal),
};
