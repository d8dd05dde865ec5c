import type { ScalarTag } from "yaml";

/**
 * kubectl reads YAML with a Go library that follows YAML 1.1 for words and numbers, except sexagesimals and dates.
 * These tags come before those of YAML 1.2's core schema and make up the difference, so that one file means the same
 * to kubectl and to us.
 */
export const KUBECTL_SCALARS: readonly ScalarTag[] = [
  {
    tag: "tag:yaml.org,2002:bool",
    default: true,
    test: /^(?:y|Y|yes|Yes|YES|on|On|ON)$/,
    resolve: () => true,
  },
  {
    tag: "tag:yaml.org,2002:bool",
    default: true,
    test: /^(?:n|N|no|No|NO|off|Off|OFF)$/,
    resolve: () => false,
  },
  numberTag(/^[-+]?0[0-7_]+$/, 8, /^0/),
  numberTag(/^[-+]0o[0-7_]+$/, 8, /^0o/),
  numberTag(/^[-+]?0b[01_]+$/, 2, /^0b/),
  numberTag(/^[-+]?0x[0-9a-fA-F_]+$/, 16, /^0x/),
  numberTag(/^[-+]?[1-9][0-9_]*_[0-9_]*$/, 10, /^/),
];

function numberTag(test: RegExp, radix: number, prefix: RegExp): ScalarTag {
  return {
    tag: "tag:yaml.org,2002:int",
    default: true,
    test,
    resolve: (text) => {
      const negative = text.startsWith("-");
      const digits = text.replace(/^[-+]/, "").replace(prefix, "").replaceAll("_", "");
      const number = Number.parseInt(digits === "" ? "0" : digits, radix);
      return negative ? -number : number;
    },
  };
}
