import { describe, expect, it } from "vitest";
import { areasFrom, lessStrict } from "./areas";

describe("areas of sharing", () => {
  it("are left only for stricter ones", () => {
    expect(areasFrom("public")).toEqual(["cooperative", "competitive", "clean-room"]);
    expect(areasFrom("competitive")).toEqual(["clean-room"]);
    expect(areasFrom("clean-room")).toEqual([]);
  });
  it("compare by what others get", () => {
    expect([lessStrict("public", "cooperative"), lessStrict("cooperative", "cooperative"), lessStrict("clean-room", "public"), lessStrict(undefined, "public")]).toEqual([true, false, false, false]);
  });
});
