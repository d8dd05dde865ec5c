import { expect, it } from "vitest";
import { findTableConflicts } from "./table-conflicts.ts";

const agent = (nodeName: string, tableRevision: string, tableHash: string, epoch = 1) => ({
  nodeName,
  tableRevision,
  tableHash,
  epoch,
});

it("finds nodes that hold different things at one revision, the most frequent first", () => {
  const agents = [agent("a", "7", "x"), agent("b", "7", "y"), agent("c", "7", "y"), agent("d", "8", "z")];
  expect(findTableConflicts(agents)).toEqual([
    {
      epoch: 1,
      revision: "7",
      tables: [
        { hash: "y", nodes: ["b", "c"] },
        { hash: "x", nodes: ["a"] },
      ],
    },
  ]);
});

it("compares nothing across revisions and epochs, nor a node that holds nothing yet", () => {
  const silent = { nodeName: "e", tableHash: "0" };
  const agents = [agent("a", "7", "x"), agent("b", "8", "y"), agent("c", "7", "z", 2), silent];
  expect(findTableConflicts(agents)).toEqual([]);
});
