import { AGE, columnsOf, NAME } from "../columns.ts";
import type { JsonSchema, ResourceDefinition } from "../definition.ts";
import type { KubeObject } from "../object.ts";
import { fillDefaults } from "../schema/defaults.ts";
import { conditionsSchema, objectSchema } from "../schema/metadata.ts";
import {
  ATOMIC,
  flag,
  integer,
  list,
  oneOf,
  PROTOCOLS,
  structure,
  text,
  timestamp,
} from "../schema/vocabulary.ts";
import type { AddressPool } from "./address-pool.ts";
import { addressPoolErrors } from "./validation.ts";

const spec = structure(
  {
    addresses: list(
      text(
        "10.0.0.0/24, 2001:db8::/64, 10.0.0.1-10.0.0.9, a single address, or node for every IPv4 address of every node.",
      ),
      "Addresses to hand out.",
      { ...ATOMIC, minItems: 1, maxItems: 1024 },
    ),
    ports: list(text("A port, or a range such as 30000-64999."), "Ports to hand out on each address.", {
      ...ATOMIC,
      minItems: 1,
      maxItems: 1024,
      default: ["1-65535"],
    }),
    autoAssign: flag("Whether pools that name no address pool may take from this one.", { default: true }),
    priority: integer(
      "Of the address pools that could serve, the lowest number is taken first.",
      0,
      1_000_000,
      {
        default: 0,
      },
    ),
    quarantineSeconds: integer("How long a released connect address is kept back.", 0, 86_400, {
      default: 30,
    }),
  },
  "Which connect addresses there are, and who gets them.",
  { required: ["addresses"] },
);

const COUNT_LIMIT = Number.MAX_SAFE_INTEGER;

const status = structure(
  {
    capacity: integer("Connect addresses in the pool; a port counts once for all protocols.", 0, COUNT_LIMIT),
    used: integer("Connect addresses handed out.", 0, COUNT_LIMIT),
    quarantine: list(
      structure(
        {
          ip: text("IP address, or * for every address of every node."),
          port: integer("Port.", 1, 65_535),
          lastPort: integer("Last port of a range that begins with port.", 1, 65_535),
          protocol: oneOf(PROTOCOLS, "Transport protocol."),
          pool: text("Namespace and name of the pool that had it."),
          until: timestamp("When anybody may have it again."),
        },
        "A released connect address.",
        { required: ["ip", "port", "protocol", "pool", "until"] },
      ),
      "Released connect addresses that are kept back, except for the next pool of the same name.",
      ATOMIC,
    ),
    conditions: conditionsSchema,
  },
  "How full the address pool is; read-only for operators.",
);

const addressPoolSchema: JsonSchema = objectSchema(
  "parasaus.io/v1",
  "AddressPool",
  "Ranges of addresses and ports from which connect addresses are handed out.",
  { spec, status },
  ["spec"],
);

/** Address pools: `parasaus.io/v1`, cluster-wide. */
export const addressPoolDefinition: ResourceDefinition = {
  group: "parasaus.io",
  version: "v1",
  kind: "AddressPool",
  plural: "addresspools",
  singular: "addresspool",
  shortNames: ["ap"],
  categories: ["parasaus"],
  namespaced: false,
  writable: true,
  hasStatus: true,
  schema: addressPoolSchema,
  selectableFields: ["spec.autoAssign"],
  columns: columnsOf<AddressPool>({
    NAME,
    ADDRESSES: { description: "Addresses to hand out.", cell: (pool) => pool.spec.addresses.join(",") },
    PORTS: { description: "Ports to hand out.", cell: (pool) => pool.spec.ports.join(",") },
    CAPACITY: {
      description: "Connect addresses in the pool.",
      type: "integer",
      cell: ({ status: found }) => found?.capacity ?? null,
    },
    USED: {
      description: "Connect addresses handed out.",
      type: "integer",
      cell: ({ status: found }) => found?.used ?? null,
    },
    AGE,
    "AUTO-ASSIGN": {
      description: "Whether pools that name no address pool may take from it.",
      wide: true,
      cell: (pool) => String(pool.spec.autoAssign),
    },
    PRIORITY: {
      description: "The lowest number is taken first.",
      type: "integer",
      wide: true,
      cell: (pool) => pool.spec.priority,
    },
  }),
  applyDefaults: (object) => fillDefaults(addressPoolSchema, object) as KubeObject,
  validate: addressPoolErrors,
};
