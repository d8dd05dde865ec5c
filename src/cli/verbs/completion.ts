import type { Verb } from "../verb.ts";

/** `parasaus completion`. */
export const completion: Verb = {
  arguments: [{ syntax: "<shell>", description: "bash, zsh or fish" }],
  options: [],
  programs: ["client"],
  examples: [
    ["For this shell", "source <(parasaus completion bash)"],
    ["For every later one", "parasaus completion bash > /usr/share/bash-completion/completions/parasaus"],
  ],
  run: async ({ arguments: words }) => {
    const [shell] = words;
    const { ParasausError } = await import("../../foundation/index.ts");
    if (shell !== "bash" && shell !== "zsh" && shell !== "fish") {
      throw new ParasausError("Usage", `Cannot complete in "${shell}": there are bash, zsh and fish`);
    }
    const { script } = await import("@bomb.sh/tab");
    script(shell, "parasaus", "parasaus");
    return 0;
  },
};
