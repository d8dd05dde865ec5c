import type { en } from "./en.ts";
import { accounts } from "./zh-cn/accounts.ts";
import { app } from "./zh-cn/app.ts";
import { changes } from "./zh-cn/changes.ts";
import { fleet } from "./zh-cn/fleet.ts";
import { pools } from "./zh-cn/pools.ts";

/** What the console says in Chinese. */
export const zhCn: Readonly<Record<keyof typeof en, string>> = {
  ...app,
  ...pools,
  ...changes,
  ...fleet,
  ...accounts,
};
