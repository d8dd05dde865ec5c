import type { Verb } from "../verb.ts";

/** The script calls a function of the package bash-completion, which many machines do not have. */
const WITHOUT_BASH_COMPLETION = `
if ! declare -F _get_comp_words_by_ref >/dev/null; then
_get_comp_words_by_ref() {
    words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD
    cur=\${COMP_WORDS[COMP_CWORD]}; prev=\${COMP_WORDS[COMP_CWORD-1]}
}
fi
`;

/** `parasaus completion`. */
export const completion: Verb = {
  arguments: [{ syntax: "<shell>", description: "bash, zsh or fish" }],
  options: [],
  programs: ["client"],
  examples: [
    ["For this shell", "source <(parasaus completion bash)"],
    ["For every later one", "parasaus completion bash > /usr/share/bash-completion/completions/parasaus"],
  ],
  run: async ({ arguments: words, terminal }) => {
    const [shell] = words;
    const { ParasausError } = await import("../../foundation/index.ts");
    if (shell !== "bash" && shell !== "zsh" && shell !== "fish") {
      throw new ParasausError("Usage", `Cannot complete in "${shell}": there are bash, zsh and fish`);
    }
    if (shell === "bash") terminal.stdout.write(WITHOUT_BASH_COMPLETION);
    const { script } = await import("@bomb.sh/tab");
    script(shell, "parasaus", "parasaus");
    return 0;
  },
};
