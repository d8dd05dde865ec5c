import { accounts } from "./en/accounts.ts";
import { app } from "./en/app.ts";
import { changes } from "./en/changes.ts";
import { fleet } from "./en/fleet.ts";
import { pools } from "./en/pools.ts";

/** What the console says in English. Every key is in every catalogue, and used. */
export const en = { ...app, ...pools, ...changes, ...fleet, ...accounts } as const;
