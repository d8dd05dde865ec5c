import { readFileSync } from "node:fs";
import { ParasausError } from "../foundation/index.ts";
import { type FileEntry, readConfigurationFile } from "./file.ts";
import {
  type Configuration,
  flagOf,
  SETTING_KEYS,
  SETTINGS,
  type Setting,
  type SettingKey,
  type Surroundings,
  variableOf,
} from "./settings.ts";
import { isLoopback } from "./values.ts";

/** Where an effective value comes from. */
export interface SettingSource {
  readonly kind: "flag" | "environment" | "file" | "default";
  /** `--listen`, `PARASAUS_LISTEN`, `/etc/parasaus/parasaus.yaml:3`, or empty. */
  readonly where: string;
}

/** One effective setting. */
export interface EffectiveSetting {
  readonly text: string;
  readonly source: SettingSource;
}

/** The effective configuration: typed values, and for each its text and where it came from. */
export interface LoadedConfiguration {
  readonly values: Configuration;
  readonly settings: Readonly<Record<SettingKey, EffectiveSetting>>;
  /** The file that was read, if any. */
  readonly file?: string;
}

/** Everything that settings may come from. */
export interface ConfigurationInput {
  /** Texts by setting key, as given on the command line. */
  readonly flags: Readonly<Partial<Record<SettingKey, string>>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `--config`: must exist. */
  readonly file?: string;
  readonly around: Surroundings;
}

/**
 * Joins flags, environment, file and defaults, in this precedence.
 *
 * @throws ParasausError `Usage` that names the flag, variable or line whose value is wrong
 */
export function loadConfiguration(input: ConfigurationInput): LoadedConfiguration {
  const file = configurationFile(input);
  const entries =
    file === undefined ? new Map<SettingKey, FileEntry>() : readConfigurationFile(file.path, file.content);
  const settings: Partial<Record<SettingKey, EffectiveSetting>> = {};
  const values: Record<string, unknown> = {};
  for (const key of SETTING_KEYS) {
    const setting: Setting<unknown> = SETTINGS[key];
    const given = givenText(key, input, entries, file?.path ?? "");
    const earlier = (name: string) => settings[name as SettingKey]?.text ?? "";
    const effective = given ?? {
      text: setting.fallback(input.around, earlier),
      source: { kind: "default" as const, where: "" },
    };
    settings[key] = effective;
    values[key] = readValue(key, setting, effective);
  }
  const loaded = {
    values: values as Configuration,
    settings: settings as Record<SettingKey, EffectiveSetting>,
    ...(file ? { file: file.path } : {}),
  };
  if (input.around.program === "up" || input.around.program === "server") checkExposure(loaded.values);
  checkStore(loaded.values);
  checkOidc(loaded.values);
  return loaded;
}

function givenText(
  key: SettingKey,
  { flags, environment }: ConfigurationInput,
  entries: ReadonlyMap<SettingKey, FileEntry>,
  path: string,
): EffectiveSetting | undefined {
  const flag = flags[key];
  if (flag !== undefined) return { text: flag, source: { kind: "flag", where: `--${flagOf(key)}` } };
  const variable = environment[variableOf(key)];
  if (variable !== undefined && variable !== "") {
    return { text: variable, source: { kind: "environment", where: variableOf(key) } };
  }
  const entry = entries.get(key);
  return entry && { text: entry.text, source: { kind: "file", where: `${path}:${entry.line}` } };
}

function readValue(key: SettingKey, setting: Setting<unknown>, { text, source }: EffectiveSetting): unknown {
  try {
    return setting.read(text);
  } catch (cause) {
    if (!(cause instanceof ParasausError)) throw cause;
    const where = source.kind === "default" ? `the default of --${flagOf(key)}` : source.where;
    throw new ParasausError("Usage", `Cannot use ${where}: ${cause.message}`, { cause });
  }
}

function checkExposure({ listen, insecure, noAuth, tlsCert, tlsKey }: Configuration): void {
  if (insecure && noAuth) {
    throw new ParasausError(
      "Usage",
      "Cannot use --insecure together with --no-auth: anybody could change everything",
    );
  }
  if (noAuth && !isLoopback(listen.host)) {
    throw new ParasausError(
      "Usage",
      `Cannot use --no-auth while listening on "${listen.host}": it is for loopback only`,
    );
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    const [given, missing] = tlsKey === undefined ? ["cert", "key"] : ["key", "cert"];
    throw new ParasausError("Usage", `Cannot use --tls-${given} without --tls-${missing}`);
  }
}

function checkStore({ store, storeCa, storeCert, storeKey }: Configuration): void {
  if ((storeCert === undefined) !== (storeKey === undefined)) {
    throw new ParasausError("Usage", "Cannot use --store-cert without --store-key, nor the other way round");
  }
  if (store.kind === "embedded" && [storeCa, storeCert].some((file) => file !== undefined)) {
    throw new ParasausError(
      "Usage",
      "Cannot use --store-ca and --store-cert: they are for --store etcd://..., and the store is embedded",
    );
  }
}

function checkOidc({ oidcIssuerUrl, oidcClientId, oidcClientSecretFile }: Configuration): void {
  if ((oidcIssuerUrl === undefined) !== (oidcClientId === undefined)) {
    const message = "Cannot use --oidc-issuer-url without --oidc-client-id, nor the other way round";
    throw new ParasausError("Usage", message);
  }
  if (oidcClientSecretFile !== undefined && oidcIssuerUrl === undefined)
    throw new ParasausError("Usage", "Cannot use --oidc-client-secret-file without --oidc-issuer-url");
}

function configurationFile(input: ConfigurationInput): { path: string; content: string } | undefined {
  const asked = input.file ?? input.environment["PARASAUS_CONFIG"];
  const { isRoot, homeDirectory } = input.around;
  const path =
    asked ?? (isRoot ? "/etc/parasaus/parasaus.yaml" : `${homeDirectory}/.config/parasaus/parasaus.yaml`);
  try {
    return { path, content: readFileSync(path, "utf8") };
  } catch (cause) {
    if (asked === undefined && (cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ParasausError("Usage", `Cannot read "${path}": ${(cause as Error).message}`, { cause });
  }
}
