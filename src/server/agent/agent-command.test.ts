import { expect, it } from "vitest";
import { loadConfiguration } from "../../configuration/index.ts";
import { agentArguments } from "./agent-command.ts";

it("gives the agent every setting as a flag, whatever it came from, and the server's real port", () => {
  const around = { program: "up" as const, isRoot: false, homeDirectory: "/home/ann", hostname: "n" };
  const loaded = loadConfiguration({
    flags: { listen: "127.0.0.1:0", devices: "eth0,eth1" },
    environment: {
      PARASAUS_TOKEN_FILE: "/etc/token",
      PARASAUS_CA: "/etc/ca.pem",
      PARASAUS_NODE_NAME: "edge-1",
      PARASAUS_LOG_LEVEL: "debug",
    },
    around,
  });
  const words = agentArguments(
    loaded,
    { url: "http://127.0.0.1:41234", agentTokenFile: "/srv/agent.token" },
    "json",
  );
  expect(words).toEqual(
    expect.arrayContaining([
      "agent",
      "--server=http://127.0.0.1:41234",
      "--devices=eth0,eth1",
      "--node-name=edge-1",
      "--log-level=debug",
      "--log-format=json",
      "--data-dir=/home/ann/.local/share/parasaus",
      "--address=",
      "--agent-token-file=/srv/agent.token",
      // On its own machine it needs no certificate: what is meant for lone agents would only be in the way.
      ...["--ca=", "--token-file="],
    ]),
  );
  expect(words.some((word) => word.startsWith("--listen"))).toBe(false);
});
