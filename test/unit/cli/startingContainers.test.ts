import assert from "node:assert/strict";
import { StartingContainers } from "@store/cli/lifecycle/startingContainers";

describe("StartingContainers", () => {
  /** Returns the containers that are given up. @param events As "ID ACTION". */
  function givenUp(...events: string[]): string[] {
    const starting = new StartingContainers();
    return events.flatMap((event) => {
      const [id = "", ...action] = event.split(" ");
      return starting.handle({ id, action: action.join(" ") });
    });
  }
  const dies = (id: string): string[] => [`${id} die`, `${id} die`, `${id} die`];

  it("gives up a container that exits again and again", () => {
    assert.deepEqual(givenUp("a create", "a die", "a die"), []);
    assert.deepEqual(givenUp("a create", ...dies("a")), ["a"]);
  });

  it("lets a container exit while another one is still starting", () => {
    assert.deepEqual(givenUp("a create", "b create", ...dies("a"), ...dies("a")), []);
    const healthy = "b health_status: healthy";
    assert.deepEqual(givenUp("a create", "b create", ...dies("a"), healthy, "a die"), []);
    assert.deepEqual(givenUp("a create", "b create", ...dies("a"), healthy, ...dies("a")), ["a"]);
  });

  it("gives up all containers if none of them can start", () => {
    assert.deepEqual(givenUp("a create", "b create", ...dies("a"), ...dies("b")), ["a", "b"]);
  });

  it("ignores containers of earlier runs, which are stopped, and those that were healthy once", () => {
    assert.deepEqual(givenUp(...dies("old")), []);
    assert.deepEqual(givenUp("a create", "a health_status: healthy", ...dies("a")), []);
    assert.deepEqual(givenUp("a create", "a destroy", "old die"), []);
  });
});
