import { AGE, columnsOf, NAME } from "../columns.ts";
import type { JsonSchema, ResourceDefinition } from "../definition.ts";
import { conditionsSchema, objectSchema } from "../schema/metadata.ts";
import {
  ATOMIC,
  dictionary,
  flag,
  integer,
  ipv4,
  list,
  structure,
  text,
  timestamp,
} from "../schema/vocabulary.ts";
import { NODE_NUMBER_COUNT, type Node } from "./node.ts";

const kernel = structure(
  {
    release: text("Release of the kernel."),
    features: dictionary(flag("Whether the kernel has it."), "What forwarding asks of the kernel, by name."),
  },
  "What the kernel can do.",
  { required: ["release", "features"] },
);

const heldShrink = structure(
  {
    id: text("Names exactly these pools; spec.confirmedShrink lets them go."),
    poolCount: integer("Pools that are held.", 1, Number.MAX_SAFE_INTEGER),
    ofPoolCount: integer("Pools that the node forwarded when it began.", 1, Number.MAX_SAFE_INTEGER),
    since: timestamp("When it began."),
  },
  "Pools that the node goes on forwarding although the server no longer has them, and nobody was seen to delete them.",
  { required: ["id", "poolCount", "ofPoolCount", "since"] },
);

const spec = structure(
  {
    confirmedShrink: text(
      "Id of a held shrink (status.heldShrink.id) that may be carried out; `parasaus node confirm` sets it.",
    ),
  },
  "What operators tell the node.",
  { default: {} },
);

const status = structure(
  {
    number: integer("Its own among all nodes; the server hands it out.", 1, NODE_NUMBER_COUNT),
    addresses: list(ipv4("An address of the node."), "Addresses that node-ports pools listen on.", ATOMIC),
    driver: text("How the agent programs the kernel."),
    version: text("Version of the agent."),
    kernel,
    epoch: integer(
      "How often the store that the revision is of was restored, counted from 1.",
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    appliedRevision: text("Resource revision that the kernel holds."),
    tableHash: text("Hash over what the kernel holds; equal on all nodes at one revision."),
    poolCount: integer("Pools that the kernel holds.", 0, Number.MAX_SAFE_INTEGER),
    heldShrink,
    lagRevisions: integer(
      "Revisions of pools that the node is behind; not stored, joined when it is read.",
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    flowEntryCount: integer("Entries in the flow table; not stored.", 0, Number.MAX_SAFE_INTEGER),
    cpuPercent: integer("How busy the machine's processors were lately; not stored.", 0, 100),
    server: text("Server that the agent is connected to."),
    heartbeat: timestamp("When the agent was last heard of."),
    conditions: conditionsSchema,
  },
  "What the agent reports; read-only for operators.",
);

const nodeSchema: JsonSchema = objectSchema(
  "parasaus.io/v1",
  "Node",
  "A machine that forwards; written by its agent.",
  { spec, status },
);

/** Nodes: `parasaus.io/v1`, cluster-wide. */
export const nodeDefinition: ResourceDefinition = {
  group: "parasaus.io",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  singular: "node",
  shortNames: ["no"],
  categories: ["parasaus"],
  namespaced: false,
  writable: true,
  hasStatus: true,
  schema: nodeSchema,
  selectableFields: [],
  columns: columnsOf<Node>({
    NAME,
    NUMBER: {
      description: "Its own among all nodes.",
      type: "integer",
      cell: (node) => node.status?.number ?? null,
    },
    DRIVER: { description: "How the agent programs the kernel.", cell: (node) => node.status?.driver },
    ADDRESSES: {
      description: "Addresses that node-ports pools listen on.",
      cell: (node) => (node.status?.addresses ?? []).join(","),
    },
    REVISION: {
      description: "Resource revision that the kernel holds.",
      cell: (node) => node.status?.appliedRevision,
    },
    LAG: {
      description: "Revisions of pools that the node is behind.",
      type: "integer",
      cell: (node) => node.status?.lagRevisions ?? null,
    },
    HASH: {
      description: "Hash over what the kernel holds.",
      cell: (node) => node.status?.tableHash?.slice(0, 12),
    },
    FLOWS: {
      description: "Entries in the flow table.",
      type: "integer",
      cell: (node) => node.status?.flowEntryCount ?? null,
    },
    CPU: {
      description: "How busy the machine's processors were lately.",
      cell: ({ status }) => (status?.cpuPercent === undefined ? undefined : `${status.cpuPercent}%`),
    },
    AGE,
    READY: {
      description: "Whether the node forwards.",
      cell: (node) =>
        node.status?.conditions?.find((condition) => condition.type === "Ready")?.status ?? "Unknown",
    },
    POOLS: {
      description: "Pools that the kernel holds.",
      type: "integer",
      wide: true,
      cell: (node) => node.status?.poolCount ?? null,
    },
    KERNEL: {
      description: "Release of the kernel.",
      wide: true,
      cell: (node) => node.status?.kernel?.release,
    },
    VERSION: { description: "Version of the agent.", wide: true, cell: (node) => node.status?.version },
  }),
  applyDefaults: (object) => ({ spec: {}, ...object }) as Node,
  validate: () => [],
};
