const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const PART_LENGTH = 63;
const NAME_LENGTH = 253;

const LABEL_RULE =
  "must consist of lower case letters, digits and '-', and start and end with a letter or digit (RFC 1123 label, at most 63 characters)";
const SUBDOMAIN_RULE =
  "must consist of lower case letters, digits, '-' and '.', and start and end with a letter or digit (RFC 1123 subdomain, at most 253 characters)";
const QUALIFIED_RULE =
  "must consist of letters, digits, '-', '_' and '.', start and end with a letter or digit, have at most 63 characters, and may have a DNS prefix and '/' before it";

/** Which names a kind allows: a DNS label (no dots, 63 characters) or a DNS subdomain (253). */
export type NameFormat = "label" | "subdomain";

/** Says what is wrong with a name, or nothing. */
export function nameComplaint(name: string, format: NameFormat): string | undefined {
  if (format === "label") return name.length <= PART_LENGTH && LABEL.test(name) ? undefined : LABEL_RULE;
  return name.length <= NAME_LENGTH && SUBDOMAIN.test(name) ? undefined : SUBDOMAIN_RULE;
}

/** Says what is wrong with the key of a label or annotation, or with a finalizer, or nothing. */
export function qualifiedNameComplaint(key: string): string | undefined {
  const slash = key.indexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  const prefixFits = prefix === undefined || nameComplaint(prefix, "subdomain") === undefined;
  return prefixFits && name.length <= PART_LENGTH && QUALIFIED.test(name) ? undefined : QUALIFIED_RULE;
}

/** Says what is wrong with the value of a label, or nothing. */
export function labelValueComplaint(value: string): string | undefined {
  return value === "" || (value.length <= PART_LENGTH && QUALIFIED.test(value))
    ? undefined
    : "must be empty, or consist of letters, digits, '-', '_' and '.', start and end with a letter or digit, and have at most 63 characters";
}
