import assert from "node:assert/strict";
import { messageOf } from "@store/docker/messageOf";

describe("messageOf", () => {
  it("returns the message of an error, and anything else as text", () => {
    assert.equal(messageOf(new Error("socket hang up")), "socket hang up");
    assert.equal(messageOf("refused"), "refused");
    assert.equal(messageOf(undefined), "undefined");
  });

  it("joins the messages of an AggregateError, whose own is empty if a host refuses the connection at each address", () => {
    const refused = new AggregateError([
      new Error("connect ECONNREFUSED ::1:5432"),
      new Error("connect ECONNREFUSED 127.0.0.1:5432"),
    ]);
    assert.equal(refused.message, "");
    assert.equal(
      messageOf(refused),
      "connect ECONNREFUSED ::1:5432, connect ECONNREFUSED 127.0.0.1:5432",
    );
  });
});
